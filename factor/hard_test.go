package factor_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"fairfactor/factor"
)

// TestHardNumbers takes the numbers of testdata/hard.txt through all their turns: each must
// come apart into the primes there, and those of special forms in a small part of the time
// that the sieve would take.
func TestHardNumbers(t *testing.T) {
	text, err := os.ReadFile("testdata/hard.txt")
	if err != nil {
		t.Fatal(err)
	}
	run := factor.NewRunner()
	count, fast := 0, 0
	for line := range strings.Lines(string(text)) {
		n, rest, isNumber := strings.Cut(line, ":")
		primes, form, _ := strings.Cut(rest, "#")
		if !isNumber || strings.HasPrefix(line, "#") || testing.Short() && len(n) > 45 && !strings.Contains(form, "fast") {
			continue
		}
		var bound time.Duration
		if words := strings.Fields(form); words[0] == "fast" {
			if bound, err = time.ParseDuration(words[1] + strings.TrimSuffix(words[2], ":")); err != nil {
				t.Fatal(err)
			}
			fast++
		}
		count++
		m, err := factor.New(n)
		if err != nil {
			t.Fatal(err)
		}
		before, predicted := cpuTime(t), time.Duration(0)
		for !m.Done() {
			next := m.Next(1)
			if len(m.Remaining()) == 0 { // proofs follow
				bound = 0
			}
			if predicted += next[0].Predict; bound != 0 && predicted > 2*bound+100*time.Millisecond {
				t.Fatalf("%s, %s: %v so far, and %v to factor", n, strings.TrimSpace(form), predicted, m.Remaining())
			}
			step(t, run, m, next[0])
			if took := cpuTime(t) - before; bound != 0 && took > 20*bound+time.Second {
				t.Fatalf("%s, %s: %v of CPU", n, strings.TrimSpace(form), took)
			}
		}
		var got []string
		for _, p := range m.Primes() {
			for range p.Exponent {
				got = append(got, p.P)
			}
		}
		if strings.Join(got, " ") != strings.TrimSpace(primes) {
			t.Errorf("%s = %v", n, got)
		}
	}
	if count < 30 || fast != 10 {
		t.Errorf("%d numbers only, %d of them fast", count, fast)
	}
}
