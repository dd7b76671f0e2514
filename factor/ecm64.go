package factor

// micro are the bounds of the curves of the smallest sizes, with what depends on
// them. Stage 2 goes to 25 B1 or so with a giant step of 60.
type micro struct {
	b1    uint64
	chain []byte
	pairs *pairing
}

// microB1 are the stage 1 bounds of the smallest sizes.
var microB1 = [...]uint64{30, 47, 70, 85, 125, 165, 205}

// microLevels are the levels of microB1.
var microLevels = func() (t [len(microB1)]micro) {
	var tb tables
	for i, b1 := range microB1 {
		t[i] = micro{b1, tb.chain(b1, 0, b1+1), newPairing(60, b1+1, 25*b1)}
	}
	return t
}()

// microTwins is how many twin curves are tried before rho takes over: a handful
// of numbers in a million get there. From sieveBits on the quadratic sieve is
// faster than curves if the factors are of like size; there microBefore twin
// curves look for smaller ones.
const (
	microTwins  = 24
	microBefore = 3
	sieveBits   = 62
)

// microRamp says how far up microLevels the first curves go: small factors are
// likely in what trial division leaves.
var microRamp = [...]int{0, 2, len(microB1) - 1}

// ecm64 returns a proper factor of n, an odd composite that is not a power,
// below 2^64 and of that many bits, or 1 if count twin curves do not find one.
func ecm64(n uint64, size, count int) uint64 {
	m := twins{mont64: newMont64(n), loose: size <= looseBits, semi: size <= semiBits}
	last := microLevel(size)
	for i := range count {
		l := &microLevels[min(microRamp[min(i, len(microRamp)-1)], last)]
		if d := m.curves(l, uint64(2*i)); d != 1 && d != n {
			return d
		}
	}
	return 1
}

// microLevel returns the index of microB1 for a number of that many bits whose
// factors are of like size.
func microLevel(size int) int {
	switch {
	case size <= 40:
		return 0
	case size <= 44:
		return 1
	case size <= 48:
		return 2
	case size <= 52:
		return 3
	case size <= 58:
		return 4
	case size <= 62:
		return 5
	}
	return 6
}

// twins runs two curves in step: the multiplications of one curve wait for each
// other, those of the other fill the gaps, so that two take little longer than
// one.
//
// The smaller n, the fewer reductions are needed. Below 2^looseBits there are
// none: a sum or difference of two residues below 2n is below 4n, the product of
// two such is below n*2^64, and its Montgomery reduction is below 2n again. Below
// 2^semiBits products are reduced below n, sums and differences stay below 2n.
type twins struct {
	mont64
	loose, semi bool
	a24         [2]uint64 // (A+2)/4 of the curves
}

const (
	looseBits = 60 // 4n * 4n < n * 2^64
	semiBits  = 62 // 2n * 2n < n * 2^64
)

// point64 is a point X:Z of a Montgomery curve.
type point64 struct{ x, z uint64 }

// twin64 are the points of both curves.
type twin64 [2]point64

// curves runs curves number i and i+1 and returns a divisor of n, perhaps 1 or n.
func (m *twins) curves(l *micro, i uint64) uint64 {
	q, d := m.suyama(sigma(quickSeed, i), sigma(quickSeed, i+1))
	if d != 1 {
		return d
	}
	m.run(l.chain, &q)
	if d := m.divisor(q[0].z, q[1].z); d != 1 {
		return d
	}
	return m.divisor(m.stage2(l.pairs, &q))
}

// divisor returns a common divisor of n and one of the residues, a proper one
// if it can.
func (m *twins) divisor(a, b uint64) uint64 {
	d := gcd64(m.strict(m.product(a, b)), m.n)
	if d == m.n {
		if d = gcd64(m.strict(a), m.n); d == 1 || d == m.n {
			d = gcd64(m.strict(b), m.n)
		}
	}
	return d
}

// strict returns the residue below n of a < 2n.
func (m *twins) strict(a uint64) uint64 {
	if a >= m.n {
		a -= m.n
	}
	return a
}

// product returns a*b/R modulo n: below n, or below 2n if loose.
func (m *twins) product(a, b uint64) uint64 {
	if m.loose {
		return m.loosely(a, b)
	}
	return m.mul(a, b)
}

