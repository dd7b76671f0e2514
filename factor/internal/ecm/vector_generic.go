package ecm

import "math/bits"

// The arithmetic of vector in Go: the plain versions that the assembly is tested
// against. They take any number of limbs, and run where there is no AVX-512 IFMA,
// which only tests ask for: other curves are faster there.

// lane is one residue, limbs of 52 bits.
type lane [maxLimbs]uint64

// laneOf returns lane i of r with the carries of its limbs moved up.
func (m *mod8) laneOf(r *residue8, i int) (v lane) {
	carry := uint64(0)
	for j := range m.limbs {
		v[j] = r[j][i] + carry
		if j+1 < m.limbs {
			carry = uint64(int64(v[j]) >> 52)
			v[j] &= limb
		}
	}
	return v
}

// put sets lane i of r to v.
func (m *mod8) put(r *residue8, i int, v lane) {
	for j := range m.limbs {
		r[j][i] = v[j]
	}
}

// sumLane returns a + b.
func (m *mod8) sumLane(a, b lane) lane {
	for j := range m.limbs {
		a[j] += b[j]
	}
	return m.carried(a)
}

// differenceLane returns a - b + 2n.
func (m *mod8) differenceLane(a, b lane) lane {
	for j := range m.limbs {
		a[j] += m.twice[j] - b[j]
	}
	return m.carried(a)
}

// carried moves the carries of the limbs of v up.
func (m *mod8) carried(v lane) lane {
	for j := range m.limbs - 1 {
		v[j+1] += uint64(int64(v[j]) >> 52)
		v[j] &= limb
	}
	return v
}

// mulLane returns a*b/R, below 2n (Montgomery, Math. Comp. 44 (1985), a limb at a
// time).
func (m *mod8) mulLane(a, b lane) (v lane) {
	var t [maxLimbs + 1]uint64
	addProduct := func(x uint64, y *[maxLimbs]uint64) {
		carry := uint64(0)
		for j := range m.limbs {
			hi, lo := bits.Mul64(x, y[j])
			w := t[j] + lo&limb + carry
			t[j], carry = w&limb, w>>52+(hi<<12|lo>>52)
		}
		t[m.limbs] += carry
	}
	for i := range m.limbs {
		addProduct(a[i], (*[maxLimbs]uint64)(&b))
		addProduct(t[0]*m.minus&limb, &m.n)
		copy(t[:], t[1:m.limbs+1]) // the lowest limb is zero
		t[m.limbs] = 0
	}
	copy(v[:], t[:m.limbs])
	return v
}

// mulGo is mul8 and mulLimbs.
func mulGo(r, a, b *residue8, m *mod8) {
	for i := range 8 {
		m.put(r, i, m.mulLane(m.laneOf(a, i), m.laneOf(b, i)))
	}
}

// addGo is add8.
func addGo(r, p, q, d *point8, m *mod8) {
	for i := range 8 {
		px, pz := m.laneOf(&p.x, i), m.laneOf(&p.z, i)
		qx, qz := m.laneOf(&q.x, i), m.laneOf(&q.z, i)
		dx, dz := m.laneOf(&d.x, i), m.laneOf(&d.z, i)
		u := m.mulLane(m.differenceLane(px, pz), m.sumLane(qx, qz))
		v := m.mulLane(m.sumLane(px, pz), m.differenceLane(qx, qz))
		s, t := m.sumLane(u, v), m.differenceLane(u, v)
		m.put(&r.x, i, m.mulLane(m.mulLane(s, s), dz))
		m.put(&r.z, i, m.mulLane(m.mulLane(t, t), dx))
	}
}

// dupGo is dup8.
func dupGo(r, p *point8, num, den *residue8, m *mod8) {
	for i := range 8 {
		x, z := m.laneOf(&p.x, i), m.laneOf(&p.z, i)
		s, t := m.sumLane(x, z), m.differenceLane(x, z)
		s, t = m.mulLane(s, s), m.mulLane(t, t)
		w := m.differenceLane(s, t)
		t = m.mulLane(m.laneOf(den, i), t)
		m.put(&r.x, i, m.mulLane(s, t))
		m.put(&r.z, i, m.mulLane(w, m.sumLane(m.mulLane(m.laneOf(num, i), w), t)))
	}
}

// meetGo is meet8.
func meetGo(acc *residue8, g *point8, babies []point8, gxz *residue8, xz []residue8, hits []uint16, m *mod8) {
	for i := range 8 {
		a := m.laneOf(acc, i)
		gx, gz, xzOfG := m.laneOf(&g.x, i), m.laneOf(&g.z, i), m.laneOf(gxz, i)
		for _, h := range hits {
			b := &babies[h]
			c := m.mulLane(m.differenceLane(gx, m.laneOf(&b.x, i)), m.sumLane(gz, m.laneOf(&b.z, i)))
			a = m.mulLane(a, m.sumLane(m.differenceLane(c, xzOfG), m.laneOf(&xz[h], i)))
		}
		m.put(acc, i, a)
	}
}
