package factor

import (
	"errors"
	"math/big"
	"strconv"
	"strings"
)

var (
	// ErrNotNumber says that a text is not a positive integer in decimal digits.
	ErrNotNumber = errors.New("factor: not a positive integer in decimal digits")
	// ErrZero says that the number is zero, which has no factorization.
	ErrZero = errors.New("factor: zero has no prime factors")
)

// Canonical returns the decimal digits of s without leading zeros. Only ASCII
// digits are taken: no sign, space, exponent or separator ([ErrNotNumber]).
// Zero is [ErrZero].
func Canonical(s string) (string, error) {
	if s == "" {
		return "", ErrNotNumber
	}
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return "", ErrNotNumber
		}
	}
	s = strings.TrimLeft(s, "0")
	if s == "" {
		return "", ErrZero
	}
	return s, nil
}

// canonical reports whether s is what [Canonical] would return.
func canonical(s string) bool {
	if s == "" || s[0] == '0' {
		return false
	}
	for i := 0; i < len(s); i++ {
		if s[i]-'0' > 9 {
			return false
		}
	}
	return true
}

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

// parseWide returns the value of canonical digits; ok is false if s is not
// canonical or needs more than 128 bits.
func parseWide(s string) (w wide, ok bool) {
	if s == "" || s[0] == '0' || len(s) > 39 {
		return wide{}, false
	}
	for len(s) > 0 {
		k := min(len(s), chunkDigits)
		var v uint64
		for i := range k {
			d := s[i] - '0'
			if d > 9 {
				return wide{}, false
			}
			v = 10*v + uint64(d)
		}
		if w, ok = w.mulAdd(tenTo[k], v); !ok {
			return wide{}, false
		}
		s = s[k:]
	}
	return w, true
}

// appendWide appends the decimal digits of w.
func appendWide(dst []byte, w wide) []byte {
	if w.hi == 0 {
		return strconv.AppendUint(dst, w.lo, 10)
	}
	q, r := w.divSmall(tenTo[chunkDigits])
	dst = appendWide(dst, q)
	for d := tenTo[chunkDigits-1]; d > r && d > 1; d /= 10 {
		dst = append(dst, '0')
	}
	return strconv.AppendUint(dst, r, 10)
}

// parseBig returns the value of canonical digits of any length.
func parseBig(s string) (*big.Int, bool) {
	if !canonical(s) {
		return nil, false
	}
	return new(big.Int).SetString(s, 10)
}
