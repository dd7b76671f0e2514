package factor_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"fairfactor/factor"
)

// TestNoFormIsHarder takes the numbers of testdata/regressions.txt that have 40 to
// 60 digits through all their turns: none may need more than three times the CPU, by
// prediction, of ordinary numbers of its size, products of two primes.
func TestNoFormIsHarder(t *testing.T) {
	text, err := os.ReadFile("testdata/regressions.txt")
	if err != nil {
		t.Fatal(err)
	}
	r := seeded(t)
	run := factor.NewRunner()
	ordinary := map[int]time.Duration{} // by digits
	count, most, least := 0, 60, 20
	if testing.Short() {
		most, least = 44, 5
	}
	for line := range strings.Lines(string(text)) {
		n, form, _ := strings.Cut(line, "#")
		n = strings.TrimSpace(n)
		if len(n) < 40 || len(n) > most {
			continue
		}
		if ordinary[len(n)] == 0 {
			bits := (len(n)*3322 - 1000) / 2000
			for range 2 { // a curve may be lucky
				ordinary[len(n)] = max(ordinary[len(n)], work(t, run, product(r, bits, bits+1)))
			}
		}
		took := work(t, run, n)
		count++
		if bound := 3*ordinary[len(n)] + 20*time.Millisecond; took > bound {
			t.Errorf("%s, %s: %v, at most %v expected", n, strings.TrimSpace(form), took, bound)
		}
	}
	if count < least {
		t.Errorf("%d numbers only", count)
	}
}

// work factors n, verifies the answer, and returns the predicted CPU of all its
// turns.
func work(t *testing.T, run *factor.Runner, n string) (sum time.Duration) {
	t.Helper()
	m, err := factor.New(n)
	if err != nil {
		t.Fatal(err)
	}
	for turns := 0; !m.Done(); turns++ {
		next := m.Next(1)
		if len(next) == 0 || turns > 5000 {
			t.Fatalf("%s: %d turns, then %d: %+v", n, turns, len(next), m.Progress())
		}
		sum += next[0].Predict
		step(t, run, m, next[0])
	}
	if err := factor.Verify(n, m.Primes()); err != nil {
		t.Errorf("%s: %v", n, err)
	}
	return sum
}
