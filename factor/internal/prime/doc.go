// Package prime tests numbers for primality and proves primes.
//
// Below 2^64 Baillie-PSW is a proof, below 3.3e24 strong tests to the first 13 prime
// bases are; above, a [Prover] tries N-1, whose proof can be checked anywhere, and then
// APR-CL. What is known of a number is its [Grade]. For N-1 the prover needs factors of
// n - 1; its caller supplies them ([Divider]).
//
// Start reading at [Prover.Prove].
package prime
