package qs

import (
	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/stop"
)

// Bounds of the sieve: a number takes some hundred polynomials at most, and
// another multiplier only when all dependencies were trivial, one number in many
// millions.
const (
	maxPolynomials = 10_000
	maxMultipliers = 4
)

// Split returns a proper factor of n, of up to MostBits bits, the smaller one of two
// if n is above 2^128. It takes another multiplier if the best one gives none, and
// gives up after maxMultipliers.
func (q *Sieve) Split(stop *stop.Poller, n arith.Uint192) (arith.Uint128, bool) {
	for rank := range maxMultipliers {
		if d, found := q.SplitWith(stop, n, rank); found || stop.Stopped() {
			return d, found
		}
	}
	return arith.Uint128{}, false
}

// SplitWith is split with one multiplier, the best one for rank 0.
func (q *Sieve) SplitWith(stop *stop.Poller, n arith.Uint192, rank int) (arith.Uint128, bool) {
	q.start(n, rank)
	for count := 0; count < maxPolynomials && !q.full() && q.nextA(); {
		for i := range 1 << (q.factors - 1) {
			if i > 0 {
				q.nextB(i)
			}
			if d, found := q.runSieve(); found {
				return d, true
			}
			if count++; count%128 == 0 && stop.Poll() {
				return arith.Uint128{}, false
			}
		}
	}
	return arith.Uint128{}, false
}
