package arith

import "strconv"

// tenTo holds the powers of ten that fit in 64 bits.
var tenTo = [20]uint64{
	1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
}

// chunkDigits is how many decimal digits always fit in 64 bits.
const chunkDigits = 19

// ParseUint128 returns the value of canonical digits; ok is false if s is not
// canonical or needs more than 128 bits.
func ParseUint128(s string) (w Uint128, ok bool) {
	if s == "" || s[0] == '0' || len(s) > 39 {
		return Uint128{}, false
	}
	for len(s) > 0 {
		k := min(len(s), chunkDigits)
		var v uint64
		for i := range k {
			d := s[i] - '0'
			if d > 9 {
				return Uint128{}, false
			}
			v = 10*v + uint64(d)
		}
		if w, ok = w.MulAdd(tenTo[k], v); !ok {
			return Uint128{}, false
		}
		s = s[k:]
	}
	return w, true
}

// AppendUint128 appends the decimal digits of w.
func AppendUint128(dst []byte, w Uint128) []byte {
	if w.Hi == 0 {
		return strconv.AppendUint(dst, w.Lo, 10)
	}
	q, r := w.DivSmall(tenTo[chunkDigits])
	dst = AppendUint128(dst, q)
	for d := tenTo[chunkDigits-1]; d > r && d > 1; d /= 10 {
		dst = append(dst, '0')
	}
	return strconv.AppendUint(dst, r, 10)
}
