package arith

import "strconv"

// tenTo holds the powers of ten that fit in 64 bits.
var tenTo = func() (t [20]uint64) {
	t[0] = 1
	for i := 1; i < len(t); i++ {
		t[i] = 10 * t[i-1]
	}
	return t
}()

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
