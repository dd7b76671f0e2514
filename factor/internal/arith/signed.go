package arith

import "math/bits"

// Signed returns v as 128 bits in two's complement.
func Signed(v int64) Uint128 { return Uint128{uint64(v >> 63), uint64(v)} }

// SignedMul returns a*x in two's complement.
func SignedMul(a uint64, x int64) Uint128 {
	hi, lo := bits.Mul64(a, uint64(max(x, -x)))
	w := Uint128{hi, lo}
	if x < 0 {
		w, _ = Uint128{}.Sub(w)
	}
	return w
}

// Abs returns the size of a number in two's complement.
func (w Uint128) Abs() Uint128 {
	if w.Hi>>63 == 1 {
		w, _ = Uint128{}.Sub(w)
	}
	return w
}
