//go:build !race

package sim_test

// usualSeeds are some ten seconds on two processors that have nothing else to do.
const usualSeeds = 1000
