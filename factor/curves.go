package factor

import (
	"math/big"

	"fairfactor/factor/internal/cpu"
)

// sigma returns the parameter of curve number i of the family of seed: 6 or
// more, well mixed, always the same (Steele, Lea, Flood, OOPSLA 2014: SplitMix64).
func sigma(seed, i uint64) uint64 {
	z := seed + (i+1)*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return (z^z>>31)>>1 | 8
}

// run runs c on n, whose bytes are in it, and returns a proper factor, or the
// x-coordinate that the last curve reached, or neither.
func (r *ecmRunner) run(n *big.Int, c *curves) (d, x *big.Int) {
	switch {
	case cpu.IFMA && c.fitsEight(n.BitLen()):
		return r.curves8(n, c), nil
	case len(c.n) > 8 && len(c.n) <= 16 && c.wholeInMemory():
		return r.curvesWide(wideOf(c.n), c), nil
	}
	return r.curvesBig(n, c)
}

// wholeInMemory reports whether c is whole curves whose tables are small enough
// to do each stage at once.
func (c *curves) wholeInMemory() bool {
	return c.hi == c.b1+1 && c.lo == 0 && c.from == c.hi && c.to > 0 && c.to < 20_000_000
}

// curvesWide runs whole curves on n and returns a proper factor or nil.
func (r *ecmRunner) curvesWide(n wide, c *curves) *big.Int {
	m := newMont128(n)
	for i := range c.count {
		d := r.curveWide(m, c.seed, c.first+i, bounds{c.b1, c.to}, c.step)
		if r.poll() {
			return nil
		}
		if d != (wide{0, 1}) && d != n {
			return d.big()
		}
	}
	return nil
}

// curvesBig runs c on n and returns a proper factor, or the x-coordinate that
// the last curve reached, or neither if that curve broke off.
func (r *ecmRunner) curvesBig(n *big.Int, c *curves) (d, x *big.Int) {
	e := newCurveN(n)
	for i := range c.count {
		p, d := e.suyama(sigma(c.seed, c.first+i))
		if d == nil && len(c.x) > 0 {
			x = new(big.Int).SetBytes(c.x)
			e.to(p.x, x.Mod(x, n))
			copy(p.z, e.one)
		}
		if d == nil && c.hi != 0 {
			p = e.run(r.poller, r.tables.chain(c.b1, c.lo, c.hi), p)
			if r.stopped() {
				return nil, nil
			}
			x, d = e.affine(&p)
		}
		if d == nil && c.to != 0 {
			d = e.stage2(r, x, c.step, c.from, c.to)
			if r.stopped() {
				return nil, nil
			}
		}
		if d != nil && d.Cmp(n) != 0 {
			return d, nil
		}
		if d != nil {
			x = nil // every factor at once: this curve is over
		}
	}
	return nil, x
}

// few returns a proper factor of n > 2^64, of up to 128 bits, or 1 if three curves with
// small bounds do not find one.
func (r *ecmRunner) few(n wide) wide {
	m := newMont128(n)
	for i, l := range [...]int{1, 2, 4} {
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
