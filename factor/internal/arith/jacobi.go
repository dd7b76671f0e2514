package arith

import "math/bits"

// Jacobi128 returns the Jacobi symbol (a/n) for a > 0 and odd n.
func Jacobi128(a uint64, n Uint128) int {
	j := 1
	s := bits.TrailingZeros64(a)
	a >>= s
	if s&1 == 1 && (n.Lo&7 == 3 || n.Lo&7 == 5) {
		j = -j
	}
	if a&n.Lo&3 == 3 {
		j = -j
	}
	if a == 1 {
		return j
	}
	return j * Jacobi(bits.Rem64(n.Hi, n.Lo, a), a)
}

// Jacobi returns the Jacobi symbol (a/n) for odd n.
func Jacobi(a, n uint64) int {
	j := 1
	for a != 0 {
		s := bits.TrailingZeros64(a)
		a >>= s
		if s&1 == 1 && (n&7 == 3 || n&7 == 5) {
			j = -j
		}
		if a&n&3 == 3 {
			j = -j
		}
		a, n = n%a, a
	}
	if n != 1 {
		return 0
	}
	return j
}
