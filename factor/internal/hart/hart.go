// Package hart is Hart's one-line factoring, the fastest method for the smallest
// numbers.
package hart

import (
	"math"
	"sync"

	"fairfactor/factor/internal/arith"
)

// MostBits is the size up to which the arithmetic does not overflow.
const MostBits = 42

// steps bounds the multipliers that are tried.
const steps = 1 << 11

// roots returns the square roots of 480, 960, 1440 ...
var roots = sync.OnceValue(func() *[steps]float64 {
	t := new([steps]float64)
	for i := range t {
		t[i] = math.Sqrt(480 * float64(i+1))
	}
	return t
})

// Factor looks for a proper factor of n < 2^MostBits by Hart's one line factoring (J.
// Aust. Math. Soc. 92 (2012), 61-69): s = ceil(sqrt(k n)) for multiples k of
// 480, until s^2 - k n is a square. It returns 1 if it finds none.
func Factor(n uint64) uint64 {
	root := math.Sqrt(float64(n))
	kn := int64(0)
	for _, of480 := range roots() {
		kn += 480 * int64(n)
		s := int64(root*of480) + 1
		m := s*s - kn
		if arith.Squares64>>(m&63)&1 == 0 {
			continue
		}
		// A rounding error may make s one too large, so that m is not the
		// smallest; a square is one all the same.
		t := int64(math.Sqrt(float64(m)))
		if t*t == m {
			if d := arith.GCD64(uint64(s-t), n); d != 1 && d != n {
				return d
			}
		}
	}
	return 1
}
