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
// that a method has found: below 2^lazyBits both tests run in step, since the products of
// each wait for one another.
func LikelyPrime64(n uint64) bool {
	if n>>lazyBits != 0 {
		return IsPrime64(n)
	}
	m := arith.NewMont64(n)
	l, composite := newLucas64(&m)
	if composite {
		return false
	}
	s := newStrong64(&m)
	both := min(s.left, l.left)
	minusP, minusTwo := 2*n-l.P, 2*n-l.two
	for range both {
		s.x = m.MulLazy(s.x, s.x+s.x&-(s.d>>63))
		x := either(l.even, l.odd, l.d^l.d<<1)
		l.odd, l.even = m.MulLazy(l.odd, l.even)+minusP, m.MulLazy(x, x)+minusTwo
		s.d, l.d = s.d<<1, l.d<<1
	}
	s.left, l.left = s.left-both, l.left-both
	s.walk(&m)
	l.walk(&m)
	return s.passes(&m) && l.passes(&m)
}

// lazyBits is the size of n up to which both tests reduce the operands of products not at
// all and products to below 2n: see [arith.Mont64.MulLazy].
const lazyBits = 60

// either returns b if the bit on top of d is set, else a. Half of the bits of an exponent
// are set, at random: a branch would be guessed wrong every other time.
func either(a, b, d uint64) uint64 { return a ^ (a^b)&-(d>>63) }

// strongRun64 is the strong probable prime test to base 2 under way.
type strongRun64 struct {
	x    uint64 // power so far
	d    uint64 // odd part of n - 1, from the bit that comes next on
	left int    // bits of d
	s    int    // n - 1 = d 2^s
}

func newStrong64(m *arith.Mont64) (t strongRun64) {
	t.s = bits.TrailingZeros64(m.N - 1)
	d := (m.N - 1) >> t.s
	t.left = max(bits.Len64(d)-6, 0)
	t.x = m.To(1 << (d >> t.left)) // the six bits on top at once
	t.d = d << (64 - t.left)
	return t
}

// walk takes all bits that are left.
func (t *strongRun64) walk(m *arith.Mont64) {
	x, d := t.x, t.d
	if m.N>>lazyBits == 0 {
		for range t.left {
			x = m.MulLazy(x, x+x&-(d>>63))
			d <<= 1
		}
		t.x = x % m.N
		return
	}
	for range t.left {
		x = m.Mul(x, either(x, m.Add(x, x), d))
		d <<= 1
	}
	t.x = x
}

// passes reports whether n passes, after the last step.
func (t *strongRun64) passes(m *arith.Mont64) bool {
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
	t.walk(m)
	return t.passes(m)
}

// lucasRun64 is the extra strong Lucas test under way, with Q = 1 and the smallest P >= 3
// for which P^2-4 is a non-residue (Grantham, Math. Comp. 70 (2001), 873-891, section 3;
// parameters after Baillie).
//
// It has V of k and k+1, by which of the two is odd: the next odd one comes from both, and
// the next even one from one of them.
type lucasRun64 struct {
	odd, even uint64
	P, two    uint64
	d         uint64 // odd part of n + 1, from the bit that was last on
	left      int    // bits of d that come next
	s         int    // n + 1 = d 2^s
}

// newLucas64 begins the test, or tells that n is composite.
func newLucas64(m *arith.Mont64) (t lucasRun64, composite bool) {
	n := m.N
	p := lucasP(n)
	if p == 0 || n == ^uint64(0) {
		return t, true
	}
	t.s = bits.TrailingZeros64(n + 1)
	d := (n + 1) >> t.s
	t.two = m.Add(m.One, m.One)
	t.P = m.To(p)
	t.odd, t.even = t.P, m.Sub(m.Mul(t.P, t.P), t.two)
	t.left = bits.Len64(d) - 1
	t.d = d << (63 - t.left)
	return t, false
}

// lucasP returns the P of the test, or 0 if n is composite, which the search for it tells.
func lucasP(n uint64) uint64 {
	// P^2-4 is 5, 12, 21 and 32 for P from 3 to 6. There the symbol depends on n modulo 5, 12,
	// 21 and 8: these are sets of remainders, as bits, so that nothing is guessed.
	if n%3 != 0 && n%5 != 0 && n%7 != 0 {
		five, twelve := uint64(0b1100)>>(n%5)&1, uint64(0b10100000)>>(n%12)&1
		twentyOne, eight := uint64(0b10000010110100000100)>>(n%21)&1, uint64(0b101000)>>(n%8)&1
		if first := five | twelve<<1 | twentyOne<<2 | eight<<3; first != 0 {
			return 3 + uint64(bits.TrailingZeros64(first))
		}
	}
	for p := uint64(3); ; p++ {
		d := p*p - 4
		switch j := arith.Jacobi(d, n); {
		case j == -1:
			return p
		case j == 0 && d%n != 0, p == 20 && arith.IsSquare64(n):
			return 0
		}
	}
}

// walk takes all bits that are left. The next index is 2k or 2k+1, and the square is that
// of V_k or V_{k+1}: of the odd one if the bit is not the last one again.
func (t *lucasRun64) walk(m *arith.Mont64) {
	odd, even, d := t.odd, t.even, t.d
	if m.N>>lazyBits == 0 {
		minusP, minusTwo := 2*m.N-t.P, 2*m.N-t.two
		for range t.left {
			x := either(even, odd, d^d<<1)
			odd, even = m.MulLazy(odd, even)+minusP, m.MulLazy(x, x)+minusTwo
			d <<= 1
		}
		t.odd, t.even = odd%m.N, even%m.N
		return
	}
	for range t.left {
		x := either(even, odd, d^d<<1)
		odd, even = m.Sub(m.Mul(odd, even), t.P), m.Sub(m.Mul(x, x), t.two)
		d <<= 1
	}
	t.odd, t.even = odd, even
}

// passes reports whether n passes, after the last step: the index is odd.
func (t *lucasRun64) passes(m *arith.Mont64) bool {
	v, w := t.odd, t.even
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
	t.walk(m)
	return t.passes(m)
}
