package ecm

import (
	"math/big"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/cpu"
)

// quick128 are the curves of the quick methods between 2^64 and 2^128, where
// eight curves do not run at once (see vectorLevels), as indices of smallPlans for numbers up
// to that many bits: they find the small factors that are likely in a number that
// was not chosen to be hard, in a small part of the time that the quadratic sieve
// takes for the others.
var quick128 = [...]struct {
	bits   int
	levels []int
}{
	{68, []int{2}},
	{80, []int{1, 2}},
	{96, []int{1, 2, 4}},
	{112, []int{1, 2, 4, 6}},
	{128, []int{1, 2, 4, 6, 6, 6, 6, 6, 6, 6, 6, 6}},
}

// quickTrios are the same where three curves run in step, as indices of trioBounds.
var quickTrios = [...]struct {
	bits   int
	levels []int
}{
	{68, []int{0}},
	{80, []int{2}},
	{96, []int{0, 3}},
	{112, []int{0, 4, 5}},
	{TrioBits, []int{0, 4, 8, 8, 8}},
}

// quickTrio is Quick128 where three curves run in step.
func (r *Runner) quickTrio(n arith.Uint128) arith.Uint128 {
	m := r.trio128For(n)
	row := 0
	for quickTrios[row].bits < n.Len() {
		row++
	}
	for i, l := range quickTrios[row].levels {
		d := m.curves(&trioPlans()[l], uint64(lanes*i))
		if r.Poll() {
			break
		}
		if d != (arith.Uint128{Lo: 1}) && d != n {
			return d
		}
	}
	return arith.Uint128{Lo: 1}
}

// Quick128 returns a proper factor of n > 2^64, or 1 if the curves of quick128, or of
// quickTrios, do not find one.
func (r *Runner) Quick128(n arith.Uint128) arith.Uint128 {
	if cpu.ADX && n.Len() <= TrioBits {
		return r.quickTrio(n)
	}
	m := arith.NewMont128(n)
	row := 0
	for quick128[row].bits < n.Len() {
		row++
	}
	for i, l := range quick128[row].levels {
		d := r.smallCurve128(m, &smallPlans()[l], arith.Mix(arith.Seed, uint64(i)))
		if r.Poll() {
			break
		}
		if d != (arith.Uint128{Lo: 1}) && d != n {
			return d
		}
	}
	return arith.Uint128{Lo: 1}
}

// quickWork are the curves of the quick methods above 2^128, as many as fit in
// quickNanos and in a budget, which is a share of the time of the sieve, at most
// mostCurves. Of
// random numbers of 40 to 50 digits the mean is the same from a sixteenth to all of
// that time; hard ones only lose by them.
var quickWork = Work{Seed: arith.Seed, B1: 300, Hi: 301, From: 301, To: 20_000, Step: 210}

const (
	mostCurves = 20
	quickNanos = 8e6
)

// QuickN returns a proper factor of n > 2^128, or nil if the quick curves do
// not find one. On the integer units they take at most budget, in nanoseconds.
func (r *Runner) QuickN(n *big.Int, budget float64) *big.Int {
	if cpu.IFMA && n.BitLen() <= VectorMostBits {
		return r.quickVector(n)
	}
	work := quickWork
	work.Count = 1
	one := work.Nanos((n.BitLen() + 63) / 64)
	work.Count = uint64(min(mostCurves, min(quickNanos, budget)/float64(one)))
	if work.Count == 0 {
		return nil
	}
	d, _ := r.CurvesN(n, &work)
	return d
}
