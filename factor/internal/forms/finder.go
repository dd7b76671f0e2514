package forms

import (
	"math/big"

	"fairfactor/factor/internal/stop"
)

// Form says by what a number was split.
type Form byte

// The forms.
const (
	None    Form = iota
	Ratio        // the ratio of two factors is close to a fraction of small numbers
	Related      // a factor less one divides something close to the number
	Near         // the factors are close to a root of the number
)

// Finder looks for factors of numbers of special forms.
type Finder struct{ *stop.Poller }

// Find returns a proper factor of n, odd, composite, not a power and above 2^64, or nil
// if it is of none of the forms. power is 2^(n-1) modulo n. It takes about budget
// nanoseconds.
func (f Finder) Find(n, power *big.Int, budget float64) (*big.Int, Form) {
	e := effortFor(n.BitLen(), budget)
	if d := f.related(n, power, e.related); d != nil || f.Stopped() {
		return d, Related
	}
	if d := f.ratio(n, e.ratios); d != nil || f.Stopped() {
		return d, Ratio
	}
	if d := f.squares(n, e.squares); d != nil || f.Stopped() {
		return d, Ratio
	}
	return f.near(n, e.near), Near
}

// effort is how many steps each method takes.
type effort struct{ related, ratios, squares, near int }

// effortFor shares out a budget in nanoseconds: half of it to the ratios, a sixth to each
// of the others. The times of a step are those of BenchmarkOrdinary (Zen 4, Go 1.26).
func effortFor(bits int, budget float64) effort {
	words := float64((bits + 63) / 64)
	mul := 10 + 1.9*words*words
	return effort{
		related: int(budget / 6 / (20 + 2*mul)),
		ratios:  int(budget / 2 / (200 + 60*words + words*words)),
		squares: int(budget / 6 / 4),
		near:    int(budget / 6 / mul),
	}
}
