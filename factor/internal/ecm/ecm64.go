package ecm

import (
	"sync"

	"fairfactor/factor/internal/arith"
)

// curvePlan are the bounds of the curves of the smallest sizes, with what depends on
// them. Stage 2 goes to 25 B1 or so with a giant step of 60.
type curvePlan struct {
	b1    uint64
	chain []byte
	pairs *pairing
}

// smallB1 are the stage 1 bounds of the smallest sizes.
var smallB1 = [...]uint64{30, 47, 70, 85, 125, 165, 205}

// smallPlans are the levels of smallB1.
var smallPlans = sync.OnceValue(func() *[len(smallB1)]curvePlan {
	t := new([len(smallB1)]curvePlan)
	var tb tables
	for i, b1 := range smallB1 {
		t[i] = curvePlan{b1, tb.chain(b1, 0, b1+1), newPairing(60, b1+1, 25*b1)}
	}
	return t
})

// smallRamp says how far up smallPlans the first curves go: small factors are
// likely in what trial division leaves.
var smallRamp = [...]int{0, 2, len(smallB1) - 1}

// Find64 returns a proper factor of n, an odd composite that is not a power,
// below 2^64 and of that many bits, or 1 if count pairs of curves do not find one.
func Find64(n uint64, size, count int) uint64 {
	m := curvePair{Mont64: arith.NewMont64(n), lazy: size <= lazyBits, halfLazy: size <= halfLazyBits}
	last, plans := smallPlanFor(size), smallPlans()
	for i := range count {
		l := &plans[min(smallRamp[min(i, len(smallRamp)-1)], last)]
		if d := m.curves(l, uint64(2*i)); d != 1 && d != n {
			return d
		}
	}
	return 1
}

