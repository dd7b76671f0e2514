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

// runCurves runs a turn of curves.
func (r *Runner) runCurves(c *curves) ([]byte, error) {
	r.parts, r.by = r.parts[:0], 0
	n := new(big.Int).SetBytes(c.n)
	var d, x *big.Int
	if cpu.IFMA && c.fitsEight(n.BitLen()) {
		d = r.curves8(n, c)
	} else if len(c.n) > 8 && len(c.n) <= 16 && c.wholeInMemory() {
		d = r.curvesWide(wideOf(c.n), c)
	} else {
		d, x = r.curvesBig(n, c)
	}
	if r.halted {
		return nil, ErrStopped
	}
	switch {
	case d != nil:
		r.by |= ByCurves
		r.shallow = true
		r.finishBig(d, 1)
		r.finishBig(new(big.Int).Quo(n, d), 1)
		r.shallow = false
		if r.halted {
			return nil, ErrStopped
		}
		return r.encodeBig(n)
	case x != nil && c.hi != 0 && c.to == 0:
		return appendBlob([]byte{version, foundPoint}, x.Bytes()), nil
	}
	return []byte{version, foundNothing}, nil
}

// wholeInMemory reports whether c is whole curves whose tables are small enough
// to do each stage at once.
func (c *curves) wholeInMemory() bool {
	return c.hi == c.b1+1 && c.lo == 0 && c.from == c.hi && c.to > 0 && c.to < 20_000_000
}

// curvesWide runs whole curves on n and returns a proper factor or nil.
func (r *Runner) curvesWide(n wide, c *curves) *big.Int {
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
func (r *Runner) curvesBig(n *big.Int, c *curves) (d, x *big.Int) {
	e := newCurveN(n)
	for i := range c.count {
		p, d := e.suyama(sigma(c.seed, c.first+i))
		if d == nil && len(c.x) > 0 {
			x = new(big.Int).SetBytes(c.x)
			e.to(p.x, x.Mod(x, n))
			copy(p.z, e.one)
		}
		if d == nil && c.hi != 0 {
			p = e.run(r, r.tables.chain(c.b1, c.lo, c.hi), p)
			if r.halted {
				return nil, nil
			}
			x, d = e.affine(&p)
		}
		if d == nil && c.to != 0 {
			d = e.stage2(r, x, c.step, c.from, c.to)
			if r.halted {
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
