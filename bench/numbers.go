package main

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"fairfactor/factor"
)

// newRand returns a generator that a seed and a stream make repeatable.
func newRand(seed, stream uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, stream)) }

// tenTo10 splits numbers up to 10^20 into two halves of ten digits.
const tenTo10 = 10_000_000_000

// uniform returns a number that is uniformly random in 10^6 .. 10^20, both
// included.
func uniform(rng *rand.Rand) string {
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

// logUniform returns a number in 10^6 .. 10^20 whose logarithm is uniformly random:
// small numbers are as likely as large ones.
func logUniform(rng *rand.Rand) string {
	v := math.Exp(math.Log(1e6) + rng.Float64()*math.Log(1e14))
	n, _ := big.NewFloat(v).Int(nil)
	// A float has 53 bits: the others are drawn, so that not all numbers above are
	// even.
	if low := n.BitLen() - 53; low > 0 {
		n.Add(n, new(big.Int).SetUint64(rng.Uint64N(1<<low)))
	}
	return n.String()
}

// wordSemiprime returns a product of 64 bits of two primes of 32 bits.
func wordSemiprime(rng *rand.Rand) string {
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

// small returns a number of seven digits, which costs next to nothing to factor.
func small(rng *rand.Rand) string { return strconv.FormatUint(1_000_000+rng.Uint64N(9_000_000), 10) }

// many draws numbers.
func many(n int, rng *rand.Rand, draw func(*rand.Rand) string) []string {
	numbers := make([]string, n)
	for i := range numbers {
		numbers[i] = draw(rng)
	}
	return numbers
}

// semiprime returns the product of two primes of half its digits each: the
// hardest kind of number of that length. It has exactly that many digits, at
// least 4.
func semiprime(rng *rand.Rand, digits int) string {
	p := primeAbove(rng, digits/2)
	q := primeAbove(rng, digits-digits/2)
	return p.Mul(p, q).String()
}

// primeAbove returns a random prime of that many digits, between about 3.3 and
// 9.9 times a power of ten, so that the product of two has all its digits.
func primeAbove(rng *rand.Rand, digits int) *big.Int {
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

// sized returns a number that one thread of this machine factors in about that
// time, in one turn: the semiprime that came closest, with the shortest of three
// runs. Times longer than a turn can't be found this way.
func sized(rng *rand.Rand, want time.Duration) (number string, took time.Duration) {
	runner := factor.NewRunner()
	for digits := 14; digits <= 60; digits++ {
		candidate := semiprime(rng, digits)
		t := firstTurn(runner, candidate)
		if t < 0 {
			continue // not finished in one turn, which happens at any length
		}
		if t > 3*want {
			break
		}
		if number == "" || apart(t, want) < apart(took, want) {
			number, took = candidate, t
		}
	}
	return number, took
}

// apart is how far two times are from one another.
func apart(a, b time.Duration) time.Duration { return max(a-b, b-a) }

// firstTurn returns the shortest of three runs of a number's first turn, or a
// negative time if that turn does not finish the number.
func firstTurn(runner *factor.Runner, number string) time.Duration {
	shortest := time.Duration(-1)
	for range 3 {
		m, err := factor.New(number)
		if err != nil {
			return -1
		}
		turns := m.Next(1)
		if len(turns) == 0 {
			return -1
		}
		start := time.Now()
		result, err := runner.Run(turns[0], nil)
		took := time.Since(start)
		if err != nil || m.Apply(result) != nil || !m.Done() {
			return -1
		}
		if shortest < 0 || took < shortest {
			shortest = took
		}
	}
	return shortest
}

// maxNames is how many different names there are.
const maxNames = 1_000_000

// callerNames returns n different names like client-042137, in the order drawn,
// none of which is taken; nil takes none.
func callerNames(rng *rand.Rand, n int, taken func(string) (bool, error)) (names []string, err error) {
	for seen := map[string]bool{}; len(names) < n; {
		if len(seen) == maxNames {
			return nil, fmt.Errorf("fewer than %d of the names client-000000 to client-999999 are free", n)
		}
		name := fmt.Sprintf("client-%06d", rng.IntN(maxNames))
		if seen[name] {
			continue
		}
		seen[name] = true
		if taken != nil {
			if is, err := taken(name); err != nil {
				return nil, err
			} else if is {
				continue
			}
		}
		names = append(names, name)
	}
	return names, nil
}

// ndjson is the body of a batch.
func ndjson(numbers []string) []byte {
	var b strings.Builder
	for _, n := range numbers {
		b.WriteString(`{"number":"`)
		b.WriteString(n)
		b.WriteString("\"}\n")
	}
	return []byte(b.String())
}
