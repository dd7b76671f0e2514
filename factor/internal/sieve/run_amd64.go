//go:build !purego

package sieve

// runASM is run for count primes, 1.5 times as fast on a Zen 3.
//
//go:noescape
func runASM(block *byte, primes, pos1, pos2 *uint16, logs *uint8, count, times, end int)
