package ecm

import (
	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/stop"
)

// point128 is a point X:Z of a Montgomery curve.
type point128 struct{ x, z arith.Uint128 }

// curve128 is a Montgomery curve modulo a number of two words.
type curve128 struct {
	*arith.Mont128
	a24 arith.Uint128 // (A+2)/4
}

// bounds are those of a whole curve: stage 1 to b1, stage 2 to b2.
type bounds struct{ b1, b2 uint64 }

// wholeCurve128 runs curve number i of the family of seed modulo n and returns a
// divisor of n, perhaps 1 or n.
func (r *Runner) wholeCurve128(m *arith.Mont128, seed, i uint64, b bounds, step uint64) arith.Uint128 {
	c := curve128{Mont128: m}
	p, d := c.suyama(arith.Mix(seed, i))
	if d != (arith.Uint128{Lo: 1}) {
		return d
	}
	p = c.run(r.Poller, r.tables.chain(b.b1, 0, b.b1+1), p)
	if r.Stopped() {
		return arith.Uint128{Lo: 1}
	}
	inv, d, ok := m.Inverse(p.z)
	if !ok {
		return d
	}
	return c.stage2(r, r.tables.pair(step, b.b1+1, b.b2), m.Mul(p.x, inv))
}

// smallCurve128 runs one curve with the small bounds of l and returns a divisor of
// n, perhaps 1 or n; see curveTrio.stage2.
func (r *Runner) smallCurve128(m *arith.Mont128, l *curvePlan, sigma uint64) arith.Uint128 {
	c := curve128{Mont128: m}
	q, d := c.suyama(sigma)
	if d != (arith.Uint128{Lo: 1}) {
		return d
	}
	q = c.run(r.Poller, l.chain, q)
	if d := m.N.GCD(q.z); d != (arith.Uint128{Lo: 1}) {
		return d
	}
	pts := c.multiples(r.points[:0], &q, 60, 8)
	r.points = pts
	babies := (*[8]point128)(pts)
	var xz [8]arith.Uint128
	for i, b := range babies {
		xz[i] = m.Mul(b.x, b.z)
	}
	step, _ := c.ladder(60, &q)
	prev, cur := c.ladder(l.pairs.first, &step)
	acc, start := m.One, uint32(0)
	for _, end := range l.pairs.ends {
		gxz := m.Mul(prev.x, prev.z)
		for _, j := range l.pairs.hits[start:end] {
			b := &babies[j&7]
			t := m.Mul(m.Sub(prev.x, b.x), m.Add(prev.z, b.z))
			acc = m.Mul(acc, m.Add(m.Sub(t, gxz), xz[j&7]))
		}
		start = end
		prev, cur = cur, c.addPoint(&cur, &step, &prev)
	}
	return m.N.GCD(acc)
}

// suyama sets up the curve of Suyama's parameter and returns its point. If
// it does not exist modulo n, d > 1 is a divisor of n.
func (c *curve128) suyama(sigma uint64) (p point128, d arith.Uint128) {
	m := c.Mont128
	s := m.To(arith.Uint128{Lo: sigma})
	two := m.Add(m.One, m.One)
	four := m.Add(two, two)
	u := m.Sub(m.Mul(s, s), m.Add(four, m.One))
	v := m.Mul(four, s)
	u3 := m.Mul(m.Mul(u, u), u)
	p = point128{u3, m.Mul(m.Mul(v, v), v)}
	w := m.Sub(v, u)
	a := m.Mul(m.Mul(w, w), w)
	a = m.Mul(a, m.Add(m.Add(u, v), m.Add(u, u)))
	b := m.Mul(m.Mul(u3, v), m.Mul(four, four))
	inv, d, ok := m.Inverse(b)
	if !ok {
		return p, d
	}
	c.a24 = m.Mul(a, inv)
	return p, arith.Uint128{Lo: 1}
}

// addPoint returns p + q, where d = p - q.
//
//go:norace
func (c *curve128) addPoint(p, q, d *point128) point128 {
	m := c.Mont128
	u := m.Mul(m.Sub(p.x, p.z), m.Add(q.x, q.z))
	v := m.Mul(m.Add(p.x, p.z), m.Sub(q.x, q.z))
	s, t := m.Add(u, v), m.Sub(u, v)
	return point128{m.Mul(m.Mul(s, s), d.z), m.Mul(m.Mul(t, t), d.x)}
}

// dupPoint returns 2p.
//
//go:norace
func (c *curve128) dupPoint(p *point128) point128 {
	m := c.Mont128
	s, t := m.Add(p.x, p.z), m.Sub(p.x, p.z)
	s, t = m.Mul(s, s), m.Mul(t, t)
	w := m.Sub(s, t)
	return point128{m.Mul(s, t), m.Mul(w, m.Add(t, m.Mul(w, c.a24)))}
}

// poll128 is how many operations of a chain, 60 ns each, run between two looks
// at stop.
const poll128 = 50_000

