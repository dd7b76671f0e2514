package factor_test

import (
	"math/big"
	"testing"

	"fairfactor/factor"
)

// TestProductsOfSmallPrimes factors products of neighbouring primes, with powers, in
// one turn each: primes just above those of trial division, around 2^16 and below 2^20.
func TestProductsOfSmallPrimes(t *testing.T) {
	run := factor.NewRunner()
	for _, c := range []struct {
		from, to int64
		exp      int
	}{{311, 800, 1}, {311, 2300, 1}, {311, 420, 2}, {9000, 9500, 3}, {65_000, 67_000, 1}, {65_500, 65_522, 5}, {1_040_000, 1_048_576, 1}} {
		n, count := big.NewInt(1), 0
		for p := c.from; p < c.to; p++ {
			if v := big.NewInt(p); v.ProbablyPrime(0) {
				n.Mul(n, v.Exp(v, big.NewInt(int64(c.exp)), nil))
				count++
			}
		}
		primes, done := answer(t, run, n.String())
		if !done || len(primes) != count || primes[0].Exponent != c.exp {
			t.Errorf("primes from %d to %d: %d of %d, done %v", c.from, c.to, len(primes), count, done)
		}
		if err := factor.Product(n.String(), primes); err != nil {
			t.Errorf("primes from %d to %d: %v", c.from, c.to, err)
		}
	}
}
