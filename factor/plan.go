package factor

import (
	"math"
	"time"
)

// level is one step of the search for larger and larger factors by elliptic
// curves.
type level struct {
	digits int    // size of the factors that it is made for
	b1, b2 uint64 // bounds of the two stages
	curves uint64 // how many curves before the next level
}

// levels follow Zimmermann and Dodson, "20 years of ECM" (ANTS 2006), table 1,
// with second bounds that suit one multiplication a pair. The last level has no
// end.
var levels = [...]level{
	{15, 2_000, 160_000, 25},
	{20, 11_000, 1_300_000, 90},
	{25, 50_000, 8_000_000, 240},
	{30, 250_000, 50_000_000, 500},
	{35, 1_000_000, 250_000_000, 1_100},
	{40, 3_000_000, 900_000_000, 2_900},
	{45, 11_000_000, 4_000_000_000, 5_500},
	{50, 43_000_000, 18_000_000_000, 9_000},
	{55, 110_000_000, 50_000_000_000, 22_000},
	{60, 260_000_000, 130_000_000_000, math.MaxUint64},
}

// turnNanos is the CPU that a turn aims at, in nanoseconds.
const turnNanos = 20e6

// mulNanos is the time of one multiplication modulo a number of k words, in
// nanoseconds; measured with BenchmarkMul on an AMD EPYC (Zen 4), Go 1.26.
func mulNanos(k int) float64 {
	if k <= 2 {
		return 9
	}
	return 10 + 1.9*float64(k)*float64(k)
}

// stage1Muls is the multiplications of stage 1 for each unit of the range of
// primes: log2(e) bits, 9.3 multiplications a bit, additions included.
const stage1Muls = 1.4427 * 9.8

// stage2Muls estimates the multiplications of stage 2 over from to to.
func stage2Muls(step, from, to uint64) float64 {
	setup := float64(step) + 4*float64(babiesOf[step])
	span := float64(to - from)
	return setup + 10*span/float64(step) + 0.8*span/math.Log(float64(to))
}

// giantStepFor returns the step that makes stage 2 over a span of primes
// cheapest. The first giant is one step, so the primes must be above half of it.
func giantStepFor(from, to uint64) uint64 {
	best := giantSteps[0]
	for _, d := range giantSteps[1:] {
		if d <= 2*from && stage2Muls(d, from, to) < stage2Muls(best, from, to) {
			best = d
		}
	}
	return best
}

// wholeNanos is the time of a whole curve of the level modulo k words.
func (l *level) wholeNanos(k int) float64 {
	step := giantStepFor(l.b1+1, l.b2)
	return mulNanos(k) * (stage1Muls*float64(l.b1) + stage2Muls(step, l.b1+1, l.b2))
}

// batch returns how many whole curves fit in one turn modulo k words, 0 if a
// curve must be cut up.
func (l *level) batch(k int) uint64 {
	w := l.wholeNanos(k)
	if w > 2*turnNanos {
		return 0
	}
	return uint64(max(1, turnNanos/w))
}

// stage1Span is the width of a range of primes that fills a turn modulo k
// words.
func stage1Span(k int) uint64 {
	return uint64(max(4, turnNanos/(stage1Muls*mulNanos(k))))
}

// stage2Span is the width of a range of primes that fills a turn of the level
// modulo k words, with the giant step to use.
func (l *level) stage2Span(k int) (span, step uint64) {
	budget := turnNanos / mulNanos(k)
	step = giantSteps[0]
	for _, d := range giantSteps {
		setup := float64(d) + 4*float64(babiesOf[d])
		each := 10/float64(d) + 0.8/math.Log(float64(l.b2))
		if s := uint64(max(0, budget-setup) / each); s > span {
			span, step = s, d
		}
	}
	span = min(max(span, step), maxSpan)
	return span / step * step, step
}

// nanos is the predicted time of c modulo k words.
func (c *curves) nanos(k int) time.Duration {
	muls := 30.0 // setting up the curve
	if c.hi != 0 {
		muls += stage1Muls * float64(c.hi-c.lo)
	}
	if c.to != 0 {
		muls += stage2Muls(c.step, c.from, c.to)
	}
	return time.Duration(float64(c.count) * muls * mulNanos(k))
}
