package factor_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"fairfactor/factor"
)

// TestPredict checks that predictions grow with the number as far as the methods
// do, and stay sane beyond every bound.
func TestPredict(t *testing.T) {
	last := time.Duration(0)
	for digits := -1; digits <= 100; digits++ {
		p := factor.Predict(digits)
		if p < last || p <= 0 || p > 20*time.Millisecond {
			t.Errorf("%d digits: %v, one digit less %v", digits, p, last)
		}
		last = p
	}
	for _, c := range []struct {
		digits   int
		from, to time.Duration
	}{
		{20, 5 * time.Microsecond, 25 * time.Microsecond},
		{255, 5 * time.Millisecond, 30 * time.Millisecond},
		{256, 5 * time.Millisecond, 30 * time.Millisecond},
		{1000, 20 * time.Millisecond, 80 * time.Millisecond},
		{10_000, 5 * time.Second, 20 * time.Second},
		{20_000, 20 * time.Second, 200 * time.Second},
	} {
		if p := factor.Predict(c.digits); p < c.from || p > c.to {
			t.Errorf("%d digits: %v, not from %v to %v", c.digits, p, c.from, c.to)
		}
	}
}

// BenchmarkPredict measures what Predict claims: the first turn of random
// numbers.
func BenchmarkPredict(b *testing.B) {
	for _, digits := range []int{1, 7, 11, 15, 18, 20, 22, 24, 28, 32, 36, 40, 50, 60, 100, 200, 400, 500, 700, 1000} {
		b.Run(fmt.Sprintf("%ddigits", digits), func(b *testing.B) {
			r := rand.New(rand.NewPCG(uint64(digits), 5))
			turns := make([]factor.Turn, max(20, 4000/digits))
			for i := range turns {
				turns[i] = factor.First(randomDigits(r, digits))
			}
			run := factor.NewRunner()
			i := 0
			for b.Loop() {
				if _, err := run.Run(turns[i%len(turns)], nil); err != nil {
					b.Fatal(err)
				}
				i++
			}
			b.ReportMetric(float64(factor.Predict(digits)), "predicted-ns")
		})
	}
}

// randomDigits returns a random number of that many decimal digits.
func randomDigits(r *rand.Rand, digits int) string {
	text := make([]byte, digits)
	for i := range text {
		text[i] = '0' + byte(r.IntN(10))
	}
	text[0] = '1' + byte(r.IntN(9))
	return string(text)
}
