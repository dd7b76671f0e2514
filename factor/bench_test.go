package factor_test

import (
	"context"
	"fmt"
	"math/big"
	"math/rand/v2"
	"testing"

	"fairfactor/factor"
)

// answer runs n's first turn and decodes it.
func answer(tb testing.TB, r *factor.Runner, n string) ([]factor.Prime, bool) {
	res, err := r.Run(factor.First(n), nil)
	if err != nil {
		tb.Fatal(n, err)
	}
	p, done, err := factor.Decode(n, res)
	if err != nil {
		tb.Fatal(n, err)
	}
	return p, done
}

// benchmarkNumbers runs and decodes first turns as the service does.
func benchmarkNumbers(b *testing.B, numbers []string) {
	r := factor.NewRunner()
	var decoder factor.Decoder
	undone := 0
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		n := numbers[i%len(numbers)]
		res, err := r.RunFirst(n, nil)
		if err != nil {
			b.Fatal(n, err)
		}
		_, done, err := decoder.Decode(n, res)
		if err != nil {
			b.Fatal(n, err)
		}
		if !done {
			undone++
		}
		i++
	}
	if undone > 0 {
		b.ReportMetric(float64(undone)/float64(i), "undone/op")
	}
}

// primeOf returns a random prime of that many bits.
func primeOf(r *rand.Rand, bits int) *big.Int {
	for {
		p := new(big.Int).SetUint64(r.Uint64() | 1<<63 | 1)
		for p.BitLen() < bits {
			p.Lsh(p, 64).Or(p, new(big.Int).SetUint64(r.Uint64()|1))
		}
		p.Rsh(p, uint(p.BitLen()-bits))
		p.SetBit(p, 0, 1)
		if p.ProbablyPrime(0) {
			return p
		}
	}
}

// BenchmarkUniform is the service workload: uniform random numbers from 10^6 to
// 10^20.
func BenchmarkUniform(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	span := new(big.Int).Exp(big.NewInt(10), big.NewInt(20), nil)
	numbers := make([]string, 20000)
	for i := range numbers {
		n := new(big.Int).SetUint64(r.Uint64())
		n.Lsh(n, 64).Or(n, new(big.Int).SetUint64(r.Uint64()))
		numbers[i] = n.Mod(n, span).Add(n, big.NewInt(1_000_000)).String()
	}
	benchmarkNumbers(b, numbers)
}

// BenchmarkLogUniform draws the size uniformly, 7 to 20 digits.
func BenchmarkLogUniform(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	numbers := make([]string, 20000)
	for i := range numbers {
		numbers[i] = randomDigits(r, 7+r.IntN(14))
	}
	benchmarkNumbers(b, numbers)
}

// BenchmarkSemiprime factors products of two primes of like size.
func BenchmarkSemiprime(b *testing.B) {
	for _, bits := range []int{30, 36, 40, 44, 48, 54, 60, 64, 66, 72, 80, 93, 100, 108, 116, 122, 127} {
		b.Run(fmt.Sprintf("%dbit", bits), func(b *testing.B) {
			r := rand.New(rand.NewPCG(uint64(bits), 3))
			numbers := make([]string, 1000)
			for i := range numbers {
				n := new(big.Int)
				for n.BitLen() != bits {
					n.Mul(primeOf(r, bits/2), primeOf(r, bits-bits/2))
				}
				numbers[i] = n.String()
			}
			benchmarkNumbers(b, numbers)
		})
	}
}

// BenchmarkPrime tests primes.
func BenchmarkPrime(b *testing.B) {
	for _, bits := range []int{32, 64, 66, 80, 128} {
		b.Run(fmt.Sprintf("%dbit", bits), func(b *testing.B) {
			r := rand.New(rand.NewPCG(uint64(bits), 4))
			numbers := make([]string, 100)
			for i := range numbers {
				numbers[i] = primeOf(r, bits).String()
			}
			benchmarkNumbers(b, numbers)
		})
	}
}

// BenchmarkFirst makes the first turn of a number of 20 digits.
func BenchmarkFirst(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		factor.First("98765432109876543210")
	}
}

// BenchmarkProduct multiplies out a number of 20 digits.
func BenchmarkProduct(b *testing.B) {
	primes, _ := answer(b, factor.NewRunner(), "98765432109876543210")
	b.ReportAllocs()
	for b.Loop() {
		if err := factor.Product("98765432109876543210", primes); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSieve factors products of two primes of like size above 128 bits from
// the first turn to the last, with one worker.
func BenchmarkSieve(b *testing.B) {
	for _, digits := range []int{40, 45, 50, 55, 60} {
		b.Run(fmt.Sprintf("%ddigits", digits), func(b *testing.B) {
			r := rand.New(rand.NewPCG(uint64(digits), 6))
			numbers := make([]string, 16)
			for i := range numbers {
				for len(numbers[i]) != digits {
					bits := int(float64(digits)*3.3219) / 2
					numbers[i] = new(big.Int).Mul(primeOf(r, bits), primeOf(r, bits+r.IntN(2))).String()
				}
			}
			i := 0
			for b.Loop() {
				if _, err := factor.Factorize(context.Background(), numbers[i%len(numbers)], 1); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}
