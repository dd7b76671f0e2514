package qs

import (
	"testing"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/factortest"
	"fairfactor/factor/internal/stop"
)

// TestSieveLeavesNothing sieves hundreds of semiprimes of each size with the best
// multiplier alone: the ones above it are for one in millions. Half of the
// 80-bit ones were once left, because a asked for primes beyond the base.
func TestSieveLeavesNothing(t *testing.T) {
	r := factortest.Seeded(t)
	var sieve Sieve
	for size := LeastBits; size <= 128; size++ {
		count, left := 200, 0
		if size > 84 { // longer and longer, and nothing is left with a large base
			count = 120 / (size - 82)
		}
		if testing.Short() {
			count = (count + 7) / 8
		}
		for range count {
			n, p, q := factortest.Semiprime128(r, size)
			d, found := sieve.SplitWith(&stop.Poller{}, n.Uint192(), 0)
			if !found {
				left++
				continue
			}
			if d != (arith.Uint128{Lo: p}) && d != (arith.Uint128{Lo: q}) {
				t.Fatalf("%v = %d * %d: sieve found %v", n.Big(), p, q, d.Big())
			}
		}
		if left > 1 {
			t.Errorf("%d bits: %d of %d left", size, left, count)
		}
	}
}

// TestQuickMultipliers sieves with multipliers that are not the best.
func TestQuickMultipliers(t *testing.T) {
	r := factortest.Seeded(t)
	var sieve Sieve
	for i := range 60 {
		n, p, q := factortest.Semiprime128(r, LeastBits+r.IntN(40))
		rank := 1 + i%(maxMultipliers-1)
		if k := multiplier(n.Uint192(), rank); k == multiplier(n.Uint192(), rank-1) {
			t.Fatalf("%v: rank %d repeats the multiplier %d", n.Big(), rank, k)
		}
		if d, found := sieve.SplitWith(&stop.Poller{}, n.Uint192(), rank); !found || d != (arith.Uint128{Lo: p}) && d != (arith.Uint128{Lo: q}) {
			t.Fatalf("%v = %d * %d, rank %d: %v, %v", n.Big(), p, q, rank, d.Big(), found)
		}
	}
}
