package arith

import "math/bits"

// Mont64 is arithmetic modulo an odd n < 2^64 in Montgomery form, R = 2^64
// (Montgomery, Math. Comp. 44 (1985), 519-521). Residues are below n. The
// reduction subtracts, so that no carry is lost for n near 2^64.
//
// What is marked go:norace, here and in other files, touches only memory of one
// Runner, and the race detector would make it twenty times slower.
type Mont64 struct {
	N   uint64
	Inv uint64 // n^-1 modulo 2^64
	One uint64 // R mod n
	r2  uint64 // R^2 mod n
}

// NewMont64 prepares arithmetic modulo n, odd and at least 3.
func NewMont64(n uint64) Mont64 {
	one := -n % n
	_, r2 := bits.Div64(one, 0, n)
	return Mont64{N: n, Inv: Inverse2(n), One: one, r2: r2}
}

// Inverse2 returns the inverse of odd n modulo 2^64 by Newton iteration.
func Inverse2(n uint64) uint64 {
	x := 3*n ^ 2 // right to 5 bits
	x *= 2 - n*x
	x *= 2 - n*x
	x *= 2 - n*x
	return x * (2 - n*x)
}

// Mul returns a*b/R mod n for any a and a residue b, or the other way round.
//
//go:norace
func (m *Mont64) Mul(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	q, _ := bits.Mul64(lo*m.Inv, m.N)
	r, borrow := bits.Sub64(hi, q, 0)
	return r + m.N&-borrow
}

// MulLazy is mul for 16n < 2^64 and a, b < 4n; the result is below 2n.
//
//go:norace
func (m *Mont64) MulLazy(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	q, _ := bits.Mul64(lo*m.Inv, m.N)
	return hi + m.N - q
}

// Add returns a + b mod n.
//
//go:norace
func (m *Mont64) Add(a, b uint64) uint64 {
	return m.Sub(a, m.N-b)
}

// Sub returns a - b mod n for a <= n, b <= n; the result may be n for b = 0 only
// if a is n.
//
//go:norace
func (m *Mont64) Sub(a, b uint64) uint64 {
	r, borrow := bits.Sub64(a, b, 0)
	return r + m.N&-borrow
}

// To returns the Montgomery form of any a: Mul takes what multiplies a residue.
func (m *Mont64) To(a uint64) uint64 { return m.Mul(a, m.r2) }

// From returns the value of a residue.
func (m *Mont64) From(a uint64) uint64 { return m.Mul(a, 1) }

// Power returns a^e for e > 0 and a residue a.
func (m *Mont64) Power(a, e uint64) uint64 {
	x := a
	for i := bits.Len64(e) - 2; i >= 0; i-- {
		x = m.Mul(x, x)
		if e>>i&1 == 1 {
			x = m.Mul(x, a)
		}
	}
	return x
}

// Inverse64 returns 1/a mod n and d = gcd(a, n) for a < n; the inverse is
// meaningless unless d = 1.
func Inverse64(a, n uint64) (inv, d uint64) {
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
