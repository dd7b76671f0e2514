package ecm

import "fairfactor/factor/internal/arith"

// TrioBits is the size up to which curveTrio128 works: 16n < R.
const TrioBits = 124

// trioPoint128 are points of three curves modulo two words, x before z.
type trioPoint128 [lanes]struct{ x, z [2]uint64 }

// trioWords128 are the constants of curveTrio128 that the assembly reads, which knows this
// layout.
type trioWords128 struct {
	minus    uint64           // -1/n modulo 2^64
	n, twice [2]uint64        // modulus, 2n
	num, den [lanes][2]uint64 // (A+2)/4 of the curves, as fractions
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
	arith.Mont128
	trioWords128
	*trioSpace128
}

// trio128For prepares three curves modulo n.
func (r *Runner) trio128For(n arith.Uint128) curveTrio128 {
	if r.trio128 == nil {
		r.trio128 = new(trioSpace128)
	}
	m := curveTrio128{Mont128: arith.Mont128{N: n, Inv: arith.Inverse2(n.Lo)}, trioSpace128: r.trio128}
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
	m.prepare(l)
	m.suyama(i)
	runTrio128(&m.points[0], &l.moves[0], len(l.moves), &m.trioWords128)
	zs := m.level(l)
	acc := m.meet(l)
	if d := m.divisor(&acc); d != m.N {
		return d
	}
	return m.divisor(&zs)
}

// prepare makes room for what l does.
func (m *curveTrio128) prepare(l *trioPlan) {
	m.points, m.xs = arith.Resize(m.points, l.points), arith.Resize(m.xs, l.count)
}

// meet is that of curveTrio.
func (m *curveTrio128) meet(l *trioPlan) (found [lanes]arith.Uint128) {
	var acc [2 * lanes][2]uint64
	for j := range acc {
		acc[j][0] = 1
	}
	meetTrio128(&acc, &m.xs[0], &l.list[0], len(l.list), &m.trioWords128)
	for j := range found {
		found[j] = m.Mul(wordsOf(acc[j]), wordsOf(acc[lanes+j]))
	}
	return found
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

// suyama is that of curveTrio.
func (m *curveTrio128) suyama(i uint64) {
	word := func(v uint64) arith.Uint128 { return arith.Uint128{Lo: v} }
	for j := range lanes {
		c := suyamaCurve(i + uint64(j))
		p := &m.points[0][j]
		p.x, p.z = [2]uint64{c.u3}, [2]uint64{c.v3}
		m.num[j] = pairOf(m.Sub(arith.Uint128{}, m.Mul(word(c.w3), word(c.t))))
		m.den[j] = pairOf(m.Mul(word(c.u3), word(c.v16)))
	}
}

// level is that of curveTrio.
func (m *curveTrio128) level(l *trioPlan) (product [lanes]arith.Uint128) {
	points := m.points[l.first:][:l.count]
	z, after := [lanes][2]uint64{{1}, {1}, {1}}, [lanes][2]uint64{{1}, {1}, {1}}
	prefixTrio128(&m.xs[0], &points[0], l.count, &z, &m.trioWords128)
	suffixTrio128(&m.xs[0], &points[0], l.count, &after, &m.trioWords128)
	for j := range product {
		product[j] = m.Mul(wordsOf(z[j]), arith.Uint128{Lo: 1}) // below n
	}
	return product
}
