package prime

import "fairfactor/factor/internal/arith"

// ProvenBelow is the least number that passes the strong test to the first 13
// prime bases without being prime, 3317044064679887385961981 (Sorenson and
// Webster, Math. Comp. 86 (2017), 985-1003).
var ProvenBelow = arith.Uint128{Hi: 179817, Lo: 5885577656943027709}

// witnesses are the first 13 primes.
var witnesses = [...]uint64{2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41}

// Grade128 grades odd n > 2^64: the strong test to base 2 first, which almost
// all composites fail, then the witnesses that prove, or a Lucas test and the
// witnesses128 above what they prove.
func Grade128(n arith.Uint128) Grade {
	m := arith.NewMont128(n)
	if !strong128(m) {
		return Composite
	}
	if n.Less(ProvenBelow) {
		for i := 1; i < len(witnesses); i += witnessLanes {
			if !witnesses128(m, witnesses[i:i+witnessLanes]) {
				return Composite
			}
		}
		return Proven
	}
	if !lucas128(m) {
		return Composite
	}
	for _, w := range witnesses[1:] {
		if !strongTo128(m, w) {
			return Composite
		}
	}
	return Probable
}

// oddPart128 returns the odd part d and s with n - 1 = d*2^s.
func oddPart128(m *arith.Mont128) (d arith.Uint128, s uint) {
	d, _ = m.N.Sub(arith.Uint128{Lo: 1})
	s = d.TrailingZeros()
	return d.Shr(s), s
}

// passes128 ends a strong test, where x is the base to the odd part of n - 1.
func passes128(m *arith.Mont128, x arith.Uint128, s uint) bool {
	minus, _ := m.N.Sub(m.One)
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

// strong128 is the strong probable prime test to base 2.
func strong128(m *arith.Mont128) bool {
	d, s := oddPart128(m)
	left := d.Len() - 6
	x := m.To(arith.Uint128{Lo: 1}.Shl(uint(d.Shr(uint(left)).Lo))) // the six bits on top at once
	for i := left - 1; i >= 0; i-- {
		x = m.Mul(x, x)
		if d.Bit(i) == 1 {
			x = m.Add(x, x)
		}
	}
	return passes128(m, x, s)
}

// strongTo128 is the strong probable prime test to a small base.
func strongTo128(m *arith.Mont128, base uint64) bool {
	d, s := oddPart128(m)
	b := m.To(arith.Uint128{Lo: base})
	x := b
	for i := d.Len() - 2; i >= 0; i-- {
		x = m.Mul(x, x)
		if d.Bit(i) == 1 {
			x = m.Mul(x, b)
		}
	}
	return passes128(m, x, s)
}

// witnessLanes is how many strong tests run in step: the multiplications of one
// fill the gaps of the others.
const witnessLanes = 4

// witnesses128 is the strong test to witnessLanes bases, for n < 2^122: a base is
// below 2^6, so that base times a residue fits 128 bits and times another one is
// below n*2^128, which is all that mul asks for.
func witnesses128(m *arith.Mont128, bases []uint64) bool {
	d, s := oddPart128(m)
	var x [witnessLanes]arith.Uint128
	for j, w := range bases {
		x[j] = m.To(arith.Uint128{Lo: w})
	}
	for i := d.Len() - 2; i >= 0; i-- {
		bit := d.Bit(i) == 1
		for j := range x {
			y := x[j]
			if bit {
				y, _ = y.MulAdd(bases[j], 0)
			}
			x[j] = m.Mul(x[j], y)
		}
	}
	for j := range x {
		if !passes128(m, x[j], s) {
			return false
		}
	}
	return true
}

// lucas128 is the extra strong Lucas test; see Mont64.lucas.
func lucas128(m *arith.Mont128) bool {
	p := uint64(3)
	for ; ; p++ {
		j := arith.Jacobi128(p*p-4, m.N)
		if j == -1 {
			break
		}
		if j == 0 {
			return false
		}
		if p == 20 {
			if _, square := arith.Root128(m.N, 2); square {
				return false
			}
		}
	}
	d, carry := m.N.Add(arith.Uint128{Lo: 1})
	if carry != 0 {
		return false // 2^128 - 1
	}
	s := d.TrailingZeros()
	d = d.Shr(s)
	two := m.Add(m.One, m.One)
	P := m.To(arith.Uint128{Lo: p})
	v, w := P, m.Sub(m.Mul(P, P), two) // V_k, V_{k+1}
	for i := d.Len() - 2; i >= 0; i-- {
		if d.Bit(i) == 1 {
			v = m.Sub(m.Mul(v, w), P)
			w = m.Sub(m.Mul(w, w), two)
		} else {
			w = m.Sub(m.Mul(v, w), P)
			v = m.Sub(m.Mul(v, v), two)
		}
	}
	minusTwo, _ := m.N.Sub(two)
	if (v == two || v == minusTwo) && m.Add(w, w) == m.Mul(P, v) {
		return true
	}
	for range s - 1 {
		if v.IsZero() {
			return true
		}
		v = m.Sub(m.Mul(v, v), two)
	}
	return false
}
