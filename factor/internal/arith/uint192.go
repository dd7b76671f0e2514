package arith

import (
	"math"
	"math/big"
	"math/bits"
)

// Uint192 is an integer modulo 2^192, least significant word first. Signed values
// are in two's complement.
type Uint192 [3]uint64

// Uint192Of returns v modulo 2^192.
func Uint192Of(v *big.Int) Uint192 {
	var t Uint192
	const per = 64 / bits.UintSize
	for i, w := range v.Bits() {
		if i/per < len(t) {
			t[i/per] |= uint64(w) << (uint(i%per) * bits.UintSize % 64)
		}
	}
	if v.Sign() < 0 {
		return t.neg()
	}
	return t
}

// Add returns t + u.
func (t Uint192) Add(u Uint192) Uint192 {
	w0, c := bits.Add64(t[0], u[0], 0)
	w1, c := bits.Add64(t[1], u[1], c)
	w2, _ := bits.Add64(t[2], u[2], c)
	return Uint192{w0, w1, w2}
}

// Sub returns t - u.
func (t Uint192) Sub(u Uint192) Uint192 {
	w0, b := bits.Sub64(t[0], u[0], 0)
	w1, b := bits.Sub64(t[1], u[1], b)
	w2, _ := bits.Sub64(t[2], u[2], b)
	return Uint192{w0, w1, w2}
}

// neg returns -t.
func (t Uint192) neg() Uint192 { return Uint192{}.Sub(t) }

// negative reports whether t is below zero as a signed value.
func (t Uint192) negative() bool { return t[2]>>63 == 1 }

// Abs returns the size of a signed value and whether it is negative.
func (t Uint192) Abs() (Uint192, bool) {
	if t.negative() {
		return t.neg(), true
	}
	return t, false
}

// IsZero reports whether t is zero.
func (t Uint192) IsZero() bool { return t[0]|t[1]|t[2] == 0 }

// Len returns the number of bits of t as an unsigned value.
func (t Uint192) Len() int {
	switch {
	case t[2] != 0:
		return 128 + bits.Len64(t[2])
	case t[1] != 0:
		return 64 + bits.Len64(t[1])
	}
	return bits.Len64(t[0])
}

// Log2 returns the logarithm of t > 0 as an unsigned value, good to a
// thousandth.
func (t Uint192) Log2() float64 {
	return math.Log2((float64(t[2])*0x1p64+float64(t[1]))*0x1p64 + float64(t[0]))
}

// Mul returns t*m and the word that does not fit.
func (t Uint192) Mul(m uint64) (Uint192, uint64) {
	h0, w0 := bits.Mul64(t[0], m)
	h1, w1 := bits.Mul64(t[1], m)
	h2, w2 := bits.Mul64(t[2], m)
	w1, c := bits.Add64(w1, h0, 0)
	w2, c = bits.Add64(w2, h1, c)
	return Uint192{w0, w1, w2}, h2 + c
}

// Times returns t*x for signed t and x.
func (t Uint192) Times(x int64) Uint192 {
	if x < 0 {
		p, _ := t.Mul(uint64(-x))
		return p.neg()
	}
	p, _ := t.Mul(uint64(x))
	return p
}

// TrailingZeros returns the exponent of 2 in t, 192 for zero.
func (t Uint192) TrailingZeros() int {
	switch {
	case t[0] != 0:
		return bits.TrailingZeros64(t[0])
	case t[1] != 0:
		return 64 + bits.TrailingZeros64(t[1])
	}
	return 128 + bits.TrailingZeros64(t[2])
}

// Shr returns t >> s as an unsigned value for s in 0 to 191.
func (t Uint192) Shr(s int) Uint192 {
	for ; s >= 64; s -= 64 {
		t = Uint192{t[1], t[2], 0}
	}
	if s > 0 {
		c := 64 - uint(s)
		t = Uint192{t[0]>>s | t[1]<<c, t[1]>>s | t[2]<<c, t[2] >> s}
	}
	return t
}

// DivSmall returns t / d and t mod d for d > 0 as unsigned values.
func (t Uint192) DivSmall(d uint64) (q Uint192, r uint64) {
	if t[2] != 0 {
		q[2], r = t[2]/d, t[2]%d
	}
	if r|t[1] != 0 {
		q[1], r = bits.Div64(r, t[1], d)
	}
	q[0], r = bits.Div64(r, t[0], d)
	return q, r
}

// Mod returns t mod d for 0 < d < 2^32 as an unsigned value.
func (t Uint192) Mod(d uint64) uint64 {
	r := t[1] % d
	if t[2] != 0 {
		r = bits.Rem64(t[2]%d, t[1], d)
	}
	return bits.Rem64(r, t[0], d)
}

// Big returns the signed value t.
func (t Uint192) Big() *big.Int {
	u, neg := t.Abs()
	v := BigOf(u[:])
	if neg {
		v.Neg(v)
	}
	return v
}
