package hart

import (
	"testing"

	"fairfactor/factor/internal/factortest"
)

// TestFactor splits products of two primes of like size up to MostBits: the factors
// are proper ones, and few numbers of up to 36 bits are missed.
func TestFactor(t *testing.T) {
	r := factortest.Seeded(t)
	count, missed := 0, 0
	for bits := 20; bits <= MostBits; bits++ {
		for range 200 {
			p, q := factortest.Prime64(r, bits/2), factortest.Prime64(r, bits-bits/2)
			n := p * q
			d := Factor(n)
			if n%d != 0 || d == n {
				t.Fatalf("%d = %d * %d: found %d", n, p, q, d)
			}
			if p == q || bits > 36 {
				continue
			}
			if count++; d == 1 {
				missed++
			}
		}
	}
	if missed > count/50 {
		t.Errorf("missed %d of %d", missed, count)
	}
}
