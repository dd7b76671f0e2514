package factor_test

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"fairfactor/factor"
)

// TestAppendSmall: the same primes as those of the first turn.
func TestAppendSmall(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng, r := rand.New(rand.NewPCG(seed, 0)), factor.NewRunner()
	numbers := []uint64{1, 2, 4, 1 << 63, 18446744073709551557, 18446744073709551615, 4294967291 * 4294967291, 307 * 307, 600851475143}
	for range 20_000 {
		numbers = append(numbers, max(rng.Uint64()>>rng.UintN(64), 1))
	}
	for _, n := range numbers {
		first, err := r.RunFirst(strconv.FormatUint(n, 10), nil)
		if err != nil {
			t.Fatal(err)
		}
		primes, _, err := factor.Decode(strconv.FormatUint(n, 10), first)
		if err != nil {
			t.Fatal(err)
		}
		want := []uint64{7}
		for _, p := range primes {
			for range p.Exponent {
				v, _ := strconv.ParseUint(p.P, 10, 64)
				want = append(want, v)
			}
		}
		if got := r.AppendSmall([]uint64{7}, n); !slices.Equal(got, want) {
			t.Errorf("%d: %v, want %v", n, got, want)
		}
	}
}
