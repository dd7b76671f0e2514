package factor

import (
	"encoding/binary"
	"math/big"
	"math/bits"
)

// wide is an unsigned integer of 128 bits.
type wide struct{ hi, lo uint64 }

// less reports whether w < v.
func (w wide) less(v wide) bool {
	return w.hi < v.hi || w.hi == v.hi && w.lo < v.lo
}

// isZero reports whether w is zero.
func (w wide) isZero() bool { return w.hi|w.lo == 0 }

// len returns the number of bits of w, 0 to 128.
func (w wide) len() int {
	if w.hi != 0 {
		return 64 + bits.Len64(w.hi)
	}
	return bits.Len64(w.lo)
}

// trailingZeros returns the exponent of 2 in w, 128 for zero.
func (w wide) trailingZeros() uint {
	if w.lo != 0 {
		return uint(bits.TrailingZeros64(w.lo))
	}
	return 64 + uint(bits.TrailingZeros64(w.hi))
}

// shr returns w >> s for s in 0 to 127.
func (w wide) shr(s uint) wide {
	if s >= 64 {
		return wide{0, w.hi >> (s - 64)}
	}
	return wide{w.hi >> s, w.lo>>s | w.hi<<(64-s)}
}

// shl returns w << s for s in 0 to 127, modulo 2^128.
func (w wide) shl(s uint) wide {
	if s >= 64 {
		return wide{w.lo << (s - 64), 0}
	}
	return wide{w.hi<<s | w.lo>>(64-s), w.lo << s}
}

// add returns w + v modulo 2^128 and the carry.
func (w wide) add(v wide) (wide, uint64) {
	lo, c := bits.Add64(w.lo, v.lo, 0)
	hi, c := bits.Add64(w.hi, v.hi, c)
	return wide{hi, lo}, c
}

// sub returns w - v modulo 2^128 and the borrow.
func (w wide) sub(v wide) (wide, uint64) {
	lo, b := bits.Sub64(w.lo, v.lo, 0)
	hi, b := bits.Sub64(w.hi, v.hi, b)
	return wide{hi, lo}, b
}

// mulAdd returns w*m + a, and false if that does not fit.
func (w wide) mulAdd(m, a uint64) (wide, bool) {
	h1, l1 := bits.Mul64(w.hi, m)
	h0, l0 := bits.Mul64(w.lo, m)
	lo, c := bits.Add64(l0, a, 0)
	hi, c := bits.Add64(h0, l1, c)
	return wide{hi, lo}, h1|c == 0
}

// mul returns w*v, and false if that does not fit.
func (w wide) mul(v wide) (wide, bool) {
	if w.hi != 0 && v.hi != 0 {
		return wide{}, false
	}
	if w.hi == 0 {
		w, v = v, w
	}
	return w.mulAdd(v.lo, 0)
}

// divSmall returns w / d and w mod d for d > 0.
func (w wide) divSmall(d uint64) (q wide, r uint64) {
	q.hi, r = w.hi/d, w.hi%d
	q.lo, r = bits.Div64(r, w.lo, d)
	return q, r
}

// divExact returns w / d.p if that is an integer, for d.p > 1: from the low word
// up, what the quotient's low word takes from the high one first.
//
//go:norace
func (w wide) divExact(d *divisor) (q wide, ok bool) {
	q.lo = w.lo * d.inv
	if w.hi == 0 {
		return q, q.lo <= d.max
	}
	h, _ := bits.Mul64(q.lo, d.p)
	q.hi = (w.hi - h) * d.inv
	return q, q.hi <= d.max && h <= w.hi
}

// div returns w / d and w mod d for d > 0 (Knuth, TAOCP 2, 4.3.1).
//
//go:norace
func (w wide) div(d wide) (q, r wide) {
	if d.hi == 0 {
		q, rem := w.divSmall(d.lo)
		return q, wide{0, rem}
	}
	s := uint(bits.LeadingZeros64(d.hi))
	top := d.shl(s).hi
	half := w.shr(1)
	g, _ := bits.Div64(half.hi, half.lo, top)
	g = g >> (63 - s)
	if g != 0 {
		g--
	}
	p, _ := d.mulAdd(g, 0)
	r, _ = w.sub(p)
	if !r.less(d) {
		g++
		r, _ = r.sub(d)
	}
	return wide{0, g}, r
}

// gcd returns the greatest common divisor; gcd(w, 0) = w.
//
//go:norace
func (w wide) gcd(v wide) wide {
	if w.isZero() {
		return v
	}
	if v.isZero() {
		return w
	}
	s := min(w.trailingZeros(), v.trailingZeros())
	w = w.shr(w.trailingZeros())
	for {
		v = v.shr(v.trailingZeros())
		if v.hi|w.hi == 0 {
			return wide{0, gcd64(w.lo, v.lo)}.shl(s)
		}
		if v.less(w) {
			w, v = v, w
		}
		v, _ = v.sub(w)
		if v.isZero() {
			return w.shl(s)
		}
	}
}

// gcd64 returns the greatest common divisor; gcd64(a, 0) = a.
//
//go:norace
func gcd64(a, b uint64) uint64 {
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

// triple returns w with one word more.
func (w wide) triple() triple { return triple{w.lo, w.hi} }

// big returns w as a big integer.
func (w wide) big() *big.Int {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], w.hi)
	binary.BigEndian.PutUint64(b[8:], w.lo)
	return new(big.Int).SetBytes(b[:])
}

// wideOf returns the value of b, which is at most 16 bytes, most significant
// first.
func wideOf(b []byte) (w wide) {
	for _, x := range b {
		w = wide{w.hi<<8 | w.lo>>56, w.lo<<8 | uint64(x)}
	}
	return w
}

// appendBytes appends the bytes of w, most significant first, without leading
// zeros.
func (w wide) appendBytes(dst []byte) []byte {
	for s := (w.len() + 7) / 8 * 8; s > 0; s -= 8 {
		dst = append(dst, byte(w.shr(uint(s-8)).lo))
	}
	return dst
}
