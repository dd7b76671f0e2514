package factor

import (
	"math"
	"sync/atomic"
	"time"

	"fairfactor/factor/internal/siqs"
)

// predicted is the mean CPU of the first turn of a random number by its decimal
// digits, in nanoseconds, as BenchmarkPredict shows it (Zen 4, Go 1.26). Hard
// semiprimes up to 42 digits take up to ten times that. Above 600 digits or so
// the test for primality is all of it, and three times that for a prime.
var predicted = [...]struct {
	digits int
	nanos  float64
}{
	{1, 300},
	{7, 500},
	{11, 1_000},
	{15, 2_500},
	{18, 4_500},
	{20, 11_000},
	{22, 26_000},
	{24, 50_000},
	{28, 110_000},
	{32, 290_000},
	{36, 700_000},
	{40, 1_500_000},
	{50, 5_000_000},
	{60, 8_000_000},
	{100, 14_000_000},
	{400, 18_000_000},
	{500, 8_000_000},
	{700, 17_000_000},
	{1000, 38_000_000},
	{2000, 200_000_000},
	{5000, 1_800_000_000},
	{10_000, 10_000_000_000},
}

// predictions are Predict of 0, 1, 2 ... digits, nil before the first use. First reads
// them for each number, so it is a pointer: sync.OnceValue would cost 3 ns of 50.
var predictions atomic.Pointer[[256]time.Duration]

// fillPredictions computes predictions; twice, if two start at once.
func fillPredictions() *[256]time.Duration {
	t := new([256]time.Duration)
	for digits := range t {
		t[digits] = interpolate(digits)
	}
	predictions.Store(t)
	return t
}

// interpolate draws straight lines between the points of predicted, both axes
// logarithmic, and on beyond them.
func interpolate(digits int) time.Duration {
	i := 1
	for i < len(predicted)-1 && predicted[i].digits < digits {
		i++
	}
	a, b := predicted[i-1], predicted[i]
	slope := math.Log(b.nanos/a.nanos) / math.Log(float64(b.digits)/float64(a.digits))
	return time.Duration(a.nanos * math.Pow(float64(max(digits, 1))/float64(a.digits), slope))
}

// Predict returns the CPU that the first turn of a number of that many decimal
// digits will probably take.
func Predict(digits int) time.Duration {
	t := predictions.Load()
	if t == nil {
		t = fillPredictions()
	}
	if digits < len(t) {
		return t[max(digits, 0)]
	}
	return interpolate(digits)
}

// PredictHard returns the CPU that a product of two like primes, of that many
// decimal digits together, will probably take from the first turn to the last: what a
// number takes at most that is not beyond the quadratic sieve. Most take less.
func PredictHard(digits int) time.Duration {
	bits := int(float64(digits) * bitsPerDigit)
	first := float64(Predict(digits))
	if bits < hardBits {
		return time.Duration(first)
	}
	bits = min(bits, sieveBits)
	return time.Duration(first + (1+curveShare+algebraShare)*siqs.SieveNanos(bits))
}

const (
	bitsPerDigit = 3.3219
	hardBits     = 120 // below, the first turn is all there is to most numbers
	sieveBits    = 332 // above, there are only curves, for as long as a caller may have them
)
