package factor

import (
	"fmt"
	"math/big"
)

// Check makes sure of primes that are said to divide n, which is canonical: each must
// be canonical digits, above the one before it, divide n as often as its exponent
// says, and pass math/big's Baillie-PSW test. It returns what is left of n without
// them, "1" if that is nothing. Its errors are those of [Verify], which tests harder
// and takes some twenty times as long: a prime of 30 digits costs some 30 us here, one
// of 100 digits 200 us.
func Check(n string, primes []Prime) (rest string, err error) {
	left, ok := parseBig(n)
	if !ok {
		return "", ErrNotNumber
	}
	quotient, remainder := new(big.Int), new(big.Int)
	for i, p := range primes {
		v, ok := parseBig(p.P)
		if !ok {
			return "", ErrNotNumber
		}
		if p.Exponent < 1 || v.BitLen() < 2 || i > 0 && !ascends(primes[i-1].P, p.P) {
			return "", ErrProduct
		}
		for range p.Exponent { // ends at the first that does not divide: n has so many digits
			if quotient.QuoRem(left, v, remainder); remainder.Sign() != 0 {
				return "", ErrProduct
			}
			left, quotient = quotient, left
		}
		if !v.ProbablyPrime(0) {
			return "", fmt.Errorf("%w: %s", ErrComposite, p.P)
		}
	}
	return left.String(), nil
}
