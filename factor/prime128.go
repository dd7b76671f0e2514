package factor

import "math/bits"

// provenBelow is the least number that passes the strong test to the first 13
// prime bases without being prime, 3317044064679887385961981 (Sorenson and
// Webster, Math. Comp. 86 (2017), 985-1003).
var provenBelow = wide{179817, 5885577656943027709}

// witnesses are the first 13 primes.
var witnesses = [...]uint64{2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41}

// primeWide grades odd n > 2^64: the strong test to base 2 first, which almost
// all composites fail, then the witnesses that prove, or a Lucas test and the
// witnesses above what they prove.
func primeWide(n wide) grade {
	m := newMont128(n)
	if !m.strong() {
		return composite
	}
	if n.less(provenBelow) {
		for i := 1; i < len(witnesses); i += witnessLanes {
			if !m.witnesses(witnesses[i : i+witnessLanes]) {
				return composite
			}
		}
		return proven
	}
	if !m.lucas() {
		return composite
	}
	for _, w := range witnesses[1:] {
		if !m.strongTo(w) {
			return composite
		}
	}
	return probable
}

// exponent returns the odd part d and s with n - 1 = d*2^s.
func (m *mont128) exponent() (d wide, s uint) {
	d, _ = m.n.sub(wide{0, 1})
	s = d.trailingZeros()
	return d.shr(s), s
}

// passes ends a strong test, where x is the base to the odd part of n - 1.
func (m *mont128) passes(x wide, s uint) bool {
	minus, _ := m.n.sub(m.one)
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

// strong is the strong probable prime test to base 2.
func (m *mont128) strong() bool {
	d, s := m.exponent()
	left := d.len() - 6
	x := m.to(wide{0, 1}.shl(uint(d.shr(uint(left)).lo))) // the six bits on top at once
	for i := left - 1; i >= 0; i-- {
		x = m.mul(x, x)
		if d.bit(i) == 1 {
			x = m.add(x, x)
		}
	}
	return m.passes(x, s)
}

// strongTo is the strong probable prime test to a small base.
func (m *mont128) strongTo(base uint64) bool {
	d, s := m.exponent()
	b := m.to(wide{0, base})
	x := b
	for i := d.len() - 2; i >= 0; i-- {
		x = m.mul(x, x)
		if d.bit(i) == 1 {
			x = m.mul(x, b)
		}
	}
	return m.passes(x, s)
}

// witnessLanes is how many strong tests run in step: the multiplications of one
// fill the gaps of the others.
const witnessLanes = 4

// witnesses is the strong test to witnessLanes bases, for n < 2^122: a base is
// below 2^6, so that base times a residue fits 128 bits and times another one is
// below n*2^128, which is all that mul asks for.
func (m *mont128) witnesses(bases []uint64) bool {
	d, s := m.exponent()
	var x [witnessLanes]wide
	for j, w := range bases {
		x[j] = m.to(wide{0, w})
	}
	for i := d.len() - 2; i >= 0; i-- {
		bit := d.bit(i) == 1
		for j := range x {
			y := x[j]
			if bit {
				y, _ = y.mulAdd(bases[j], 0)
			}
			x[j] = m.mul(x[j], y)
		}
	}
	for j := range x {
		if !m.passes(x[j], s) {
			return false
		}
	}
	return true
}

// lucas is the extra strong Lucas test; see mont64.lucas.
func (m *mont128) lucas() bool {
	p := uint64(3)
	for ; ; p++ {
		j := jacobiWide(p*p-4, m.n)
		if j == -1 {
			break
		}
		if j == 0 {
			return false
		}
		if p == 20 {
			if _, square := rootWide(m.n, 2); square {
				return false
			}
		}
	}
	d, carry := m.n.add(wide{0, 1})
	if carry != 0 {
		return false // 2^128 - 1
	}
	s := d.trailingZeros()
	d = d.shr(s)
	two := m.add(m.one, m.one)
	P := m.to(wide{0, p})
	v, w := P, m.sub(m.mul(P, P), two) // V_k, V_{k+1}
	for i := d.len() - 2; i >= 0; i-- {
		if d.bit(i) == 1 {
			v = m.sub(m.mul(v, w), P)
			w = m.sub(m.mul(w, w), two)
		} else {
			w = m.sub(m.mul(v, w), P)
			v = m.sub(m.mul(v, v), two)
		}
	}
	minusTwo, _ := m.n.sub(two)
	if (v == two || v == minusTwo) && m.add(w, w) == m.mul(P, v) {
		return true
	}
	for range s - 1 {
		if v.isZero() {
			return true
		}
		v = m.sub(m.mul(v, v), two)
	}
	return false
}

// bit returns bit i of w.
func (w wide) bit(i int) uint64 { return w.shr(uint(i)).lo & 1 }

// jacobiWide returns the Jacobi symbol (a/n) for a > 0 and odd n.
func jacobiWide(a uint64, n wide) int {
	j := 1
	s := bits.TrailingZeros64(a)
	a >>= s
	if s&1 == 1 && (n.lo&7 == 3 || n.lo&7 == 5) {
		j = -j
	}
	if a&n.lo&3 == 3 {
		j = -j
	}
	if a == 1 {
		return j
	}
	return j * jacobi(bits.Rem64(n.hi, n.lo, a), a)
}
