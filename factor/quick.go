package factor

import (
	"math/big"
	"math/bits"

	"fairfactor/factor/internal/cpu"
)

// find64 returns a proper factor of n, an odd composite that is not a power.
func (r *Runner) find64(n uint64) uint64 {
	size := bits.Len64(n)
	if size <= hartBits {
		if d := hart64(n); d != 1 {
			r.by |= ByHart
			return d
		}
	}
	if cpu.IFMA && size >= eightFrom {
		if d := r.find8(wide{0, n}); d.lo != 1 {
			return d.lo
		}
	}
	twins := microTwins
	if size >= sieveBits {
		twins = microBefore
	}
	if d := ecm64(n, size, twins); d != 1 {
		r.by |= ByCurves
		return d
	}
	if size >= sieveBits {
		if d, found := r.sieveQuick(triple{n}); found {
			return d.lo
		}
	}
	r.by |= ByRho
	return rho64(n)
}

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

// findWide returns a proper factor of n > 2^64, an odd composite that is not a
// power, unless the quick methods do not find one.
func (r *Runner) findWide(n wide) (wide, bool) {
	if r.shallow {
		return wide{}, false
	}
	if cpu.IFMA && n.len() <= eightBits {
		if d := r.find8(n); d != (wide{0, 1}) {
			return d, true
		}
		return r.sieveQuick(n.triple())
	}
	m := newMont128(n)
	row := 0
	for quickWide[row].bits < n.len() {
		row++
	}
	for i, l := range quickWide[row].levels {
		d := m.microWide(r, &microLevels[l], sigma(quickSeed, uint64(i)))
		if r.poll() {
			return wide{}, false
		}
		if d != (wide{0, 1}) && d != n {
			r.by |= ByCurves
			return d, true
		}
	}
	return r.sieveQuick(n.triple())
}

// Bounds of the sieve: a number takes some hundred polynomials at most, and
// another multiplier only when all dependencies were trivial, one number in many
// millions.
const (
	maxPolynomials = 10_000
	maxMultipliers = 4
)

// sieveQuick returns a proper factor of n, of up to qsMostBits bits, by the small
// quadratic sieve, the smaller one of two if n is above 2^128. It takes another
// multiplier if the best one gives none, and gives up after maxMultipliers; later
// turns take what it leaves.
func (r *Runner) sieveQuick(n triple) (wide, bool) {
	for rank := range maxMultipliers {
		if d, found := r.sieveWith(n, rank); found || r.halted {
			r.by |= ByQS
			return d, found
		}
	}
	return wide{}, false
}

// sieveWith is sieveQuick with one multiplier, the best one for rank 0.
func (r *Runner) sieveWith(n triple, rank int) (wide, bool) {
	q := &r.qs
	q.start(n, rank)
	for count := 0; count < maxPolynomials && !q.full() && q.nextA(); {
		for i := range 1 << (q.factors - 1) {
			if i > 0 {
				q.nextB(i)
			}
			if d, found := q.runSieve(); found {
				return d, true
			}
			if count++; count%128 == 0 && r.poll() {
				return wide{}, false
			}
		}
	}
	return wide{}, false
}

// quickBig are the curves of the quick methods above 2^128, as many as fit in
// quickNanos and in quickShare of the time of the sieve, at most mostCurves. Of
// random numbers of 40 to 50 digits the mean is the same from a sixteenth to all of
// that time; hard ones only lose by them.
var quickBig = curves{seed: quickSeed, b1: 300, hi: 301, from: 301, to: 20_000, step: 210}

const (
	mostCurves = 20
	quickNanos = 8e6
	quickShare = 1.0 / 8
)

// findBig returns a proper factor of n > 2^128, an odd composite that is not a
// power, or nil if the quick methods do not find one.
func (r *Runner) findBig(n *big.Int) *big.Int {
	if r.shallow {
		return nil
	}
	if d := r.quickCurves(n); d != nil || r.halted || n.BitLen() > qsMostBits {
		return d
	}
	if d, found := r.sieveQuick(tripleOf(n)); found {
		return d.big()
	}
	return nil
}

// quickCurves returns a proper factor of n > 2^128, or nil if the quick curves do
// not find one.
func (r *Runner) quickCurves(n *big.Int) *big.Int {
	if cpu.IFMA && n.BitLen() <= eightMostBits {
		return r.quickCurves8(n)
	}
	work := quickBig
	work.count = 1
	one := work.nanos((n.BitLen() + 63) / 64)
	work.count = uint64(min(mostCurves, min(quickNanos, quickShare*sieveNanos(n.BitLen()))/float64(one)))
	if work.count == 0 {
		return nil
	}
	d, _ := r.curvesBig(n, &work)
	if d != nil {
		r.by |= ByCurves
	}
	return d
}

// quickSeed is the family of curves of the quick methods.
const quickSeed = 1
