package factor

import (
	"math"
	"math/big"
	"math/bits"
)

// triple is an integer modulo 2^192, least significant word first. Signed values
// are in two's complement.
type triple [3]uint64

// tripleOf returns v modulo 2^192.
func tripleOf(v *big.Int) triple {
	var t triple
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

// add returns t + u.
func (t triple) add(u triple) triple {
	w0, c := bits.Add64(t[0], u[0], 0)
	w1, c := bits.Add64(t[1], u[1], c)
	w2, _ := bits.Add64(t[2], u[2], c)
	return triple{w0, w1, w2}
}

// sub returns t - u.
func (t triple) sub(u triple) triple {
	w0, b := bits.Sub64(t[0], u[0], 0)
	w1, b := bits.Sub64(t[1], u[1], b)
	w2, _ := bits.Sub64(t[2], u[2], b)
	return triple{w0, w1, w2}
}

// neg returns -t.
func (t triple) neg() triple { return triple{}.sub(t) }

// negative reports whether t is below zero as a signed value.
func (t triple) negative() bool { return t[2]>>63 == 1 }

// abs returns the size of a signed value and whether it is negative.
func (t triple) abs() (triple, bool) {
	if t.negative() {
		return t.neg(), true
	}
	return t, false
}

// isZero reports whether t is zero.
func (t triple) isZero() bool { return t[0]|t[1]|t[2] == 0 }

// len returns the number of bits of t as an unsigned value.
func (t triple) len() int {
	switch {
	case t[2] != 0:
		return 128 + bits.Len64(t[2])
	case t[1] != 0:
		return 64 + bits.Len64(t[1])
	}
	return bits.Len64(t[0])
}

// log2 returns the logarithm of t > 0 as an unsigned value, good to a
// thousandth.
func (t triple) log2() float64 {
	return math.Log2((float64(t[2])*0x1p64+float64(t[1]))*0x1p64 + float64(t[0]))
}

// mul returns t*m and the word that does not fit.
func (t triple) mul(m uint64) (triple, uint64) {
	h0, w0 := bits.Mul64(t[0], m)
	h1, w1 := bits.Mul64(t[1], m)
	h2, w2 := bits.Mul64(t[2], m)
	w1, c := bits.Add64(w1, h0, 0)
	w2, c = bits.Add64(w2, h1, c)
	return triple{w0, w1, w2}, h2 + c
}

// times returns t*x for signed t and x.
func (t triple) times(x int64) triple {
	if x < 0 {
		p, _ := t.mul(uint64(-x))
		return p.neg()
	}
	p, _ := t.mul(uint64(x))
	return p
}

// trailingZeros returns the exponent of 2 in t, 192 for zero.
func (t triple) trailingZeros() int {
	switch {
	case t[0] != 0:
		return bits.TrailingZeros64(t[0])
	case t[1] != 0:
		return 64 + bits.TrailingZeros64(t[1])
	}
	return 128 + bits.TrailingZeros64(t[2])
}

// shr returns t >> s as an unsigned value for s in 0 to 191.
func (t triple) shr(s int) triple {
	for ; s >= 64; s -= 64 {
		t = triple{t[1], t[2], 0}
	}
	if s > 0 {
		c := 64 - uint(s)
		t = triple{t[0]>>s | t[1]<<c, t[1]>>s | t[2]<<c, t[2] >> s}
	}
	return t
}

// divSmall returns t / d and t mod d for d > 0 as unsigned values.
func (t triple) divSmall(d uint64) (q triple, r uint64) {
	if t[2] != 0 {
		q[2], r = t[2]/d, t[2]%d
	}
	if r|t[1] != 0 {
		q[1], r = bits.Div64(r, t[1], d)
	}
	q[0], r = bits.Div64(r, t[0], d)
	return q, r
}

// mod returns t mod d for 0 < d < 2^32 as an unsigned value.
func (t triple) mod(d uint64) uint64 {
	r := t[1] % d
	if t[2] != 0 {
		r = bits.Rem64(t[2]%d, t[1], d)
	}
	return bits.Rem64(r, t[0], d)
}

// big returns the signed value t.
func (t triple) big() *big.Int {
	u, neg := t.abs()
	v := bigOf(u[:])
	if neg {
		v.Neg(v)
	}
	return v
}
