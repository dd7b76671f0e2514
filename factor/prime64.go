package factor

import "math/bits"

// isPrime64 tests odd n > 2 exactly: Baillie-PSW, strong test to base 2 and
// extra strong Lucas test, has no counterexample below 2^64 (Feitsma and
// Galway's table of base 2 pseudoprimes; Jacobsen checked it for the extra
// strong variant).
func isPrime64(n uint64) bool {
	m := newMont64(n)
	return m.strong() && m.lucas()
}

// strong is the strong probable prime test to base 2.
func (m *mont64) strong() bool {
	s := bits.TrailingZeros64(m.n - 1)
	d := (m.n - 1) >> s
	left := max(bits.Len64(d)-5, 0)
	x := m.to(1 << (d >> left)) // the five bits on top at once
	for i := left - 1; i >= 0; i-- {
		x = m.mul(x, x)
		if d>>i&1 == 1 {
			x = m.add(x, x)
		}
	}
	minus := m.n - m.one
	if x == m.one || x == minus {
		return true
	}
	for range s - 1 {
		if x = m.mul(x, x); x == minus {
			return true
		}
	}
	return false
}

// lucas is the extra strong Lucas test with Q = 1 and the smallest P >= 3 for
// which P^2-4 is a non-residue (Grantham, Math. Comp. 70 (2001), 873-891,
// section 3; parameters after Baillie).
func (m *mont64) lucas() bool {
	n := m.n
	p := uint64(3)
	for ; ; p++ {
		d := p*p - 4
		j := jacobi(d, n)
		if j == -1 {
			break
		}
		if j == 0 && d%n != 0 {
			return false
		}
		if p == 20 && isSquare64(n) {
			return false
		}
	}
	if n == ^uint64(0) {
		return false
	}
	s := bits.TrailingZeros64(n + 1)
	d := (n + 1) >> s
	two := m.add(m.one, m.one)
	P := m.to(p)
	v, w := P, m.sub(m.mul(P, P), two) // V_k, V_{k+1}
	for i := bits.Len64(d) - 2; i >= 0; i-- {
		if d>>i&1 == 1 {
			v = m.sub(m.mul(v, w), P)
			w = m.sub(m.mul(w, w), two)
		} else {
			w = m.sub(m.mul(v, w), P)
			v = m.sub(m.mul(v, v), two)
		}
	}
	if v == two || v == n-two {
		// U_d = 0 if and only if 2 V_{d+1} = P V_d.
		if m.add(w, w) == m.mul(P, v) {
			return true
		}
	}
	for range s - 1 {
		if v == 0 {
			return true
		}
		v = m.sub(m.mul(v, v), two)
	}
	return false
}

// jacobi returns the Jacobi symbol (a/n) for odd n.
func jacobi(a, n uint64) int {
	j := 1
	for a != 0 {
		s := bits.TrailingZeros64(a)
		a >>= s
		if s&1 == 1 && (n&7 == 3 || n&7 == 5) {
			j = -j
		}
		if a&n&3 == 3 {
			j = -j
		}
		a, n = n%a, a
	}
	if n != 1 {
		return 0
	}
	return j
}
