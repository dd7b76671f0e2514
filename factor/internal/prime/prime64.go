package prime

import (
	"math/bits"

	"fairfactor/factor/internal/arith"
)

// IsPrime64 tests odd n > 2 exactly: Baillie-PSW, strong test to base 2 and
// extra strong Lucas test, has no counterexample below 2^64 (Feitsma and
// Galway's table of base 2 pseudoprimes; Jacobsen checked it for the extra
// strong variant).
func IsPrime64(n uint64) bool {
	m := arith.NewMont64(n)
	return strong64(&m) && lucas64(&m)
}

// strong64 is the strong probable prime test to base 2.
func strong64(m *arith.Mont64) bool {
	s := bits.TrailingZeros64(m.N - 1)
	d := (m.N - 1) >> s
	left := max(bits.Len64(d)-5, 0)
	x := m.To(1 << (d >> left)) // the five bits on top at once
	for i := left - 1; i >= 0; i-- {
		x = m.Mul(x, x)
		if d>>i&1 == 1 {
			x = m.Add(x, x)
		}
	}
	minus := m.N - m.One
	if x == m.One || x == minus {
		return true
	}
	for range s - 1 {
		if x = m.Mul(x, x); x == minus {
			return true
		}
	}
	return false
}

// lucas64 is the extra strong Lucas test with Q = 1 and the smallest P >= 3 for
// which P^2-4 is a non-residue (Grantham, Math. Comp. 70 (2001), 873-891,
// section 3; parameters after Baillie).
func lucas64(m *arith.Mont64) bool {
	n := m.N
	p := uint64(3)
	for ; ; p++ {
		d := p*p - 4
		j := arith.Jacobi(d, n)
		if j == -1 {
			break
		}
		if j == 0 && d%n != 0 {
			return false
		}
		if p == 20 && arith.IsSquare64(n) {
			return false
		}
	}
	if n == ^uint64(0) {
		return false
	}
	s := bits.TrailingZeros64(n + 1)
	d := (n + 1) >> s
	two := m.Add(m.One, m.One)
	P := m.To(p)
	v, w := P, m.Sub(m.Mul(P, P), two) // V_k, V_{k+1}
	for i := bits.Len64(d) - 2; i >= 0; i-- {
		if d>>i&1 == 1 {
			v = m.Sub(m.Mul(v, w), P)
			w = m.Sub(m.Mul(w, w), two)
		} else {
			w = m.Sub(m.Mul(v, w), P)
			v = m.Sub(m.Mul(v, v), two)
		}
	}
	if v == two || v == n-two {
		// U_d = 0 if and only if 2 V_{d+1} = P V_d.
		if m.Add(w, w) == m.Mul(P, v) {
			return true
		}
	}
	for range s - 1 {
		if v == 0 {
			return true
		}
		v = m.Sub(m.Mul(v, v), two)
	}
	return false
}
