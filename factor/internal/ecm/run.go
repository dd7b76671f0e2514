package ecm

import (
	"math/big"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/cpu"
)

// Run runs c on n, whose bytes are in it, and returns a proper factor, or the
// x-coordinate that the last curve reached, or neither.
func (r *Runner) Run(n *big.Int, c *Work) (d, x *big.Int) {
	switch {
	case cpu.IFMA && c.FitsVector(n.BitLen()):
		return r.CurvesVector(n, c), nil
	case len(c.N) > 8 && len(c.N) <= 16 && c.wholeInMemory():
		return r.Curves128(arith.Uint128Of(c.N), c), nil
	}
	return r.CurvesN(n, c)
}

// wholeInMemory reports whether c is whole curves whose tables are small enough
// to do each stage at once.
func (c *Work) wholeInMemory() bool {
	return c.Hi == c.B1+1 && c.Lo == 0 && c.From == c.Hi && c.To > 0 && c.To < 20_000_000 && polyStepOf(c.Step) == nil
}

// Curves128 runs whole curves on n and returns a proper factor or nil.
func (r *Runner) Curves128(n arith.Uint128, c *Work) *big.Int {
	m := arith.NewMont128(n)
	for i := range c.Count {
		d := r.wholeCurve128(m, c.Seed, c.First+i, bounds{c.B1, c.To}, c.Step)
		if r.Poll() {
			return nil
		}
		if d != (arith.Uint128{Lo: 1}) && d != n {
			return d.Big()
		}
	}
	return nil
}

// CurvesN runs c on n and returns a proper factor, or the x-coordinate that
// the last curve reached, or neither if that curve broke off.
func (r *Runner) CurvesN(n *big.Int, c *Work) (d, x *big.Int) {
	e := newCurveN(n)
	for i := range c.Count {
		p, d := e.suyama(arith.Mix(c.Seed, c.First+i))
		if d == nil && len(c.X) > 0 {
			x = new(big.Int).SetBytes(c.X)
			e.To(e.x(p), x.Mod(x, n))
			copy(e.z(p), e.One)
		}
		if d == nil && c.Hi != 0 {
			p = e.run(r.Poller, r.tables.chain(c.B1, c.Lo, c.Hi), p)
			if r.Stopped() {
				return nil, nil
			}
			x, d = e.affine(p)
		}
		if d == nil && c.To != 0 {
			if s := polyStepOf(c.Step); s != nil {
				d = e.stage2Poly(r, x, s, c.From)
			} else {
				d = e.stage2(r, x, c.Step, c.From, c.To)
			}
			if r.Stopped() {
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

// Few128 returns a proper factor of n > 2^64, of up to 128 bits, or 1 if three curves with
// small bounds do not find one.
func (r *Runner) Few128(n arith.Uint128) arith.Uint128 {
	m := arith.NewMont128(n)
	for i, l := range [...]int{1, 2, 4} {
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
