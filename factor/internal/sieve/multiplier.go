package sieve

import (
	"math"
	"sync"

	"fairfactor/factor/internal/arith"
)

// MultiplierPrimes are the odd primes whose behaviour decides among the
// multipliers.
var MultiplierPrimes = [...]uint64{3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61}

// multiplierWorth is a multiplier, with what it is worth.
type multiplierWorth struct {
	K    uint64
	At8  [8]float32                     // by n modulo 8: the prime 2, and the growth of kn
	Sign [len(MultiplierPrimes)]float32 // (k/p), times what a root modulo p is worth
	Mean float32                        // what all these primes are worth on average
}

// Multipliers are the small numbers without odd squares.
var Multipliers = sync.OnceValue(func() (t []multiplierWorth) {
	for k := uint64(1); k < 74; k++ {
		if k%4 == 0 || k%9 == 0 || k%25 == 0 || k%49 == 0 {
			continue
		}
		w := multiplierWorth{K: k}
		for n := range uint64(8) {
			score := -0.5 * math.Log(float64(k))
			switch k * n & 7 {
			case 1:
				score += 2 * math.Ln2
			case 5:
				score += math.Ln2
			case 3, 7:
				score += 0.5 * math.Ln2
			}
			w.At8[n] = float32(score)
		}
		for i, p := range MultiplierPrimes {
			gain := math.Log(float64(p)) / float64(p-1)
			w.Sign[i] = float32(gain) * float32(arith.Jacobi(k%p, p))
			w.Mean += float32(gain)
		}
		t = append(t, w)
	}
	return t
})
