package ecm

import "fairfactor/factor/internal/arith"

// trioSpace is scratch of three curves in step.
type trioSpace struct {
	points []trioPoint
	xs     [][lanes]uint64 // of babies and giants
}

// prepare makes room for what l does.
func (m *curveTrio) prepare(l *trioPlan) {
	m.points, m.xs = arith.Resize(m.points, l.points), arith.Resize(m.xs, l.count)
}

// add sets r to p + q, where d = p - q, on all curves.
//
//go:norace
func (m *curveTrio) add(r, p, q, d *trioPoint) {
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

// dup sets r to 2p on all curves.
//
//go:norace
func (m *curveTrio) dup(r, p *trioPoint) {
	if m.lazy {
		n2 := 2 * m.N
		for i := range r {
			s, t := p[i].x+p[i].z, p[i].x-p[i].z+n2
			s, t = m.MulLazy(s, s), m.MulLazy(t, t)
			w := s - t + n2
			t = m.MulLazy(t, m.den[i])
			r[i] = point64{m.MulLazy(s, t), m.MulLazy(w, t+m.MulLazy(w, m.num[i]))}
		}
		return
	}
	if m.halfLazy {
		n := m.N
		for i := range r {
			s, t := p[i].x+p[i].z, p[i].x-p[i].z+n
			s, t = m.Mul(s, s), m.Mul(t, t)
			w := s - t + n
			t = m.Mul(t, m.den[i])
			r[i] = point64{m.Mul(s, t), m.Mul(w, t+m.Mul(w, m.num[i]))}
		}
		return
	}
	for i := range r {
		s, t := m.Mont64.Add(p[i].x, p[i].z), m.Sub(p[i].x, p[i].z)
		s, t = m.Mul(s, s), m.Mul(t, t)
		w := m.Sub(s, t)
		t = m.Mul(t, m.den[i])
		r[i] = point64{m.Mul(s, t), m.Mul(w, m.Mont64.Add(t, m.Mul(w, m.num[i])))}
	}
}

// run does the moves of the plan: points[0] is multiplied by the number of stage 1, and
// the babies and giants are its multiples. A point that is the neutral element modulo a
// factor of n leaves all its multiples so.
func (m *curveTrio) run(l *trioPlan) {
	switch {
	case m.assembly && m.lazy:
		runTrioLazy(&m.points[0], &l.moves[0], len(l.moves), &m.trioWords)
	case m.assembly:
		runTrio(&m.points[0], &l.moves[0], len(l.moves), &m.trioWords)
	default:
		for i := range l.moves {
			v := &l.moves[i]
			r, p := &m.points[v.r/slotSize], &m.points[v.p/slotSize]
			if v.q == isDouble {
				m.dup(r, p)
			} else {
				m.add(r, p, &m.points[v.q/slotSize], &m.points[v.d/slotSize])
			}
		}
	}
}

// level sets xs to X/Z of babies and giants times the product of all Z, which it
// returns, on all curves. So the x of two points are equal if their X/Z are, and all of
// them are zero, but for one at most, modulo a factor that the product has in common with n.
func (m *curveTrio) level(l *trioPlan) (product [lanes]uint64) {
	points := m.points[l.first:][:l.count]
	z, after := [lanes]uint64{1, 1, 1}, [lanes]uint64{1, 1, 1}
	switch {
	case m.assembly && m.lazy:
		prefixTrioLazy(&m.xs[0], &points[0], l.count, &z, &m.trioWords)
		suffixTrioLazy(&m.xs[0], &points[0], l.count, &after, &m.trioWords)
	case m.assembly:
		prefixTrio(&m.xs[0], &points[0], l.count, &z, &m.trioWords)
		suffixTrio(&m.xs[0], &points[0], l.count, &after, &m.trioWords)
	default:
		m.prefix(points, &z)
		m.suffix(points, &after)
	}
	return z
}

// prefix is prefixTrio without assembly.
//
//go:norace
func (m *curveTrio) prefix(points []trioPoint, product *[lanes]uint64) {
	for i := range points {
		m.xs[i] = *product
		for j := range product {
			product[j] = m.product(product[j], points[i][j].z)
		}
	}
}

// suffix is suffixTrio without assembly.
//
//go:norace
func (m *curveTrio) suffix(points []trioPoint, product *[lanes]uint64) {
	for i := len(points) - 1; i >= 0; i-- {
		for j := range product {
			m.xs[i][j] = m.product(m.product(m.xs[i][j], product[j]), points[i][j].x)
			product[j] = m.product(product[j], points[i][j].z)
		}
	}
}

// meet returns for each curve a residue that has a factor of n in common with n if a
// prime of the pairing, times the point of stage 1, is the neutral element modulo that
// factor. A pair costs one multiplication.
func (m *curveTrio) meet(l *trioPlan) (found [lanes]uint64) {
	var acc [2 * lanes]uint64
	for i := range acc {
		acc[i] = 1
	}
	switch {
	case m.assembly && m.lazy:
		meetTrioLazy(&acc, &m.xs[0], &l.list[0], len(l.list), &m.trioWords)
	case m.assembly:
		meetTrio(&acc, &m.xs[0], &l.list[0], len(l.list), &m.trioWords)
	default:
		m.meetGo(&acc, l.list)
	}
	for i := range found {
		found[i] = m.product(acc[i], acc[lanes+i])
	}
	return found
}

// meetGo is meetTrio without assembly.
//
//go:norace
func (m *curveTrio) meetGo(acc *[2 * lanes]uint64, list []meeting) {
	for i := range list {
		v := &list[i]
		g, b := &m.xs[v.giant/xSize], &m.xs[v.baby/xSize]
		half := acc[i%2*lanes:][:lanes]
		if m.lazy {
			for j := range half {
				half[j] = m.MulLazy(half[j], g[j]-b[j]+2*m.N)
			}
		} else {
			for j := range half {
				half[j] = m.Mul(half[j], m.Sub(g[j], b[j]))
			}
		}
	}
}
