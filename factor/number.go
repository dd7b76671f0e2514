package factor

import (
	"errors"
	"math/big"
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

// parseBig returns the value of canonical digits of any length.
func parseBig(s string) (*big.Int, bool) {
	if !canonical(s) {
		return nil, false
	}
	return new(big.Int).SetString(s, 10)
}
