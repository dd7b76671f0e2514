package ecm

import "fairfactor/factor/internal/arith"

// TrioBits is the size up to which curveTrio128 works: 16n < R.
const TrioBits = 124

// trioPoint128 are points of three curves modulo two words, x before z.
type trioPoint128 [lanes]struct{ x, z [2]uint64 }

// trioWords128 are the constants of curveTrio128 that the assembly reads, which knows this
// layout.
type trioWords128 struct {
	minus    uint64    // -1/n modulo 2^64
	n, twice [2]uint64 // modulus, 2n
	a24      [lanes][2]uint64
}

// trioSpace128 is scratch of curveTrio128.
type trioSpace128 struct {
	points []trioPoint128
	xs     [][lanes][2]uint64 // of babies and giants
}

// curveTrio128 runs three curves in step modulo an odd n of 65 to TrioBits bits, with the
// plans of curveTrio. It is there in assembly only, for processors with BMI2 and ADX;
// others run curve128. Residues are below 2n.
type curveTrio128 struct {
	*arith.Mont128
	trioWords128
	*trioSpace128
}

// trio128For prepares three curves modulo n.
func (r *Runner) trio128For(n arith.Uint128) curveTrio128 {
	if r.trio128 == nil {
		r.trio128 = new(trioSpace128)
	}
	m := curveTrio128{Mont128: arith.NewMont128(n), trioSpace128: r.trio128}
	twice := n.Shl(1)
	m.trioWords128 = trioWords128{minus: -m.Inv, n: pairOf(n), twice: pairOf(twice)}
	return m
}

// pairOf returns the words of v, the lower one first, and wordsOf what has them.
func pairOf(v arith.Uint128) [2]uint64 { return [2]uint64{v.Lo, v.Hi} }

func wordsOf(v [2]uint64) arith.Uint128 { return arith.Uint128{Hi: v[1], Lo: v[0]} }

// curves runs curves number i and those that follow and returns a divisor of n, perhaps 1
// or n.
func (m *curveTrio128) curves(l *trioPlan, i uint64) arith.Uint128 {
	one := arith.Uint128{Lo: 1}
	m.points, m.xs = arith.Resize(m.points, l.points), arith.Resize(m.xs, l.count)
	if d := m.suyama(i); d != one {
		return d
	}
	runTrio128(&m.points[0], &l.moves[0], len(l.moves), &m.trioWords128)
	if d := m.normalise(l); d != one {
		return d
	}
	var acc [2 * lanes][2]uint64
	for j := range acc {
		acc[j] = pairOf(m.One)
	}
	meetTrio128(&acc, &m.xs[0], &l.list[0], len(l.list), &m.trioWords128)
	var found [lanes]arith.Uint128
	for j := range found {
		found[j] = m.Mul(wordsOf(acc[j]), wordsOf(acc[lanes+j]))
	}
	return m.divisor(&found)
}

// divisor returns a common divisor of n and one of the residues below n, a proper one if
// it can.
func (m *curveTrio128) divisor(residues *[lanes]arith.Uint128) arith.Uint128 {
	d := m.N.GCD(m.Mul(m.Mul(residues[0], residues[1]), residues[2]))
	if d != m.N {
		return d
	}
	for _, v := range residues {
		if d = m.N.GCD(v); d != m.N && d != (arith.Uint128{Lo: 1}) {
			return d
		}
	}
	return m.N
}

// suyama sets points[0] to those of the curves of family arith.Seed from number i on; if
// there are none, d > 1 is a divisor of n.
func (m *curveTrio128) suyama(i uint64) (d arith.Uint128) {
	var num, den [lanes]arith.Uint128
	two := m.Add(m.One, m.One)
	four := m.Add(two, two)
	five, sixteen := m.Add(four, m.One), m.Mul(four, four)
	for j := range num {
		s := m.To(arith.Uint128{Lo: arith.Mix(arith.Seed, i+uint64(j))})
		u := m.Sub(m.Mul(s, s), five)
		v := m.Mul(four, s)
		u3 := m.Mul(m.Mul(u, u), u)
		p := &m.points[0][j]
		p.x, p.z = pairOf(u3), pairOf(m.Mul(m.Mul(v, v), v))
		w := m.Sub(v, u)
		a := m.Mul(m.Mul(w, w), w)
		num[j] = m.Mul(a, m.Add(m.Add(u, v), m.Add(u, u)))
		den[j] = m.Mul(m.Mul(u3, v), sixteen)
	}
	inverse, d := m.inverses(&den)
	if d != (arith.Uint128{Lo: 1}) {
		return d
	}
	for j := range inverse {
		m.a24[j] = pairOf(m.Mul(num[j], inverse[j]))
	}
	return d
}

// inverses is that of curveTrio.
func (m *curveTrio128) inverses(v *[lanes]arith.Uint128) (inverse [lanes]arith.Uint128, d arith.Uint128) {
	two := m.Mul(v[0], v[1])
	all, d, ok := m.Inverse(m.Mul(two, v[2]))
	if !ok {
		return inverse, d
	}
	rest := m.Mul(all, v[2])
	return [lanes]arith.Uint128{m.Mul(rest, v[1]), m.Mul(rest, v[0]), m.Mul(all, two)}, arith.Uint128{Lo: 1}
}

// normalise is that of curveTrio.
func (m *curveTrio128) normalise(l *trioPlan) (d arith.Uint128) {
	points := m.points[l.first:][:l.count]
	one := pairOf(m.One)
	z := [lanes][2]uint64{one, one, one}
	prefixTrio128(&m.xs[0], &points[0], l.count, &z, &m.trioWords128)
	var product [lanes]arith.Uint128
	for j := range product {
		product[j] = m.Mul(wordsOf(z[j]), m.One) // below n
	}
	inverse, d := m.inverses(&product)
	if d == m.N {
		return m.divisor(&product)
	}
	if d != (arith.Uint128{Lo: 1}) {
		return d
	}
	for j := range z {
		z[j] = pairOf(inverse[j])
	}
	suffixTrio128(&m.xs[0], &points[0], l.count, &z, &m.trioWords128)
	return d
}
