package ecm

import (
	"math"
	"testing"
)

// Values of Dickman's function in the literature (Knuth and Trabb Pardo, 1976, table 2).
func TestDickman(t *testing.T) {
	for u, want := range map[float64]float64{0.5: 1, 1: 1, 2: 0.30685, 3: 0.048608, 4: 0.0049109, 5: 3.5472e-4, 6: 1.9650e-5, 8: 3.2321e-8, 10: 2.7702e-11} {
		if got := dickman(u); math.Abs(got/want-1) > 0.01 {
			t.Errorf("rho(%v) = %.5g, want %.5g", u, got, want)
		}
	}
	if got := dickman(1000); got != 0 {
		t.Errorf("rho(1000) = %v", got)
	}
}

// TestChance holds the estimate against the expected numbers of curves of Zimmermann and
// Dodson, "20 years of ECM", table 1, within a sixth.
func TestChance(t *testing.T) {
	for _, c := range []struct {
		digits int
		B1, B2 uint64
		curves float64
	}{
		{20, 11_000, 1_900_000, 74},
		{25, 50_000, 13_000_000, 214},
		{30, 250_000, 130_000_000, 430},
		{35, 1_000_000, 1_000_000_000, 904},
		{40, 3_000_000, 5_700_000_000, 2_350},
		{45, 11_000_000, 35_000_000_000, 4_480},
	} {
		got := 1 / Chance(c.B1, c.B2, c.digits)
		t.Logf("%d digits: %.0f curves, table %.0f", c.digits, got, c.curves)
		if got < c.curves*5/6 || got > c.curves*7/6 {
			t.Errorf("%d digits at %d: %.0f curves, want about %.0f", c.digits, c.B1, got, c.curves)
		}
	}
}

func TestWorth(t *testing.T) {
	for i := range Levels {
		w := Worth(Levels[i].B1)
		for k := range w {
			if k == i && w[k] != 1 || k > i && !(w[k] < 1) || k < i && !(w[k] > 1) {
				t.Errorf("a curve of level %d is worth %v of level %d", i, w[k], k)
			}
		}
	}
	for _, B1 := range []uint64{2, 10, 44_000, 3_000_000_000, 1 << 50} {
		below := Worth(max(B1/2, 2))
		for k, w := range Worth(B1) {
			if math.IsNaN(w) || math.IsInf(w, 0) || w < 0.99*below[k] {
				t.Errorf("a curve with B1 = %d is worth %v of level %d, with half of it %v", B1, w, k, below[k])
			}
		}
	}
}