// smallPlanFor returns the index of smallB1 for a number of that many bits whose
// factors are of like size.
func smallPlanFor(size int) int {
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

// curvePair runs two curves in step: the multiplications of one curve wait for each
// other, those of the other fill the gaps, so that two take little longer than
// one.
//
// The smaller n, the fewer reductions are needed. Below 2^lazyBits there are
// none: a sum or difference of two residues below 2n is below 4n, the product of
// two such is below n*2^64, and its Montgomery reduction is below 2n again. Below
// 2^halfLazyBits products are reduced below n, sums and differences stay below 2n.
type curvePair struct {
	arith.Mont64
	lazy, halfLazy bool
	a24            [2]uint64 // (A+2)/4 of the curves
}

const (
	lazyBits     = 60 // 4n * 4n < n * 2^64
	halfLazyBits = 62 // 2n * 2n < n * 2^64
)

// point64 is a point X:Z of a Montgomery curve.
type point64 struct{ x, z uint64 }

// pairPoint are the points of both curves.
type pairPoint [2]point64

// curves runs curves number i and i+1 and returns a divisor of n, perhaps 1 or n.
func (m *curvePair) curves(l *curvePlan, i uint64) uint64 {
	q, d := m.suyama(arith.Mix(arith.Seed, i), arith.Mix(arith.Seed, i+1))
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
func (m *curvePair) divisor(a, b uint64) uint64 {
	d := arith.GCD64(m.strict(m.product(a, b)), m.N)
	if d == m.N {
		if d = arith.GCD64(m.strict(a), m.N); d == 1 || d == m.N {
			d = arith.GCD64(m.strict(b), m.N)
		}
	}
	return d
}

// strict returns the residue below n of a < 2n.
func (m *curvePair) strict(a uint64) uint64 {
	if a >= m.N {
		a -= m.N
	}
	return a
}

// product returns a*b/R modulo n: below n, or below 2n if loose.
func (m *curvePair) product(a, b uint64) uint64 {
	if m.lazy {
		return m.MulLazy(a, b)
	}
	return m.Mul(a, b)
}

// suyama returns the points of the curves of Suyama's parameters s and t; if
// there are none, d > 1 is a divisor of n.
func (m *curvePair) suyama(s, t uint64) (p pairPoint, d uint64) {
	var num, den [2]uint64
	for i, s := range [...]uint64{s, t} {
		s := m.To(s)
		two := m.Mont64.Add(m.One, m.One)
		four := m.Mont64.Add(two, two)
		u := m.Sub(m.Mul(s, s), m.Mont64.Add(four, m.One))
		v := m.Mul(four, s)
		u3 := m.Mul(m.Mul(u, u), u)
		p[i] = point64{u3, m.Mul(m.Mul(v, v), v)}
		w := m.Sub(v, u)
		a := m.Mul(m.Mul(w, w), w)
		num[i] = m.Mul(a, m.Mont64.Add(m.Mont64.Add(u, v), m.Mont64.Add(u, u)))
		den[i] = m.Mul(m.Mul(u3, v), m.Mul(four, four))
	}
	inv, d := arith.Inverse64(m.From(m.Mul(den[0], den[1])), m.N)
	if d != 1 {
		return p, d
	}
	inv = m.To(inv)
	m.a24[0] = m.Mul(num[0], m.Mul(inv, den[1]))
	m.a24[1] = m.Mul(num[1], m.Mul(inv, den[0]))
	return p, 1
}

// add sets r to p + q, where d = p - q, on both curves.
//
//go:norace
func (m *curvePair) add(r, p, q, d *pairPoint) {
	if m.lazy {
		n2 := 2 * m.N
		for i := range r {
			u := m.MulLazy(p[i].x-p[i].z+n2, q[i].x+q[i].z)
			v := m.MulLazy(p[i].x+p[i].z, q[i].x-q[i].z+n2)
			s, t := u+v, u-v+n2
			dx, dz := d[i].x, d[i].z
			r[i] = point64{m.MulLazy(m.MulLazy(s, s), dz), m.MulLazy(m.MulLazy(t, t), dx)}
		}
		return
	}
	if m.halfLazy {
		n := m.N
		for i := range r {
			u := m.Mul(p[i].x-p[i].z+n, q[i].x+q[i].z)
			v := m.Mul(p[i].x+p[i].z, q[i].x-q[i].z+n)
			s, t := u+v, u-v+n
			dx, dz := d[i].x, d[i].z
			r[i] = point64{m.Mul(m.Mul(s, s), dz), m.Mul(m.Mul(t, t), dx)}
		}
		return
	}
	for i := range r {
		u := m.Mul(m.Sub(p[i].x, p[i].z), m.Mont64.Add(q[i].x, q[i].z))
		v := m.Mul(m.Mont64.Add(p[i].x, p[i].z), m.Sub(q[i].x, q[i].z))
		s, t := m.Mont64.Add(u, v), m.Sub(u, v)
		dx, dz := d[i].x, d[i].z
		r[i] = point64{m.Mul(m.Mul(s, s), dz), m.Mul(m.Mul(t, t), dx)}
	}
}

// dup sets r to 2p on both curves.
//
//go:norace
func (m *curvePair) dup(r, p *pairPoint) {
	if m.lazy {
		n2 := 2 * m.N
		for i := range r {
			s, t := p[i].x+p[i].z, p[i].x-p[i].z+n2
			s, t = m.MulLazy(s, s), m.MulLazy(t, t)
			w := s - t + n2
			r[i] = point64{m.MulLazy(s, t), m.MulLazy(w, t+m.MulLazy(w, m.a24[i]))}
		}
		return
	}
	if m.halfLazy {
		n := m.N
		for i := range r {
			s, t := p[i].x+p[i].z, p[i].x-p[i].z+n
			s, t = m.Mul(s, s), m.Mul(t, t)
			w := s - t + n
			r[i] = point64{m.Mul(s, t), m.Mul(w, t+m.Mul(w, m.a24[i]))}
		}
		return
	}
	for i := range r {
		s, t := m.Mont64.Add(p[i].x, p[i].z), m.Sub(p[i].x, p[i].z)
		s, t = m.Mul(s, s), m.Mul(t, t)
		w := m.Sub(s, t)
		r[i] = point64{m.Mul(s, t), m.Mul(w, m.Mont64.Add(t, m.Mul(w, m.a24[i])))}
	}
}

// run multiplies a by the number that code stands for; see curveN.run.
func (m *curvePair) run(code []byte, a *pairPoint) {
	var b, c, t, t2 pairPoint
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
func (m *curvePair) stage2(pr *pairing, q *pairPoint) (acc0, acc1 uint64) {
	var babies [8]pairPoint
	var step pairPoint
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
	acc0, acc1 = m.One, m.One
	start := uint32(0)
	for _, end := range pr.ends {
		hits := pr.hits[start:end]
		start = end
		g0, g1 := prev[0], prev[1]
		if m.lazy {
			n2 := 2 * m.N
			s0, s1 := n2-m.MulLazy(g0.x, g0.z), n2-m.MulLazy(g1.x, g1.z)
			for _, j := range hits {
				b, w := &babies[j&7], &xz[j&7]
				t0 := m.MulLazy(g0.x-b[0].x+n2, g0.z+b[0].z)
				t1 := m.MulLazy(g1.x-b[1].x+n2, g1.z+b[1].z)
				acc0 = m.MulLazy(acc0, t0+s0+w[0])
				acc1 = m.MulLazy(acc1, t1+s1+w[1])
			}
		} else {
			s0, s1 := m.Mul(g0.x, g0.z), m.Mul(g1.x, g1.z)
			for _, j := range hits {
				b, w := &babies[j&7], &xz[j&7]
				t0 := m.Mul(m.Sub(g0.x, b[0].x), m.Mont64.Add(g0.z, b[0].z))
				t1 := m.Mul(m.Sub(g1.x, b[1].x), m.Mont64.Add(g1.z, b[1].z))
				acc0 = m.Mul(acc0, m.Mont64.Add(m.Sub(t0, s0), w[0]))
				acc1 = m.Mul(acc1, m.Mont64.Add(m.Sub(t1, s1), w[1]))
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
func (m *curvePair) babies60(b *[8]pairPoint, step, q *pairPoint) {
	var p2, p3, p4, p5, p6 pairPoint
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
