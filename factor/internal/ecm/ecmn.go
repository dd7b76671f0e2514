package ecm

import (
	"math/big"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/stop"
)

// pointN is a point X:Z of a Montgomery curve modulo n, of 2k words.
type pointN []uint64

// curveN is a Montgomery curve B y^2 = x^3 + A x^2 + x modulo n and what its
// arithmetic needs.
type curveN struct {
	*arith.MontN
	a24  []uint64 // (A+2)/4
	free []uint64 // unused words of the arena
}

// newCurveN prepares arithmetic modulo n.
func newCurveN(n *big.Int) *curveN {
	c := &curveN{MontN: arith.NewMontN(n)}
	c.a24 = c.residue()
	return c
}

// words returns room for that many words.
func (c *curveN) words(k int) []uint64 {
	if len(c.free) < k {
		c.free = make([]uint64, 64*k)
	}
	r := c.free[:k:k]
	c.free = c.free[k:]
	return r
}

// residue returns room for one residue.
func (c *curveN) residue() []uint64 { return c.words(len(c.N)) }

// point returns room for a point.
func (c *curveN) point() pointN { return c.words(2 * len(c.N)) }

// x and z return the coordinates of p.
func (c *curveN) x(p pointN) []uint64 { return p[:len(c.N)] }

func (c *curveN) z(p pointN) []uint64 { return p[len(c.N):] }

// addPoint sets r to p + q, where d = p - q; r may be any of them.
func (c *curveN) addPoint(r, p, q, d pointN) { c.AddPoints(r, p, q, d) }

// dupPoint sets r to 2p; r may be p.
func (c *curveN) dupPoint(r, p pointN) { c.DoublePoint(r, p, c.a24) }

// pollEvery is how many operations of a chain run between two looks at stop: up
// to 6 multiplications each, about 3 ms in all.
func (c *curveN) pollEvery() int {
	return max(1, 3_000_000/int(6*mulNanos(len(c.N))))
}

// run multiplies a by the number that code stands for. It may end early when
// the runner is asked to stop.
func (c *curveN) run(r *stop.Poller, code []byte, a pointN) pointN {
	b, d, t, t2 := c.point(), c.point(), c.point(), c.point()
	every := c.pollEvery()
	left := every
	for _, op := range code {
		if left--; left == 0 {
			if left = every; r.Poll() {
				break
			}
		}
		switch op {
		case opStart:
			copy(b, a)
			copy(d, a)
			c.dupPoint(a, a)
		case 1:
			c.addPoint(t, a, b, d)
			c.addPoint(t2, t, a, b)
			c.addPoint(b, b, t, a)
			a, t2 = t2, a
		case 2, 4:
			c.addPoint(b, a, b, d)
			c.dupPoint(a, a)
		case 3:
			c.addPoint(t, b, a, d)
			b, t, d = t, d, b
		case 5:
			c.addPoint(d, d, a, b)
			c.dupPoint(a, a)
		case 6:
			c.dupPoint(t, a)
			c.addPoint(t2, a, b, d)
			c.addPoint(a, t, a, a)
			c.addPoint(t, t, t2, d)
			d, b, t = b, t, d
		case 7:
			c.addPoint(t, a, b, d)
			c.addPoint(b, t, a, b)
			c.dupPoint(t, a)
			c.addPoint(a, a, t, a)
		case 8:
			c.addPoint(t, a, b, d)
			c.addPoint(d, d, a, b)
			b, t = t, b
			c.dupPoint(t, a)
			c.addPoint(a, a, t, a)
		case 9:
			c.addPoint(d, d, b, a)
			c.dupPoint(b, b)
		case opEnd:
			c.addPoint(a, a, b, d)
		case opSwap:
			a, b = b, a
		case opDup:
			c.dupPoint(a, a)
		}
	}
	return a
}

// suyama sets up the curve of Suyama's parameter sigma, whose order is a
// multiple of 12, and returns its point. If a division fails, d is a factor of
// n, perhaps n itself, and there is no curve.
func (c *curveN) suyama(sigma uint64) (p pointN, d *big.Int) {
	n := c.Mod
	s := new(big.Int).SetUint64(sigma)
	s.Mod(s, n)
	u := new(big.Int).Mul(s, s)
	u.Sub(u, big.NewInt(5)).Mod(u, n)
	v := new(big.Int).Lsh(s, 2)
	v.Mod(v, n)
	u3 := cube(u, n)
	v3 := cube(v, n)
	// (A+2)/4 = (v-u)^3 (3u+v) / (16 u^3 v); x = u^3 / v^3.
	t := new(big.Int).Lsh(u3, 4)
	t.Mul(t, v3).Mod(t, n)
	inv := new(big.Int).ModInverse(t, n)
	if inv == nil {
		return p, new(big.Int).GCD(nil, nil, t, n)
	}
	w := new(big.Int).Sub(v, u)
	a := cube(w.Mod(w, n), n)
	w.Mul(u, big.NewInt(3)).Add(w, v)
	a.Mul(a, w).Mod(a, n)
	w.Mul(v, v).Mul(w, inv)
	a.Mul(a, w).Mod(a, n)
	c.To(c.a24, a)
	p = c.point()
	w.Mul(u3, u3).Lsh(w, 4).Mul(w, inv).Mod(w, n)
	c.To(c.x(p), w)
	copy(c.z(p), c.One)
	return p, nil
}

// cube returns x^3 mod n.
func cube(x, n *big.Int) *big.Int {
	t := new(big.Int).Mul(x, x)
	t.Mod(t, n).Mul(t, x)
	return t.Mod(t, n)
}

// affine returns X/Z of p; if that does not exist, d is gcd(Z, n) > 1.
func (c *curveN) affine(p pointN) (x, d *big.Int) {
	z := c.From(c.z(p))
	inv := new(big.Int).ModInverse(z, c.Mod)
	if inv == nil {
		return nil, new(big.Int).GCD(nil, nil, z, c.Mod)
	}
	x = c.From(c.x(p))
	x.Mul(x, inv)
	return x.Mod(x, c.Mod), nil
}
