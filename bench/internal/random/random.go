// Package random draws the numbers to factor. A seed makes them repeatable.
package random

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
)

// New returns a generator that a seed and a stream make repeatable.
func New(seed, stream uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, stream)) }

// tenTo10 splits numbers up to 10^20 into two halves of ten digits.
const tenTo10 = 10_000_000_000

// Uniform returns a number that is uniformly random in 10^6 .. 10^20, both
// included.
func Uniform(rng *rand.Rand) string {
	for {
		hi, lo := rng.Uint64N(tenTo10+1), rng.Uint64N(tenTo10)
		switch {
		case hi == 0 && lo < 1_000_000, hi == tenTo10 && lo > 0:
			continue // out of range: draw again, so that the rest stays uniform
		case hi == 0:
			return strconv.FormatUint(lo, 10)
		}
		return fmt.Sprintf("%d%010d", hi, lo)
	}
}

// LogUniform returns a number in 10^6 .. 10^20 whose logarithm is uniformly random:
// small numbers are as likely as large ones.
func LogUniform(rng *rand.Rand) string {
	v := math.Exp(math.Log(1e6) + rng.Float64()*math.Log(1e14))
	n, _ := big.NewFloat(v).Int(nil)
	// A float has 53 bits: the others are drawn, so that not all numbers above are
	// even.
	if low := n.BitLen() - 53; low > 0 {
		n.Add(n, new(big.Int).SetUint64(rng.Uint64N(1<<low)))
	}
	return n.String()
}

// WordSemiprime returns a product of 64 bits of two primes of 32 bits.
func WordSemiprime(rng *rand.Rand) string {
	for {
		p, q := primeOfWord(rng), primeOfWord(rng)
		if n := p * q; n>>63 == 1 {
			return strconv.FormatUint(n, 10)
		}
	}
}

func primeOfWord(rng *rand.Rand) uint64 {
	for {
		p := uint64(rng.Uint32() | 1<<31 | 1)
		if new(big.Int).SetUint64(p).ProbablyPrime(0) {
			return p
		}
	}
}

// Small returns a number of seven digits, which costs next to nothing to factor.
func Small(rng *rand.Rand) string { return strconv.FormatUint(1_000_000+rng.Uint64N(9_000_000), 10) }

// Many draws numbers.
func Many(n int, rng *rand.Rand, draw func(*rand.Rand) string) []string {
	numbers := make([]string, n)
	for i := range numbers {
		numbers[i] = draw(rng)
	}
	return numbers
}

// Semiprime returns the product of two primes of half its digits each: the
// hardest kind of number of that length. It has exactly that many digits, at
// least 4.
func Semiprime(rng *rand.Rand, digits int) string {
	p := Prime(rng, digits/2)
	q := Prime(rng, digits-digits/2)
	return p.Mul(p, q).String()
}

// Prime returns a random prime of that many digits, between about 3.3 and
// 9.9 times a power of ten, so that the product of two has all its digits.
func Prime(rng *rand.Rand, digits int) *big.Int {
	text := make([]byte, digits)
	for i := range text {
		text[i] = '0' + byte(rng.IntN(10))
	}
	text[0] = '4' + byte(rng.IntN(5))
	text[digits-1] |= 1
	p, _ := new(big.Int).SetString(string(text), 10)
	for two := big.NewInt(2); !p.ProbablyPrime(20); {
		p.Add(p, two)
	}
	return p
}
