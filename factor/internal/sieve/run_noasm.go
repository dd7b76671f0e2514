//go:build !amd64 || purego

package sieve

func runASM(block *byte, primes, pos1, pos2 *uint16, logs *uint8, count, times, end int) {}
