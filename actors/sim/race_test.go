//go:build race

package sim_test

// usualSeeds are few under the race detector: nothing runs at once here.
const usualSeeds = 60
