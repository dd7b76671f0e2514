package arith

// Points of Montgomery curves modulo n are X:Z, X in the first k words of a slice and Z
// in the next. With assembly, coordinates are below 2n instead of n: 16n < R makes a
// product of two sums of such below 2n again, so that nothing else needs a reduction.
// They are good for all methods here, for Mul and for From.

// AddPoints sets r to p + q, where d = p - q; r may be any of them.
func (m *MontN) AddPoints(r, p, q, d []uint64) {
	if m.fast == nil {
		m.addPointsGo(r, p, q, d)
		return
	}
	m.fast.pointAdd(&r[0], &p[0], &q[0], &d[0], m.words)
}

// DoublePoint sets r, which may be p, to 2p on the curve with (A+2)/4 = a.
func (m *MontN) DoublePoint(r, p, a []uint64) {
	if m.fast == nil {
		m.doublePointGo(r, p, a)
		return
	}
	m.fast.pointDouble(&r[0], &p[0], &a[0], m.words)
}

// Meet multiplies acc by x less each of the residues that hits names, whose places are
// among babies, one after the other.
func (m *MontN) Meet(acc, x, babies []uint64, hits []uint16) {
	if len(hits) == 0 {
		return
	}
	if m.fast != nil {
		m.fast.meet(&acc[0], &x[0], &babies[0], &hits[0], len(hits), m.words)
		return
	}
	k := len(m.N)
	t := m.room(0)
	for _, j := range hits {
		m.Sub(t, x, babies[int(j)*k:][:k])
		m.mulGo(acc, acc, t)
	}
}

// room returns residue i of four that the arithmetic of points has for itself.
func (m *MontN) room(i int) []uint64 {
	k := len(m.N)
	if m.space == nil {
		m.space = make([]uint64, 4*k)
	}
	return m.space[i*k:][:k]
}

// addPointsGo is AddPoints without assembly.
func (m *MontN) addPointsGo(r, p, q, d []uint64) {
	k := len(m.N)
	u, v, w := m.room(0), m.room(1), m.room(2)
	m.Sub(u, p[:k], p[k:])
	m.addGo(v, q[:k], q[k:])
	m.mulGo(u, u, v)
	m.addGo(w, p[:k], p[k:])
	m.Sub(v, q[:k], q[k:])
	m.mulGo(v, w, v)
	m.addGo(w, u, v)
	m.Sub(v, u, v)
	m.mulGo(w, w, w)
	m.mulGo(v, v, v)
	m.mulGo(w, w, d[k:])
	m.mulGo(r[k:], v, d[:k])
	copy(r, w)
}

// doublePointGo is DoublePoint without assembly.
func (m *MontN) doublePointGo(r, p, a []uint64) {
	k := len(m.N)
	u, v, w, s := m.room(0), m.room(1), m.room(2), m.room(3)
	m.addGo(u, p[:k], p[k:])
	m.mulGo(u, u, u)
	m.Sub(v, p[:k], p[k:])
	m.mulGo(v, v, v)
	m.Sub(w, u, v)
	m.mulGo(r[:k], u, v)
	m.mulGo(s, w, a)
	m.addGo(s, s, v)
	m.mulGo(r[k:], w, s)
}
