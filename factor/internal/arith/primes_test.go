package arith

import (
	"math/big"
	"testing"
)

func TestPrimesBetween(t *testing.T) {
	for _, c := range [][2]uint64{{0, 100}, {2, 3}, {3, 4}, {4, 5}, {1000, 150_000}, {1 << 33, 1<<33 + 5000}, {7, 7}} {
		i := 0
		got := PrimesBetween(nil, c[0], c[1])
		for n := c[0]; n < c[1]; n++ {
			if new(big.Int).SetUint64(n).ProbablyPrime(0) {
				if i >= len(got) || got[i] != n {
					t.Fatalf("primes in %v: %d is missing", c, n)
				}
				i++
			}
		}
		if i != len(got) {
			t.Fatalf("primes in %v: %d too many", c, len(got)-i)
		}
	}
}
