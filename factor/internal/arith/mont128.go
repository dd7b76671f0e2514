package arith

import "math/bits"

// Mont128 is arithmetic modulo an odd n < 2^128 in Montgomery form, R = 2^128.
// Residues are below n. As in Mont64 the reduction subtracts, so that no carry
// is lost for n near 2^128.
type Mont128 struct {
	N   Uint128
	Inv uint64  // n^-1 modulo 2^64
	One Uint128 // R mod n
	R2  Uint128 // R^2 mod n
}

// NewMont128 prepares arithmetic modulo n, odd and at least 3.
func NewMont128(n Uint128) *Mont128 {
	m := &Mont128{N: n, Inv: Inverse2(n.Lo)}
	minus, _ := Uint128{}.Sub(n) // R - n
	_, m.One = minus.Div(n)
	x := m.One
	for range 8 { // 2^8 R: double
		x = m.Add(x, x)
	}
	for range 4 { // 2^16 R, 2^32 R, 2^64 R, 2^128 R: square
		x = m.Mul(x, x)
	}
	m.R2 = x
	return m
}

// Mul returns a*b/R mod n. Both words of the quotient are found one after the
// other; what they take off is subtracted at the end.
//
//go:norace
func (m *Mont128) Mul(a, b Uint128) Uint128 {
	n := m.N
	h00, l00 := bits.Mul64(a.Lo, b.Lo)
	h01, l01 := bits.Mul64(a.Lo, b.Hi)
	h10, l10 := bits.Mul64(a.Hi, b.Lo)
	h11, l11 := bits.Mul64(a.Hi, b.Hi)
	t1, c := bits.Add64(h00, l01, 0)
	t2, c := bits.Add64(h01, l11, c)
	t3 := h11 + c
	t1, c = bits.Add64(t1, l10, 0)
	t2, c = bits.Add64(t2, h10, c)
	t3 += c

	q := l00 * m.Inv
	g, _ := bits.Mul64(q, n.Lo)
	q2, q1 := bits.Mul64(q, n.Hi)
	q1, c = bits.Add64(q1, g, 0)
	q2 += c
	d, borrow := bits.Sub64(t1, q1, 0)

	q = d * m.Inv
	g, _ = bits.Mul64(q, n.Lo)
	s3, s2 := bits.Mul64(q, n.Hi)
	s2, c = bits.Add64(s2, g, 0)
	s3 += c
	s2, c = bits.Add64(s2, q2, borrow)
	s3 += c

	lo, borrow := bits.Sub64(t2, s2, 0)
	hi, borrow := bits.Sub64(t3, s3, borrow)
	lo, c = bits.Add64(lo, n.Lo&-borrow, 0)
	hi, _ = bits.Add64(hi, n.Hi&-borrow, c)
	return Uint128{hi, lo}
}

// Add returns a + b mod n.
//
//go:norace
func (m *Mont128) Add(a, b Uint128) Uint128 {
	lo, borrow := bits.Sub64(m.N.Lo, b.Lo, 0)
	hi, _ := bits.Sub64(m.N.Hi, b.Hi, borrow)
	return m.Sub(a, Uint128{hi, lo})
}

// Sub returns a - b mod n; b may be n.
//
//go:norace
func (m *Mont128) Sub(a, b Uint128) Uint128 {
	lo, borrow := bits.Sub64(a.Lo, b.Lo, 0)
	hi, borrow := bits.Sub64(a.Hi, b.Hi, borrow)
	lo, c := bits.Add64(lo, m.N.Lo&-borrow, 0)
	hi, _ = bits.Add64(hi, m.N.Hi&-borrow, c)
	return Uint128{hi, lo}
}

// To returns the Montgomery form of a < n.
func (m *Mont128) To(a Uint128) Uint128 { return m.Mul(a, m.R2) }

// From returns the value of a residue.
func (m *Mont128) From(a Uint128) Uint128 { return m.Mul(a, Uint128{0, 1}) }

// Inverse returns the inverse of a residue, in Montgomery form. If it
// has no inverse, ok is false and d is its greatest common divisor with n.
func (m *Mont128) Inverse(a Uint128) (inv, d Uint128, ok bool) {
	v, d, ok := inverse128(m.From(a), m.N)
	if !ok {
		return Uint128{}, d, false
	}
	return m.To(v), d, true
}

// inverse128 returns 1/a mod n for n > 1 and a < n by Euclid's algorithm, with divisions of
// words as soon as what is left has one; if the inverse does not exist, ok is false and d
// is the greatest common divisor, which is n for a = 0.
func inverse128(a, n Uint128) (inv, d Uint128, ok bool) {
	u, v := n, a
	x, y := Uint128{}, Uint128{0, 1} // signs alternate
	odd := false
	for u.Hi != 0 && !v.IsZero() {
		q, rest := u.Div(v)
		u, v = v, rest
		next, _ := q.Mul(y)
		next, _ = next.Add(x)
		x, y = y, next
		odd = !odd
	}
	if u.Hi == 0 {
		k, l := u.Lo, v.Lo
		for l != 0 {
			q := k / l
			k, l = l, k-q*l
			next, _ := y.MulAdd(q, 0)
			next, _ = next.Add(x)
			x, y = y, next
			odd = !odd
		}
		u = Uint128{0, k}
	}
	if !odd {
		x, _ = n.Sub(x)
	}
	return x, u, u == Uint128{0, 1}
}

// Product returns the product of the list, in Montgomery form.
func (m *Mont128) Product(list []Uint128) Uint128 {
	p := m.One
	for _, v := range list {
		p = m.Mul(p, m.To(v))
	}
	return p
}
