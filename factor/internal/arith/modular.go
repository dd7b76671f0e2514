package arith

import (
	"math/big"
	"math/bits"
)

// InverseMod returns 1/x mod p for 0 < x < p, p prime.
func InverseMod(x, p uint32) uint32 {
	u, v := int32(p), int32(x)
	a, b := int32(0), int32(1)
	for v != 0 {
		t := u / v
		u, v = v, u-t*v
		a, b = b, a-t*b
	}
	if a < 0 {
		a += int32(p)
	}
	return uint32(a)
}

// Reducer takes remainders of one number by many small primes.
type Reducer struct{ Words []uint64 }

// NewReducer returns one of n, which is 0 or more.
func NewReducer(n *big.Int) *Reducer {
	w := make([]uint64, (n.BitLen()+63)/64)
	PutWords(w, n)
	return &Reducer{w}
}

// Rem returns the number modulo p.
func (r *Reducer) Rem(p uint32) uint32 {
	var rem uint64
	for i := len(r.Words) - 1; i >= 0; i-- {
		w := r.Words[i]
		rem = (rem<<32 | w>>32) % uint64(p)
		rem = (rem<<32 | w&0xffffffff) % uint64(p)
	}
	return uint32(rem)
}

// IsSquareMod reports whether v, not 0 modulo the odd prime p, is a square.
func IsSquareMod(v, p uint64) bool { return Jacobi(v, p) == 1 }

// RootMod returns a square root of v modulo the prime p, v a square or zero; p^2
// must be in the range of the type (Tonelli and Shanks; Cohen, "A Course in Computational Algebraic Number
// Theory", 1.5.1).
func RootMod[T uint32 | uint64](v, p T) T {
	if v == 0 || p == 2 {
		return v
	}
	if p&3 == 3 {
		return expMod(v, (p+1)/4, p)
	}
	s := bits.TrailingZeros64(uint64(p - 1))
	d := (p - 1) >> s
	z := T(2)
	for Jacobi(uint64(z), uint64(p)) != -1 {
		z++
	}
	y := expMod(z, d, p)
	x := expMod(v, (d-1)/2, p)
	b := x * x % p * v % p
	x = x * v % p
	for b != 1 {
		m, t := 0, b
		for t != 1 {
			t = t * t % p
			m++
		}
		for range s - m - 1 {
			y = y * y % p
		}
		x = x * y % p
		y = y * y % p
		b = b * y % p
		s = m
	}
	return x
}

// expMod returns x^e mod p; p^2 must be in the range of the type.
func expMod[T uint32 | uint64](x, e, p T) T {
	y := T(1)
	for ; e > 0; e >>= 1 {
		if e&1 == 1 {
			y = y * x % p
		}
		x = x * x % p
	}
	return y
}
