package factor

// point128 is a point X:Z of a Montgomery curve.
type point128 struct{ x, z wide }

// curve128 is a Montgomery curve modulo a number of two words.
type curve128 struct {
	*mont128
	a24 wide // (A+2)/4
}

// bounds are those of a whole curve: stage 1 to b1, stage 2 to b2.
type bounds struct{ b1, b2 uint64 }

// curveWide runs curve number i of the family of seed modulo n and returns a
// divisor of n, perhaps 1 or n.
func (r *ecmRunner) curveWide(m *mont128, seed, i uint64, b bounds, step uint64) wide {
	c := curve128{mont128: m}
	p, d := c.suyama(sigma(seed, i))
	if d != (wide{0, 1}) {
		return d
	}
	p = c.run(r.poller, r.tables.chain(b.b1, 0, b.b1+1), p)
	if r.stopped() {
		return wide{0, 1}
	}
	inv, d, ok := m.inverse(p.z)
	if !ok {
		return d
	}
	return c.stage2(r, r.tables.pair(step, b.b1+1, b.b2), m.mul(p.x, inv))
}

// microWide runs one curve with the small bounds of l and returns a divisor of
// n, perhaps 1 or n; see twins.stage2.
func (m *mont128) microWide(r *ecmRunner, l *micro, sigma uint64) wide {
	c := curve128{mont128: m}
	q, d := c.suyama(sigma)
	if d != (wide{0, 1}) {
		return d
	}
	q = c.run(r.poller, l.chain, q)
	if d := m.n.gcd(q.z); d != (wide{0, 1}) {
		return d
	}
	pts := c.multiples(r.points[:0], &q, 60, 8)
	r.points = pts
	babies := (*[8]point128)(pts)
	var xz [8]wide
	for i, b := range babies {
		xz[i] = m.mul(b.x, b.z)
	}
	step, _ := c.ladder(60, &q)
	prev, cur := c.ladder(l.pairs.first, &step)
	acc, start := m.one, uint32(0)
	for _, end := range l.pairs.ends {
		gxz := m.mul(prev.x, prev.z)
		for _, j := range l.pairs.hits[start:end] {
			b := &babies[j&7]
			t := m.mul(m.sub(prev.x, b.x), m.add(prev.z, b.z))
			acc = m.mul(acc, m.add(m.sub(t, gxz), xz[j&7]))
		}
		start = end
		prev, cur = cur, c.addPoint(&cur, &step, &prev)
	}
	return m.n.gcd(acc)
}

// suyama sets up the curve of Suyama's parameter and returns its point; if
// there is none, d > 1 is a divisor of n.
func (c *curve128) suyama(sigma uint64) (p point128, d wide) {
	m := c.mont128
	s := m.to(wide{0, sigma})
	two := m.add(m.one, m.one)
	four := m.add(two, two)
	u := m.sub(m.mul(s, s), m.add(four, m.one))
	v := m.mul(four, s)
	u3 := m.mul(m.mul(u, u), u)
	p = point128{u3, m.mul(m.mul(v, v), v)}
	w := m.sub(v, u)
	a := m.mul(m.mul(w, w), w)
	a = m.mul(a, m.add(m.add(u, v), m.add(u, u)))
	b := m.mul(m.mul(u3, v), m.mul(four, four))
	inv, d, ok := m.inverse(b)
	if !ok {
		return p, d
	}
	c.a24 = m.mul(a, inv)
	return p, wide{0, 1}
}

// addPoint returns p + q, where d = p - q.
//
//go:norace
func (c *curve128) addPoint(p, q, d *point128) point128 {
	m := c.mont128
	u := m.mul(m.sub(p.x, p.z), m.add(q.x, q.z))
	v := m.mul(m.add(p.x, p.z), m.sub(q.x, q.z))
	s, t := m.add(u, v), m.sub(u, v)
	return point128{m.mul(m.mul(s, s), d.z), m.mul(m.mul(t, t), d.x)}
}

// dupPoint returns 2p.
//
//go:norace
func (c *curve128) dupPoint(p *point128) point128 {
	m := c.mont128
	s, t := m.add(p.x, p.z), m.sub(p.x, p.z)
	s, t = m.mul(s, s), m.mul(t, t)
	w := m.sub(s, t)
	return point128{m.mul(s, t), m.mul(w, m.add(t, m.mul(w, c.a24)))}
}

// pollWide is how many operations of a chain, 60 ns each, run between two looks
// at stop.
const pollWide = 50_000

// run multiplies a by the number that code stands for; see curveN.run.
func (c *curve128) run(r *poller, code []byte, a point128) point128 {
	var b, d, t, t2 point128
	for i, op := range code {
		if i%pollWide == pollWide-1 && r.poll() {
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
func (c *curve128) stage2(r *ecmRunner, pr *pairing, x wide) wide {
	m := c.mont128
	q := point128{x, m.one}
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
	if d := r.normalise(m, pts); d != (wide{0, 1}) {
		return d
	}
	acc, start := m.one, uint32(0)
	babies := pts[:giants]
	for i, end := range pr.ends {
		g := pts[giants+i].x
		for _, j := range pr.hits[start:end] {
			acc = m.mul(acc, m.sub(g, babies[j].x))
		}
		start = end
		if i&63 == 63 && r.poll() {
			return wide{0, 1}
		}
	}
	return m.n.gcd(m.from(acc))
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
			if gcd64(j+4*uint64(i), D) == 1 {
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
	for i := (wide{0, k}).len() - 2; i >= 0; i-- {
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
func (r *ecmRunner) normalise(m *mont128, pts []point128) (d wide) {
	prod := m.one
	prefix := r.prefix[:0]
	for i := range pts {
		prefix = append(prefix, prod)
		prod = m.mul(prod, pts[i].z)
	}
	r.prefix = prefix
	rest, d, ok := m.inverse(prod)
	if !ok {
		for i := range pts {
			if d != m.n {
				break
			}
			if g := m.n.gcd(m.from(pts[i].z)); g != (wide{0, 1}) {
				d = g
			}
		}
		return d
	}
	for i := len(pts) - 1; i >= 0; i-- {
		pts[i].x = m.mul(pts[i].x, m.mul(prefix[i], rest))
		rest = m.mul(rest, pts[i].z)
	}
	return wide{0, 1}
}
