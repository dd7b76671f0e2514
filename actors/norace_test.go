//go:build !race

package actors_test

// leastShare of the CPU is what short numbers must get beside long ones: half,
// less what a busy machine takes.
const leastShare = 0.35
