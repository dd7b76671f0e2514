//go:build race

package actors_test

// leastShare of the CPU is what short numbers must get beside long ones. The
// race detector makes the way of a job ten times as long, and its sieve less, so
// that there often is no short number to be run.
const leastShare = 0.05
