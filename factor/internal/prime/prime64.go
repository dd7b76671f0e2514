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

// LikelyPrime64 is IsPrime64 for odd n > 2 that are usually prime, such as the factors
// that a method has found: both tests run in step, since the products of each wait for
// one another.
func LikelyPrime64(n uint64) bool {
	m := arith.NewMont64(n)
	l, composite := newLucas64(&m)
	if composite {
		return false
	}
	s := newStrong64(&m)
	for l.left >= 0 {
		if s.left >= 0 {
			s.step(&m)
		}
		l.step(&m)
	}
	for s.left >= 0 { // n + 1 has many factors 2
		s.step(&m)
	}
	return s.ends(&m) && l.ends(&m)
}

// strongRun64 is the strong probable prime test to base 2 under way.
type strongRun64 struct {
	x, d uint64 // power so far; odd part of n - 1
	left int    // bit of d that comes next
	s    int    // n - 1 = d 2^s
}

func newStrong64(m *arith.Mont64) (t strongRun64) {
	t.s = bits.TrailingZeros64(m.N - 1)
	t.d = (m.N - 1) >> t.s
	t.left = max(bits.Len64(t.d)-5, 0)
	t.x = m.To(1 << (t.d >> t.left)) // the five bits on top at once
	t.left--
	return t
}

// step takes a bit of the exponent.
func (t *strongRun64) step(m *arith.Mont64) {
	x := m.Mul(t.x, t.x)
	if t.d>>t.left&1 == 1 {
		x = m.Add(x, x)
	}
	t.x = x
	t.left--
}

// ends reports whether n passes, after the last step.
func (t *strongRun64) ends(m *arith.Mont64) bool {
	minus, x := m.N-m.One, t.x
	if x == m.One || x == minus {
		return true
	}
	for range t.s - 1 {
		if x = m.Mul(x, x); x == minus {
			return true
		}
	}
	return false
}

// strong64 is the strong probable prime test to base 2.
func strong64(m *arith.Mont64) bool {
	t := newStrong64(m)
	for t.left >= 0 {
		t.step(m)
	}
	return t.ends(m)
}

// lucasRun64 is the extra strong Lucas test under way, with Q = 1 and the smallest P >= 3
// for which P^2-4 is a non-residue (Grantham, Math. Comp. 70 (2001), 873-891, section 3;
// parameters after Baillie).
type lucasRun64 struct {
	v, w   uint64 // V_k, V_{k+1}
	P, two uint64
	d      uint64 // odd part of n + 1
	left   int    // bit of d that comes next
	s      int    // n + 1 = d 2^s
}

// newLucas64 begins the test, or tells that n is composite.
func newLucas64(m *arith.Mont64) (t lucasRun64, composite bool) {
	n := m.N
	p := uint64(3)
	for ; ; p++ {
		d := p*p - 4
		j := arith.Jacobi(d, n)
		if j == -1 {
			break
		}
		if j == 0 && d%n != 0 {
			return t, true
		}
		if p == 20 && arith.IsSquare64(n) {
			return t, true
		}
	}
	if n == ^uint64(0) {
		return t, true
	}
	t.s = bits.TrailingZeros64(n + 1)
	t.d = (n + 1) >> t.s
	t.two = m.Add(m.One, m.One)
	t.P = m.To(p)
	t.v, t.w = t.P, m.Sub(m.Mul(t.P, t.P), t.two)
	t.left = bits.Len64(t.d) - 2
	return t, false
}

// step takes a bit of the index.
func (t *lucasRun64) step(m *arith.Mont64) {
	v, w := t.v, t.w
	if t.d>>t.left&1 == 1 {
		t.v = m.Sub(m.Mul(v, w), t.P)
		t.w = m.Sub(m.Mul(w, w), t.two)
	} else {
		t.w = m.Sub(m.Mul(v, w), t.P)
		t.v = m.Sub(m.Mul(v, v), t.two)
	}
	t.left--
}

// ends reports whether n passes, after the last step.
func (t *lucasRun64) ends(m *arith.Mont64) bool {
	v, w := t.v, t.w
	if v == t.two || v == m.N-t.two {
		// U_d = 0 if and only if 2 V_{d+1} = P V_d.
		if m.Add(w, w) == m.Mul(t.P, v) {
			return true
		}
	}
	for range t.s - 1 {
		if v == 0 {
			return true
		}
		v = m.Sub(m.Mul(v, v), t.two)
	}
	return false
}

// lucas64 is the extra strong Lucas test.
func lucas64(m *arith.Mont64) bool {
	t, composite := newLucas64(m)
	if composite {
		return false
	}
	for t.left >= 0 {
		t.step(m)
	}
	return t.ends(m)
}
