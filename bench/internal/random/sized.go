package random

import (
	"math"
	"math/big"
	"math/rand/v2"
	"time"

	"fairfactor/factor"
)

// Sized returns a number that one thread of this machine factors in about that
// time, in one turn: the semiprime that came closest, with the shortest of three
// runs. Times longer than a turn can't be found this way.
func Sized(rng *rand.Rand, want time.Duration) (number string, took time.Duration) {
	runner := factor.NewRunner()
	for digits := 14; digits <= 60; digits++ {
		candidate := Semiprime(rng, digits)
		t := firstTurn(runner, candidate)
		if t < 0 {
			continue // not finished in one turn, which happens at any length
		}
		if t > 3*want {
			break
		}
		if number == "" || distance(t, want) < distance(took, want) {
			number, took = candidate, t
		}
	}
	return number, took
}

// distance is how far two times are from one another.
func distance(a, b time.Duration) time.Duration { return max(a-b, b-a) }

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

// Alike returns n different semiprimes of that many digits, which cost about the
// same: the products of each of some primes with each of some others.
func Alike(rng *rand.Rand, digits, n int) []string {
	side := int(math.Ceil(math.Sqrt(float64(n))))
	left, right := make([]*big.Int, side), make([]*big.Int, side)
	seen := map[string]bool{}
	for _, pool := range []struct {
		primes []*big.Int
		digits int
	}{{left, digits / 2}, {right, digits - digits/2}} {
		for i := range pool.primes {
			p := Prime(rng, pool.digits)
			for seen[p.String()] {
				p = Prime(rng, pool.digits)
			}
			seen[p.String()], pool.primes[i] = true, p
		}
	}
	numbers := make([]string, n)
	for i := range numbers {
		numbers[i] = new(big.Int).Mul(left[i/side], right[i%side]).String()
	}
	return numbers
}
