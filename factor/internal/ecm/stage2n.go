package ecm

import (
	"math/big"

	"fairfactor/factor/internal/arith"
)

// giantBlock is how many giants are brought to Z = 1 with one inversion.
const giantBlock = 128

// stage2 looks for a prime q, from <= q < to, such that q times the point with
// affine coordinate x is the neutral element modulo a factor of n. It returns
// that factor, which may be n itself, or nil (Montgomery, Math. Comp. 48 (1987),
// 243-264, section 10.3.2; baby steps and giant steps, both with Z = 1, one
// multiplication a pair).
func (c *curveN) stage2(r *Runner, x *big.Int, D, from, to uint64) *big.Int {
	pr := r.tables.pair(D, from, to)
	q := c.point()
	c.To(c.x(q), x)
	copy(c.z(q), c.One)
	k := len(c.N)
	babies := make([]uint64, len(pr.babies)*k)
	if d := c.normalise(babies, c.multiples(q, D, len(pr.babies))); d != nil {
		return d
	}
	step, _ := c.ladder(D, q)
	prev, cur := c.ladder(pr.first, step)
	if pr.first == 1 {
		prev = step
	}
	acc := c.residue()
	copy(acc, c.One)
	start := uint32(0)
	block := make([]pointN, 0, giantBlock)
	giants := make([]uint64, giantBlock*k)
	for i := 0; i < len(pr.ends); {
		block = block[:0]
		for range min(giantBlock, len(pr.ends)-i) {
			block = append(block, prev)
			next := c.point()
			c.addPoint(next, cur, step, prev)
			prev, cur = cur, next
		}
		if d := c.normalise(giants, block); d != nil {
			return d
		}
		for j := range block {
			c.Meet(acc, giants[j*k:][:k], babies, pr.hits[start:pr.ends[i]])
			start = pr.ends[i]
			i++
		}
		if r.Poll() {
			return nil
		}
	}
	if d := new(big.Int).GCD(nil, nil, c.From(acc), c.Mod); d.Cmp(arith.One) != 0 {
		return d
	}
	return nil
}

// multiples returns j*q for the count smallest j coprime to D, which is a
// multiple of 6, by walking 1, 7, 13, ... and 5, 11, 17, ...
func (c *curveN) multiples(q pointN, D uint64, count int) []pointN {
	p2, p3, p5, p6, p7, p11 := c.point(), c.point(), c.point(), c.point(), c.point(), c.point()
	c.dupPoint(p2, q)
	c.addPoint(p3, p2, q, q)
	c.addPoint(p5, p3, p2, q)
	c.dupPoint(p6, p3)
	c.addPoint(p7, p6, q, p5)
	c.addPoint(p11, p6, p5, q)
	out := make([]pointN, 0, count)
	a, b := [2]pointN{q, p7}, [2]pointN{p5, p11}
	for j := uint64(1); ; j += 6 {
		for i, w := range [...]*[2]pointN{&a, &b} {
			if arith.GCD64(j+4*uint64(i), D) == 1 {
				out = append(out, w[0])
			}
			if len(out) == count {
				return out
			}
			next := c.point()
			c.addPoint(next, w[1], p6, w[0])
			w[0], w[1] = w[1], next
		}
	}
}

// ladder returns k*p and (k+1)*p for k >= 1.
func (c *curveN) ladder(k uint64, p pointN) (a, b pointN) {
	a, b = c.point(), c.point()
	copy(a, p)
	c.dupPoint(b, p)
	top := 63
	for k>>top == 0 {
		top--
	}
	for i := top - 1; i >= 0; i-- {
		if k>>i&1 == 1 {
			c.addPoint(a, a, b, p)
			c.dupPoint(b, b)
		} else {
			c.addPoint(b, a, b, p)
			c.dupPoint(a, a)
		}
	}
	return a, b
}

// normalise sets xs to X/Z of all points at the price of one inversion
// (Montgomery's trick). If it fails, the result is a factor of n, perhaps n itself.
func (c *curveN) normalise(xs []uint64, points []pointN) *big.Int {
	k := len(c.N)
	prod := c.residue()
	copy(prod, c.One)
	for i, p := range points {
		copy(xs[i*k:][:k], prod)
		c.Mul(prod, prod, c.z(p))
	}
	v := c.From(prod)
	inv := new(big.Int).ModInverse(v, c.Mod)
	if inv == nil {
		return c.zeroIn(points, new(big.Int).GCD(nil, nil, v, c.Mod))
	}
	rest := prod
	c.To(rest, inv)
	for i := len(points) - 1; i >= 0; i-- {
		x := xs[i*k:][:k]
		c.Mul(x, x, rest)
		c.Mul(x, x, c.x(points[i]))
		c.Mul(rest, rest, c.z(points[i]))
	}
	return nil
}

// zeroIn looks at the points one by one for a proper factor if all of them
// together gave d = n.
func (c *curveN) zeroIn(points []pointN, d *big.Int) *big.Int {
	if d.Cmp(c.Mod) != 0 {
		return d
	}
	for i := range points {
		g := new(big.Int).GCD(nil, nil, c.From(c.z(points[i])), c.Mod)
		if g.Cmp(arith.One) != 0 && g.Cmp(c.Mod) != 0 {
			return g
		}
	}
	return d
}
