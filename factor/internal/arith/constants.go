// Package arith is the arithmetic that all rooms share: integers of 128, 192 and 384
// bits, Montgomery arithmetic modulo one, two and any number of words, exact division,
// roots, Jacobi symbols and primes in order. It knows no method of factoring.
//
// Routines are checked against math/big, at the edges of words above all. Loops over
// long slices are marked go:norace: the slices belong to one runner, and the race
// detector makes them many times slower.
package arith

import "math/big"

// One and Two are constants; they must not be changed.
var (
	One = big.NewInt(1)
	Two = big.NewInt(2)
)