// run multiplies a by the number that code stands for; see curveN.run.
func (c *curve128) run(r *stop.Poller, code []byte, a point128) point128 {
	var b, d, t, t2 point128
	for i, op := range code {
		if i%poll128 == poll128-1 && r.Poll() {
			break
		}
		switch op {
		case opStart:
			b, d = a, a
			a = c.dupPoint(&a)
		case 1:
			t = c.addPoint(&a, &b, &d)
			t2 = c.addPoint(&t, &a, &b)
			b = c.addPoint(&b, &t, &a)
			a = t2
		case 2, 4:
			b = c.addPoint(&a, &b, &d)
			a = c.dupPoint(&a)
		case 3:
			b, d = c.addPoint(&b, &a, &d), b
		case 5:
			d = c.addPoint(&d, &a, &b)
			a = c.dupPoint(&a)
		case 6:
			t = c.dupPoint(&a)
			t2 = c.addPoint(&a, &b, &d)
			a = c.addPoint(&t, &a, &a)
			b, d = c.addPoint(&t, &t2, &d), b
		case 7:
			t = c.addPoint(&a, &b, &d)
			b = c.addPoint(&t, &a, &b)
			t = c.dupPoint(&a)
			a = c.addPoint(&a, &t, &a)
		case 8:
			t = c.addPoint(&a, &b, &d)
			d = c.addPoint(&d, &a, &b)
			b = t
			t = c.dupPoint(&a)
			a = c.addPoint(&a, &t, &a)
		case 9:
			d = c.addPoint(&d, &b, &a)
			b = c.dupPoint(&b)
		case opEnd:
			a = c.addPoint(&a, &b, &d)
		case opSwap:
			a, b = b, a
		case opDup:
			a = c.dupPoint(&a)
		}
	}
	return a
}

// stage2 looks for a prime of the pairing that, times the point with affine
// coordinate x, is the neutral element modulo a factor of n, and returns that
// divisor, perhaps 1 or n; see curveN.stage2.
//
//go:norace
func (c *curve128) stage2(r *Runner, pr *pairing, x arith.Uint128) arith.Uint128 {
	m := c.Mont128
	q := point128{x, m.One}
	pts := r.points[:0]
	pts = c.multiples(pts, &q, pr.D, len(pr.babies))
	giants := len(pts)
	step, _ := c.ladder(pr.D, &q)
	prev, cur := c.ladder(pr.first, &step)
	for range pr.ends {
		pts = append(pts, prev)
		prev, cur = cur, c.addPoint(&cur, &step, &prev)
	}
	r.points = pts
	if d := r.normalise(m, pts); d != (arith.Uint128{Lo: 1}) {
		return d
	}
	acc, start := m.One, uint32(0)
	babies := pts[:giants]
	for i, end := range pr.ends {
		g := pts[giants+i].x
		for _, j := range pr.hits[start:end] {
			acc = m.Mul(acc, m.Sub(g, babies[j].x))
		}
		start = end
		if i&63 == 63 && r.Poll() {
			return arith.Uint128{Lo: 1}
		}
	}
	return m.N.GCD(m.From(acc))
}

// multiples appends j*q for the count smallest j coprime to D; see
// curveN.multiples.
func (c *curve128) multiples(out []point128, q *point128, D uint64, count int) []point128 {
	p2 := c.dupPoint(q)
	p3 := c.addPoint(&p2, q, q)
	p5 := c.addPoint(&p3, &p2, q)
	p6 := c.dupPoint(&p3)
	p7 := c.addPoint(&p6, q, &p5)
	p11 := c.addPoint(&p6, &p5, q)
	w := [2][2]point128{{*q, p7}, {p5, p11}}
	for j := uint64(1); ; j += 6 {
		for i := range w {
			if arith.GCD64(j+4*uint64(i), D) == 1 {
				out = append(out, w[i][0])
			}
			if len(out) == count {
				return out
			}
			w[i][0], w[i][1] = w[i][1], c.addPoint(&w[i][1], &p6, &w[i][0])
		}
	}
}

// ladder returns k*p and (k+1)*p for k >= 1.
func (c *curve128) ladder(k uint64, p *point128) (a, b point128) {
	a, b = *p, c.dupPoint(p)
	for i := (arith.Uint128{Lo: k}).Len() - 2; i >= 0; i-- {
		if k>>i&1 == 1 {
			a, b = c.addPoint(&a, &b, p), c.dupPoint(&b)
		} else {
			a, b = c.dupPoint(&a), c.addPoint(&a, &b, p)
		}
	}
	return a, b
}

// normalise brings all points to Z = 1 with one inversion; Z is then scratch.
// If it fails, it returns a divisor of n above 1.
func (r *Runner) normalise(m *arith.Mont128, pts []point128) (d arith.Uint128) {
	prod := m.One
	prefix := r.prefix[:0]
	for i := range pts {
		prefix = append(prefix, prod)
		prod = m.Mul(prod, pts[i].z)
	}
	r.prefix = prefix
	rest, d, ok := m.Inverse(prod)
	if !ok {
		for i := range pts {
			if d != m.N {
				break
			}
			if g := m.N.GCD(m.From(pts[i].z)); g != (arith.Uint128{Lo: 1}) {
				d = g
			}
		}
		return d
	}
	for i := len(pts) - 1; i >= 0; i-- {
		pts[i].x = m.Mul(pts[i].x, m.Mul(prefix[i], rest))
		rest = m.Mul(rest, pts[i].z)
	}
	return arith.Uint128{Lo: 1}
}
