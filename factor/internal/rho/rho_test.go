package rho

import (
	"testing"

	"fairfactor/factor/internal/factortest"
)

// TestFactor splits products of two different primes, at the edge of 64 bits too.
func TestFactor(t *testing.T) {
	r := factortest.Seeded(t)
	for i := range 600 {
		bits := 3 + r.IntN(30)
		p, q := factortest.Prime64(r, bits), factortest.Prime64(r, min(3+r.IntN(60-bits), 32))
		if i%10 == 0 {
			p, q = 4294967291, 4294967279 // the largest primes of 32 bits
		}
		if p == q {
			continue
		}
		if d := Factor(p * q); d != p && d != q {
			t.Fatalf("%d * %d: found %d", p, q, d)
		}
	}
}
