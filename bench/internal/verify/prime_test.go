package verify

import (
	"math/big"
	"math/rand/v2"
	"testing"
	"time"
)

// TestIsPrime compares with math/big, whose test is exact below 2^64: all small
// numbers, random ones, the ends of the range, squares of primes, and strong
// pseudoprimes to many bases.
func TestIsPrime(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	numbers := []uint64{
		1<<64 - 1, 1<<64 - 59, 1<<64 - 83, 1<<63 - 25, 4294967291 * 4294967291, 41 * 41, 41 * 43,
		2047, 3215031751, 3474749660383, 341550071728321, 3825123056546413051, 318665857834031151,
	}
	for n := range uint64(20_000) {
		numbers = append(numbers, n)
	}
	for range 20_000 {
		numbers = append(numbers, rng.Uint64()>>rng.IntN(60)|1)
	}
	for _, n := range numbers {
		if got, want := isPrime(n), new(big.Int).SetUint64(n).ProbablyPrime(0); got != want {
			t.Errorf("%d: prime %v, want %v", n, got, want)
		}
	}
}
