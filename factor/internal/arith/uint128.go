package arith

import (
	"encoding/binary"
	"math/big"
	"math/bits"
)

// Bit returns bit i of w.
func (w Uint128) Bit(i int) uint64 { return w.Shr(uint(i)).Lo & 1 }

// Uint128 is an unsigned integer of 128 bits.
type Uint128 struct{ Hi, Lo uint64 }

// Less reports whether w < v.
func (w Uint128) Less(v Uint128) bool {
	return w.Hi < v.Hi || w.Hi == v.Hi && w.Lo < v.Lo
}

// IsZero reports whether w is zero.
func (w Uint128) IsZero() bool { return w.Hi|w.Lo == 0 }

// Len returns the number of bits of w, 0 to 128.
func (w Uint128) Len() int {
	if w.Hi != 0 {
		return 64 + bits.Len64(w.Hi)
	}
	return bits.Len64(w.Lo)
}

// TrailingZeros returns the exponent of 2 in w, 128 for zero.
func (w Uint128) TrailingZeros() uint {
	if w.Lo != 0 {
		return uint(bits.TrailingZeros64(w.Lo))
	}
	return 64 + uint(bits.TrailingZeros64(w.Hi))
}

// Shr returns w >> s for s in 0 to 127.
func (w Uint128) Shr(s uint) Uint128 {
	if s >= 64 {
		return Uint128{0, w.Hi >> (s - 64)}
	}
	return Uint128{w.Hi >> s, w.Lo>>s | w.Hi<<(64-s)}
}

// Shl returns w << s for s in 0 to 127, modulo 2^128.
func (w Uint128) Shl(s uint) Uint128 {
	if s >= 64 {
		return Uint128{w.Lo << (s - 64), 0}
	}
	return Uint128{w.Hi<<s | w.Lo>>(64-s), w.Lo << s}
}

// Add returns w + v modulo 2^128 and the carry.
func (w Uint128) Add(v Uint128) (Uint128, uint64) {
	lo, c := bits.Add64(w.Lo, v.Lo, 0)
	hi, c := bits.Add64(w.Hi, v.Hi, c)
	return Uint128{hi, lo}, c
}

// Sub returns w - v modulo 2^128 and the borrow.
func (w Uint128) Sub(v Uint128) (Uint128, uint64) {
	lo, b := bits.Sub64(w.Lo, v.Lo, 0)
	hi, b := bits.Sub64(w.Hi, v.Hi, b)
	return Uint128{hi, lo}, b
}

// MulAdd returns w*m + a, and false if that does not fit.
func (w Uint128) MulAdd(m, a uint64) (Uint128, bool) {
	h1, l1 := bits.Mul64(w.Hi, m)
	h0, l0 := bits.Mul64(w.Lo, m)
	lo, c := bits.Add64(l0, a, 0)
	hi, c := bits.Add64(h0, l1, c)
	return Uint128{hi, lo}, h1|c == 0
}

// Mul returns w*v, and false if that does not fit.
func (w Uint128) Mul(v Uint128) (Uint128, bool) {
	if w.Hi != 0 && v.Hi != 0 {
		return Uint128{}, false
	}
	if w.Hi == 0 {
		w, v = v, w
	}
	return w.MulAdd(v.Lo, 0)
}

// DivSmall returns w / d and w mod d for d > 0.
func (w Uint128) DivSmall(d uint64) (q Uint128, r uint64) {
	q.Hi, r = w.Hi/d, w.Hi%d
	q.Lo, r = bits.Div64(r, w.Lo, d)
	return q, r
}

// DivExact returns w / d.p if that is an integer, for d.p > 1: from the low word
// up, what the quotient's low word takes from the high one first.
//
//go:norace
func (w Uint128) DivExact(d *Divisor) (q Uint128, ok bool) {
	q.Lo = w.Lo * d.Inv
	if w.Hi == 0 {
		return q, q.Lo <= d.Max
	}
	h, _ := bits.Mul64(q.Lo, d.P)
	q.Hi = (w.Hi - h) * d.Inv
	return q, q.Hi <= d.Max && h <= w.Hi
}

// Div returns w / d and w mod d for d > 0 (Knuth, TAOCP 2, 4.3.1).
//
//go:norace
func (w Uint128) Div(d Uint128) (q, r Uint128) {
	if d.Hi == 0 {
		q, rem := w.DivSmall(d.Lo)
		return q, Uint128{0, rem}
	}
	s := uint(bits.LeadingZeros64(d.Hi))
	top := d.Shl(s).Hi
	half := w.Shr(1)
	g, _ := bits.Div64(half.Hi, half.Lo, top)
	g = g >> (63 - s)
	if g != 0 {
		g--
	}
	p, _ := d.MulAdd(g, 0)
	r, _ = w.Sub(p)
	if !r.Less(d) {
		g++
		r, _ = r.Sub(d)
	}
	return Uint128{0, g}, r
}

// GCD returns the greatest common divisor; gcd(w, 0) = w.
//
//go:norace
func (w Uint128) GCD(v Uint128) Uint128 {
	if w.IsZero() {
		return v
	}
	if v.IsZero() {
		return w
	}
	s := min(w.TrailingZeros(), v.TrailingZeros())
	w = w.Shr(w.TrailingZeros())
	for {
		v = v.Shr(v.TrailingZeros())
		if v.Hi|w.Hi == 0 {
			return Uint128{0, GCD64(w.Lo, v.Lo)}.Shl(s)
		}
		if v.Less(w) {
			w, v = v, w
		}
		v, _ = v.Sub(w)
		if v.IsZero() {
			return w.Shl(s)
		}
	}
}

// GCD64 returns the greatest common divisor; GCD64(a, 0) = a.
//
//go:norace
func GCD64(a, b uint64) uint64 {
	if a == 0 {
		return b
	}
	if b == 0 {
		return a
	}
	s := bits.TrailingZeros64(a | b)
	a >>= bits.TrailingZeros64(a)
	for b != 0 {
		b >>= bits.TrailingZeros64(b)
		if a > b {
			a, b = b, a
		}
		b -= a
	}
	return a << s
}

// Uint192 returns w with one word more.
func (w Uint128) Uint192() Uint192 { return Uint192{w.Lo, w.Hi} }

// Big returns w as a big integer.
func (w Uint128) Big() *big.Int {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], w.Hi)
	binary.BigEndian.PutUint64(b[8:], w.Lo)
	return new(big.Int).SetBytes(b[:])
}

// Uint128Of returns the value of b, which is at most 16 bytes, most significant
// first.
func Uint128Of(b []byte) (w Uint128) {
	for _, x := range b {
		w = Uint128{w.Hi<<8 | w.Lo>>56, w.Lo<<8 | uint64(x)}
	}
	return w
}

// AppendBytes appends the bytes of w, most significant first, without leading
// zeros.
func (w Uint128) AppendBytes(dst []byte) []byte {
	for s := (w.Len() + 7) / 8 * 8; s > 0; s -= 8 {
		dst = append(dst, byte(w.Shr(uint(s-8)).Lo))
	}
	return dst
}
