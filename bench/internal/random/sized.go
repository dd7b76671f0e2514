package random

import (
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
