package ecpp

import (
	"math/big"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/certificate"
)

// mostPoints bounds the points that are tried for a step. One in two is on the right
// twist of the curve, one in six where D = -3.
const mostPoints = 200

// curve is y^2 = x^3 + a x + b modulo n; b follows from a point.
type curve struct {
	*field
	a    []uint64
	t, u [4][]uint64 // scratch
}

// point is (X/Z^2, Y/Z^3); infinite if Z is 0.
type point struct{ x, y, z []uint64 }

// step returns the step of a certificate for the order o: a curve with that many points, and a
// point of it of an order that q divides. It returns nil if it finds none, since n is not prime,
// or if the work is to stop.
func (p *Prover) step(o *order) *certificate.Step {
	f := newField(o.n)
	a, b := p.coefficients(f, o.d)
	if a == nil {
		return nil
	}
	c := &curve{field: f}
	for i := range c.t {
		c.t[i], c.u[i] = f.elements(1), f.elements(1)
	}
	symbol := 0 // of the numbers that lead to the other twist, once it is known
	for i := uint64(0); i < mostPoints; i++ {
		if p.Poll() {
			return nil
		}
		x := f.random(i)
		at, px, py, twist := onTwist(f.n, o.d.d, a, b, x, f.random(i+mostPoints))
		if twist == 0 || twist == symbol {
			continue
		}
		if c.a = f.of(at); !c.proves(px, py, o) {
			if o.d.d < -4 {
				symbol = twist
			}
			continue
		}
		return &certificate.Step{N: o.n, T: o.t, S: o.s, A: at, X: px, Y: py}
	}
	return nil
}

// coefficients returns a and b of a curve modulo n with complex multiplication by d: of one
// with the invariant j, a = 3k and b = 2k with k = j/(1728 - j). They are nil if n proves not to be prime.
func (p *Prover) coefficients(f *field, d *discriminant) (a, b *big.Int) {
	switch d.d {
	case -3:
		return new(big.Int), big.NewInt(1)
	case -4:
		return big.NewInt(1), new(big.Int)
	}
	class := p.class(d.d)
	if class == nil {
		return nil, nil
	}
	j := p.someRoot(f, class)
	if j == nil {
		return nil, nil
	}
	k := new(big.Int).Sub(big.NewInt(1728), j)
	if k.ModInverse(k.Mod(k, f.n), f.n) == nil {
		return nil, nil
	}
	k.Mul(k, j).Mod(k, f.n)
	a, b = new(big.Int).Mul(k, big.NewInt(3)), new(big.Int).Lsh(k, 1)
	return a.Mod(a, f.n), b.Mod(b, f.n)
}

// onTwist returns a twist of the curve with a and b, and a point on it, from numbers that
// stand for random ones. If v = x^3 + a x + b, the point (x v, v^2) is on the curve with a v^2 and
// b v^3. Where a or b is 0, other twists are there as well, and any (x, y) is on one. The
// symbol of v tells the two twists apart; it is 0 if the numbers are of no use.
func onTwist(n *big.Int, d int, a, b, x, y *big.Int) (at, px, py *big.Int, symbol int) {
	switch d {
	case -3:
		return new(big.Int), x.Mod(x, n), y.Mod(y, n), 1
	case -4:
		inverse := new(big.Int).ModInverse(x, n)
		if inverse == nil {
			return nil, nil, nil, 0
		}
		at = new(big.Int).Mul(y, y)
		at.Mul(at, inverse).Sub(at, new(big.Int).Mul(x, x))
		return at.Mod(at, n), x.Mod(x, n), y.Mod(y, n), 1
	}
	v := new(big.Int).Mul(x, x)
	v.Add(v, a).Mul(v, x).Add(v, b).Mod(v, n)
	px, py = new(big.Int).Mul(x, v), new(big.Int).Mul(v, v)
	at = new(big.Int).Mul(a, py.Mod(py, n))
	return at.Mod(at, n), px.Mod(px, n), py, big.Jacobi(v, n)
}

// proves reports whether s q times the point is infinite and s times is not.
func (c *curve) proves(x, y *big.Int, o *order) bool {
	p := point{c.of(x), c.of(y), c.One}
	p = c.multiple(p, o.s)
	if arith.IsZero(p.z) {
		return false
	}
	z := c.inverse(p.z)
	if z == nil {
		return false
	}
	z2 := c.elements(1)
	c.Square(z2, z)
	c.Mul(p.x, p.x, z2)
	c.Mul(z2, z2, z)
	c.Mul(p.y, p.y, z2)
	copy(p.z, c.One)
	return arith.IsZero(c.multiple(p, o.q).z)
}

// multiple returns e > 0 times the point p with z = 1.
func (c *curve) multiple(p point, e *big.Int) point {
	r := point{c.elements(1), c.elements(1), c.elements(1)}
	copy(r.x, p.x)
	copy(r.y, p.y)
	copy(r.z, c.One)
	for i := e.BitLen() - 2; i >= 0; i-- {
		c.double(r)
		if e.Bit(i) == 1 {
			c.add(r, p)
		}
	}
	return r
}

// double sets p to 2p: Cohen, Miyaji, Ono, "Efficient elliptic curve exponentiation using mixed
// coordinates", Asiacrypt '98, section 2.2.
func (c *curve) double(p point) {
	y2, s, m, t := c.t[0], c.t[1], c.t[2], c.t[3]
	c.Square(y2, p.y)
	c.Mul(s, p.x, y2)
	c.Add(s, s, s)
	c.Add(s, s, s) // 4 x y^2
	c.Square(t, p.z)
	c.Square(t, t)
	c.Mul(t, t, c.a)
	c.Square(m, p.x)
	c.Add(t, t, m)
	c.Add(t, t, m)
	c.Add(m, m, t) // 3 x^2 + a z^4
	c.Mul(p.z, p.y, p.z)
	c.Add(p.z, p.z, p.z)
	c.Square(p.x, m)
	c.Sub(p.x, p.x, s)
	c.Sub(p.x, p.x, s)
	c.Square(y2, y2)
	c.Add(y2, y2, y2)
	c.Add(y2, y2, y2)
	c.Add(y2, y2, y2) // 8 y^4
	c.Sub(s, s, p.x)
	c.Mul(p.y, m, s)
	c.Sub(p.y, p.y, y2)
}

// add sets p to p + q with q.z = 1.
func (c *curve) add(p, q point) {
	if arith.IsZero(p.z) {
		copy(p.x, q.x)
		copy(p.y, q.y)
		copy(p.z, c.One)
		return
	}
	h, r, t, v := c.u[0], c.u[1], c.u[2], c.u[3]
	c.Square(t, p.z)
	c.Mul(h, q.x, t)
	c.Sub(h, h, p.x)
	c.Mul(t, t, p.z)
	c.Mul(r, q.y, t)
	c.Sub(r, r, p.y)
	if arith.IsZero(h) && arith.IsZero(r) {
		c.double(p)
		return
	}
	c.Mul(p.z, p.z, h)
	c.Square(t, h)
	c.Mul(v, p.x, t)
	c.Mul(t, t, h)
	c.Square(p.x, r)
	c.Sub(p.x, p.x, t)
	c.Sub(p.x, p.x, v)
	c.Sub(p.x, p.x, v)
	c.Sub(v, v, p.x)
	c.Mul(v, v, r)
	c.Mul(t, t, p.y)
	c.Sub(p.y, v, t)
}
