package factor

import (
	"math/big"

	"fairfactor/factor/internal/cpu"
)

// quickSeed is the family of curves of the quick methods.
const quickSeed = 1

// quickWide are the curves of the quick methods between 2^64 and 2^128, where
// eight do not run at once (see plans8), as indices of microLevels for numbers up
// to that many bits: they find the small factors that are likely in a number that
// nobody chose to be hard, in a small part of the time that the quadratic sieve
// takes for the others.
var quickWide = [...]struct {
	bits   int
	levels []int
}{
	{68, []int{2}},
	{80, []int{1, 2}},
	{96, []int{1, 2, 4}},
	{112, []int{1, 2, 4, 6}},
	{128, []int{1, 2, 4, 6, 6, 6, 6, 6, 6, 6, 6, 6}},
}

// fewWide returns a proper factor of n > 2^64, or 1 if the curves of quickWide do not
// find one.
func (r *ecmRunner) fewWide(n wide) wide {
	m := newMont128(n)
	row := 0
	for quickWide[row].bits < n.len() {
		row++
	}
	for i, l := range quickWide[row].levels {
		d := m.microWide(r, &microLevels[l], sigma(quickSeed, uint64(i)))
		if r.poll() {
			break
		}
		if d != (wide{0, 1}) && d != n {
			return d
		}
	}
	return wide{0, 1}
}

// quickBig are the curves of the quick methods above 2^128, as many as fit in
// quickNanos and in quickShare of the time of the sieve, at most mostCurves. Of
// random numbers of 40 to 50 digits the mean is the same from a sixteenth to all of
// that time; hard ones only lose by them.
var quickBig = curves{seed: quickSeed, b1: 300, hi: 301, from: 301, to: 20_000, step: 210}

const (
	mostCurves = 20
	quickNanos = 8e6
)

// quickCurves returns a proper factor of n > 2^128, or nil if the quick curves do
// not find one. On the integer units they take at most budget, in nanoseconds.
func (r *ecmRunner) quickCurves(n *big.Int, budget float64) *big.Int {
	if cpu.IFMA && n.BitLen() <= eightMostBits {
		return r.quickCurves8(n)
	}
	work := quickBig
	work.count = 1
	one := work.nanos((n.BitLen() + 63) / 64)
	work.count = uint64(min(mostCurves, min(quickNanos, budget)/float64(one)))
	if work.count == 0 {
		return nil
	}
	d, _ := r.curvesBig(n, &work)
	return d
}
