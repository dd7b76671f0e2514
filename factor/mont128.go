package factor

import "math/bits"

// mont128 is arithmetic modulo an odd n < 2^128 in Montgomery form, R = 2^128.
// Residues are below n. As in mont64 the reduction subtracts, so that no carry
// is lost for n near 2^128.
type mont128 struct {
	n   wide
	inv uint64 // n^-1 modulo 2^64
	one wide   // R mod n
	r2  wide   // R^2 mod n
}

// newMont128 prepares arithmetic modulo n, odd and at least 3.
func newMont128(n wide) *mont128 {
	m := &mont128{n: n, inv: inverse2(n.lo)}
	minus, _ := wide{}.sub(n) // R - n
	_, m.one = minus.div(n)
	x := m.one
	for range 8 { // 2^8 R: double
		x = m.add(x, x)
	}
	for range 4 { // 2^16 R, 2^32 R, 2^64 R, 2^128 R: square
		x = m.mul(x, x)
	}
	m.r2 = x
	return m
}

// mul returns a*b/R mod n. Both words of the quotient are found one after the
// other; what they take off is subtracted at the end.
//
//go:norace
func (m *mont128) mul(a, b wide) wide {
	n := m.n
	h00, l00 := bits.Mul64(a.lo, b.lo)
	h01, l01 := bits.Mul64(a.lo, b.hi)
	h10, l10 := bits.Mul64(a.hi, b.lo)
	h11, l11 := bits.Mul64(a.hi, b.hi)
	t1, c := bits.Add64(h00, l01, 0)
	t2, c := bits.Add64(h01, l11, c)
	t3 := h11 + c
	t1, c = bits.Add64(t1, l10, 0)
	t2, c = bits.Add64(t2, h10, c)
	t3 += c

	q := l00 * m.inv
	g, _ := bits.Mul64(q, n.lo)
	q2, q1 := bits.Mul64(q, n.hi)
	q1, c = bits.Add64(q1, g, 0)
	q2 += c
	d, borrow := bits.Sub64(t1, q1, 0)

	q = d * m.inv
	g, _ = bits.Mul64(q, n.lo)
	s3, s2 := bits.Mul64(q, n.hi)
	s2, c = bits.Add64(s2, g, 0)
	s3 += c
	s2, c = bits.Add64(s2, q2, borrow)
	s3 += c

	lo, borrow := bits.Sub64(t2, s2, 0)
	hi, borrow := bits.Sub64(t3, s3, borrow)
	lo, c = bits.Add64(lo, n.lo&-borrow, 0)
	hi, _ = bits.Add64(hi, n.hi&-borrow, c)
	return wide{hi, lo}
}

// add returns a + b mod n.
//
//go:norace
func (m *mont128) add(a, b wide) wide {
	lo, borrow := bits.Sub64(m.n.lo, b.lo, 0)
	hi, _ := bits.Sub64(m.n.hi, b.hi, borrow)
	return m.sub(a, wide{hi, lo})
}

// sub returns a - b mod n; b may be n.
//
//go:norace
func (m *mont128) sub(a, b wide) wide {
	lo, borrow := bits.Sub64(a.lo, b.lo, 0)
	hi, borrow := bits.Sub64(a.hi, b.hi, borrow)
	lo, c := bits.Add64(lo, m.n.lo&-borrow, 0)
	hi, _ = bits.Add64(hi, m.n.hi&-borrow, c)
	return wide{hi, lo}
}

// to returns the Montgomery form of a < n.
func (m *mont128) to(a wide) wide { return m.mul(a, m.r2) }

// from returns the value of a residue.
func (m *mont128) from(a wide) wide { return m.mul(a, wide{0, 1}) }

// inverse returns the inverse of a residue, in Montgomery form; if there is
// none, ok is false and d is its greatest common divisor with n.
func (m *mont128) inverse(a wide) (inv, d wide, ok bool) {
	v, d, ok := inverseWide(m.from(a), m.n)
	if !ok {
		return wide{}, d, false
	}
	return m.to(v), d, true
}

// inverseWide returns 1/a mod n for odd n and a < n by the binary algorithm
// (Knuth, TAOCP 2, 4.5.2, exercise 39); if it does not exist, ok is false and d
// is the greatest common divisor, which is n for a = 0.
func inverseWide(a, n wide) (inv, d wide, ok bool) {
	if a.isZero() {
		return wide{}, n, false
	}
	u, v := a, n
	x, y := wide{0, 1}, wide{} // u = a*x, v = a*y mod n
	for {
		for u.lo&1 == 0 {
			u, x = u.shr(1), halve(x, n)
		}
		if u == v {
			break
		}
		if u.less(v) {
			u, v, x, y = v, u, y, x
		}
		u, _ = u.sub(v)
		var b uint64
		if x, b = x.sub(y); b != 0 {
			x, _ = x.add(n)
		}
	}
	return x, u, u == wide{0, 1}
}

// halve returns x/2 mod n.
func halve(x, n wide) wide {
	if x.lo&1 == 0 {
		return x.shr(1)
	}
	s, c := x.add(n)
	s = s.shr(1)
	s.hi |= c << 63
	return s
}