// suyama returns the points of the curves of Suyama's parameters s and t; if
// there are none, d > 1 is a divisor of n.
func (m *twins) suyama(s, t uint64) (p twin64, d uint64) {
	var num, den [2]uint64
	for i, s := range [...]uint64{s, t} {
		s := m.to(s)
		two := m.mont64.add(m.one, m.one)
		four := m.mont64.add(two, two)
		u := m.sub(m.mul(s, s), m.mont64.add(four, m.one))
		v := m.mul(four, s)
		u3 := m.mul(m.mul(u, u), u)
		p[i] = point64{u3, m.mul(m.mul(v, v), v)}
		w := m.sub(v, u)
		a := m.mul(m.mul(w, w), w)
		num[i] = m.mul(a, m.mont64.add(m.mont64.add(u, v), m.mont64.add(u, u)))
		den[i] = m.mul(m.mul(u3, v), m.mul(four, four))
	}
	inv, d := inverse64(m.from(m.mul(den[0], den[1])), m.n)
	if d != 1 {
		return p, d
	}
	inv = m.to(inv)
	m.a24[0] = m.mul(num[0], m.mul(inv, den[1]))
	m.a24[1] = m.mul(num[1], m.mul(inv, den[0]))
	return p, 1
}

// inverse64 returns 1/a mod n and d = gcd(a, n) for a < n; the inverse is
// meaningless unless d = 1.
func inverse64(a, n uint64) (inv, d uint64) {
	u, v := n, a
	x, y := uint64(0), uint64(1) // signs alternate
	odd := false
	for v != 0 {
		q := u / v
		u, v = v, u-q*v
		x, y = y, x+q*y
		odd = !odd
	}
	if odd {
		return x, u
	}
	return n - x, u
}

// add sets r to p + q, where d = p - q, on both curves.
//
//go:norace
func (m *twins) add(r, p, q, d *twin64) {
	if m.loose {
		n2 := 2 * m.n
		for i := range r {
			u := m.loosely(p[i].x-p[i].z+n2, q[i].x+q[i].z)
			v := m.loosely(p[i].x+p[i].z, q[i].x-q[i].z+n2)
			s, t := u+v, u-v+n2
			dx, dz := d[i].x, d[i].z
			r[i] = point64{m.loosely(m.loosely(s, s), dz), m.loosely(m.loosely(t, t), dx)}
		}
		return
	}
	if m.semi {
		n := m.n
		for i := range r {
			u := m.mul(p[i].x-p[i].z+n, q[i].x+q[i].z)
			v := m.mul(p[i].x+p[i].z, q[i].x-q[i].z+n)
			s, t := u+v, u-v+n
			dx, dz := d[i].x, d[i].z
			r[i] = point64{m.mul(m.mul(s, s), dz), m.mul(m.mul(t, t), dx)}
		}
		return
	}
	for i := range r {
		u := m.mul(m.sub(p[i].x, p[i].z), m.mont64.add(q[i].x, q[i].z))
		v := m.mul(m.mont64.add(p[i].x, p[i].z), m.sub(q[i].x, q[i].z))
		s, t := m.mont64.add(u, v), m.sub(u, v)
		dx, dz := d[i].x, d[i].z
		r[i] = point64{m.mul(m.mul(s, s), dz), m.mul(m.mul(t, t), dx)}
	}
}

// dup sets r to 2p on both curves.
//
//go:norace
func (m *twins) dup(r, p *twin64) {
	if m.loose {
		n2 := 2 * m.n
		for i := range r {
			s, t := p[i].x+p[i].z, p[i].x-p[i].z+n2
			s, t = m.loosely(s, s), m.loosely(t, t)
			w := s - t + n2
			r[i] = point64{m.loosely(s, t), m.loosely(w, t+m.loosely(w, m.a24[i]))}
		}
		return
	}
	if m.semi {
		n := m.n
		for i := range r {
			s, t := p[i].x+p[i].z, p[i].x-p[i].z+n
			s, t = m.mul(s, s), m.mul(t, t)
			w := s - t + n
			r[i] = point64{m.mul(s, t), m.mul(w, t+m.mul(w, m.a24[i]))}
		}
		return
	}
	for i := range r {
		s, t := m.mont64.add(p[i].x, p[i].z), m.sub(p[i].x, p[i].z)
		s, t = m.mul(s, s), m.mul(t, t)
		w := m.sub(s, t)
		r[i] = point64{m.mul(s, t), m.mul(w, m.mont64.add(t, m.mul(w, m.a24[i])))}
	}
}

