package factor

import "math/bits"

// mont64 is arithmetic modulo an odd n < 2^64 in Montgomery form, R = 2^64
// (Montgomery, Math. Comp. 44 (1985), 519-521). Residues are below n. The
// reduction subtracts, so that no carry is lost for n near 2^64.
//
// What is marked go:norace, here and in other files, touches only memory of one
// Runner, and the race detector would make it twenty times slower.
type mont64 struct {
	n   uint64
	inv uint64 // n^-1 modulo 2^64
	one uint64 // R mod n
	r2  uint64 // R^2 mod n
}

// newMont64 prepares arithmetic modulo n, odd and at least 3.
func newMont64(n uint64) mont64 {
	one := -n % n
	_, r2 := bits.Div64(one, 0, n)
	return mont64{n: n, inv: inverse2(n), one: one, r2: r2}
}

// inverse2 returns the inverse of odd n modulo 2^64 by Newton iteration.
func inverse2(n uint64) uint64 {
	x := 3*n ^ 2 // right to 5 bits
	x *= 2 - n*x
	x *= 2 - n*x
	x *= 2 - n*x
	return x * (2 - n*x)
}

// mul returns a*b/R mod n.
//
//go:norace
func (m *mont64) mul(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	q, _ := bits.Mul64(lo*m.inv, m.n)
	r, borrow := bits.Sub64(hi, q, 0)
	return r + m.n&-borrow
}

// loosely is mul for 16n < 2^64 and a, b < 4n; the result is below 2n.
//
//go:norace
func (m *mont64) loosely(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	q, _ := bits.Mul64(lo*m.inv, m.n)
	return hi - q + m.n
}

// add returns a + b mod n.
//
//go:norace
func (m *mont64) add(a, b uint64) uint64 {
	return m.sub(a, m.n-b)
}

// sub returns a - b mod n for a <= n, b <= n; the result may be n for b = 0 only
// if a is n.
//
//go:norace
func (m *mont64) sub(a, b uint64) uint64 {
	r, borrow := bits.Sub64(a, b, 0)
	return r + m.n&-borrow
}

// to returns the Montgomery form of any a.
func (m *mont64) to(a uint64) uint64 { return m.mul(a%m.n, m.r2) }

// from returns the value of a residue.
func (m *mont64) from(a uint64) uint64 { return m.mul(a, 1) }
