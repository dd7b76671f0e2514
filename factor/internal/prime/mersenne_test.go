package prime

import (
	"math/big"
	"slices"
	"testing"
)

// TestMersenne holds the test of Lucas and Lehmer against the list of exponents.
func TestMersenne(t *testing.T) {
	run := newProver()
	known := []int{3, 5, 7, 13, 17, 19, 31, 61, 89, 107, 127, 521, 607, 1279, 2203, 2281}
	for p := 2; p <= 2300; p++ {
		if p > 300 && p < 500 || p > 650 && p < 1250 || p > 1300 && p < 2150 {
			continue
		}
		n := twoAnd(uint(p), -1)
		if !IsMersenne(n) && p > 2 {
			t.Fatalf("2^%d-1 is no Mersenne number", p)
		}
		if p > 2 && (run.lucasLehmer(n) == IsPrime) != slices.Contains(known, p) {
			t.Errorf("2^%d-1: %v", p, run.lucasLehmer(n))
		}
		if p > 128 {
			if g, _ := run.Prove(n); (g == ProvenPlus) != slices.Contains(known, p) {
				t.Errorf("2^%d-1: grade %v", p, g)
			}
		}
	}
	for _, n := range []*big.Int{twoAnd(521, -3), twoAnd(521, 1), twoAnd(2, -1), twoAnd(MersenneBits+1, -1)} {
		if IsMersenne(n) {
			t.Errorf("%v is a Mersenne number", n)
		}
	}
}