// run multiplies a by the number that code stands for; see curveN.run.
func (m *twins) run(code []byte, a *twin64) {
	var b, c, t, t2 twin64
	for _, op := range code {
		switch op {
		case opStart:
			b, c = *a, *a
			m.dup(a, a)
		case 1:
			m.add(&t, a, &b, &c)
			m.add(&t2, &t, a, &b)
			m.add(&b, &b, &t, a)
			*a = t2
		case 2, 4:
			m.add(&b, a, &b, &c)
			m.dup(a, a)
		case 3:
			t = b
			m.add(&b, &b, a, &c)
			c = t
		case 5:
			m.add(&c, &c, a, &b)
			m.dup(a, a)
		case 6:
			m.dup(&t, a)
			m.add(&t2, a, &b, &c)
			m.add(a, &t, a, a)
			m.add(&t, &t, &t2, &c)
			b, c = t, b
		case 7:
			m.add(&t, a, &b, &c)
			m.add(&b, &t, a, &b)
			m.dup(&t, a)
			m.add(a, a, &t, a)
		case 8:
			m.add(&t, a, &b, &c)
			m.add(&c, &c, a, &b)
			b = t
			m.dup(&t, a)
			m.add(a, a, &t, a)
		case 9:
			m.add(&c, &c, &b, a)
			m.dup(&b, &b)
		case opEnd:
			m.add(a, a, &b, &c)
		case opSwap:
			*a, b = b, *a
		case opDup:
			m.dup(a, a)
		}
	}
}

// stage2 returns for each curve a residue that has a factor of n in common with
// n if a prime of the pairing, times q, is the neutral element modulo that
// factor. A pair costs two multiplications: Xg Zb - Xb Zg = (Xg-Xb)(Zg+Zb) - Xg
// Zg + Xb Zb.
//
//go:norace
func (m *twins) stage2(pr *pairing, q *twin64) (acc0, acc1 uint64) {
	var babies [8]twin64
	var step twin64
	m.babies60(&babies, &step, q)
	var xz [8][2]uint64
	for i, b := range babies {
		xz[i] = [2]uint64{m.product(b[0].x, b[0].z), m.product(b[1].x, b[1].z)}
	}
	prev, cur := step, step
	m.dup(&cur, &step)
	for range pr.first - 1 {
		next := cur
		m.add(&next, &cur, &step, &prev)
		prev, cur = cur, next
	}
	acc0, acc1 = m.one, m.one
	start := uint32(0)
	for _, end := range pr.ends {
		hits := pr.hits[start:end]
		start = end
		g0, g1 := prev[0], prev[1]
		if m.loose {
			n2 := 2 * m.n
			s0, s1 := n2-m.loosely(g0.x, g0.z), n2-m.loosely(g1.x, g1.z)
			for _, j := range hits {
				b, w := &babies[j&7], &xz[j&7]
				t0 := m.loosely(g0.x-b[0].x+n2, g0.z+b[0].z)
				t1 := m.loosely(g1.x-b[1].x+n2, g1.z+b[1].z)
				acc0 = m.loosely(acc0, t0+s0+w[0])
				acc1 = m.loosely(acc1, t1+s1+w[1])
			}
		} else {
			s0, s1 := m.mul(g0.x, g0.z), m.mul(g1.x, g1.z)
			for _, j := range hits {
				b, w := &babies[j&7], &xz[j&7]
				t0 := m.mul(m.sub(g0.x, b[0].x), m.mont64.add(g0.z, b[0].z))
				t1 := m.mul(m.sub(g1.x, b[1].x), m.mont64.add(g1.z, b[1].z))
				acc0 = m.mul(acc0, m.mont64.add(m.sub(t0, s0), w[0]))
				acc1 = m.mul(acc1, m.mont64.add(m.sub(t1, s1), w[1]))
			}
		}
		next := cur
		m.add(&next, &cur, &step, &prev)
		prev, cur = cur, next
	}
	return acc0, acc1
}

// babies60 sets b to the multiples of q by the numbers below 30 coprime to 60
// and step to 60q.
func (m *twins) babies60(b *[8]twin64, step, q *twin64) {
	var p2, p3, p4, p5, p6 twin64
	m.dup(&p2, q)
	m.add(&p3, &p2, q, q)
	m.dup(&p4, &p2)
	m.add(&p5, &p3, &p2, q)
	m.dup(&p6, &p3)
	b[0] = *q
	m.add(&b[1], &p4, &p3, q)       // 7
	m.add(&b[2], &p6, &p5, q)       // 11
	m.add(&b[3], &b[1], &p6, q)     // 13
	m.add(&b[4], &b[2], &p6, &p5)   // 17
	m.add(&b[5], &b[3], &p6, &b[1]) // 19
	m.add(&b[6], &b[4], &p6, &b[2]) // 23
	m.add(&b[7], &b[6], &p6, &b[4]) // 29
	m.add(step, &b[4], &b[3], &p4)  // 30
	m.dup(step, step)
}
