package ecm

import (
	"math"
	"time"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/fft"
	"fairfactor/factor/internal/stop"
)

// Level is one step of the search for larger and larger factors by elliptic
// curves.
type Level struct {
	Digits int    // size of the factors that it is made for
	B1, B2 uint64 // bounds of the two stages
	Curves uint64 // how many curves before the next level

	// The giant step of stage 2 with polynomials, and how many lots of its giants there
	// are; zero if a pair at a time is better.
	polyStep, lots uint64
}

// Levels follow Zimmermann and Dodson, "20 years of ECM" (ANTS 2006), table 1,
// with second bounds that suit one multiplication a pair. The last level has no
// end. With polynomials the second bound is some five times as far, and steps and lots are those
// that make the expected time until a factor of the level's digits is found the shortest at
// 120 to 300 digits, by Chance and polyNanos.
var Levels = [...]Level{
	{15, 2_000, 160_000, 25, 0, 0},
	{20, 11_000, 1_300_000, 90, 0, 0},
	{25, 50_000, 8_000_000, 240, 39_270, 1},
	{30, 250_000, 50_000_000, 500, 78_540, 1},
	{35, 1_000_000, 250_000_000, 1_100, 78_540, 2},
	{40, 3_000_000, 900_000_000, 2_900, 78_540, 6},
	{45, 11_000_000, 4_000_000_000, 5_500, 78_540, 16},
	{50, 43_000_000, 18_000_000_000, 9_000, 78_540, 48},
	{55, 110_000_000, 50_000_000_000, 22_000, 78_540, 96},
	{60, 260_000_000, 130_000_000_000, math.MaxUint64, 78_540, 192},
}

// mostLotNanos is what a lot of giants may take, in nanoseconds: it is a turn.
const mostLotNanos = 110e6

// leastPolyWords is the least size of numbers whose curves use polynomials: what is
// shorter goes to the sieve after a few curves.
const leastPolyWords = 6

// poly returns the step of polynomials for numbers of k words, nil without polynomials, and
// how many lots of its giants there are. Where the level's own takes too much time or memory
// it is the next smaller one, with twice as many lots.
func (l *Level) poly(k int) (s *polyStep, lots uint64) {
	if !fft.Fast(64*k) || l.polyStep == 0 || k < leastPolyWords {
		return nil, 0
	}
	lots = l.lots
	for i := len(polySteps) - 1; i >= 0; i-- {
		s := &polySteps[i]
		switch {
		case s.D > l.polyStep:
		case polyNanos(k, s) <= mostLotNanos && fft.MeetBytes(s.points, k, 64*k) <= maxMeeting:
			return s, lots
		default:
			lots *= 2
		}
	}
	return nil, 0
}

// Second returns the second bound of the level's curves on numbers of k words, on this
// machine.
func (l *Level) Second(k int) (B2 uint64) {
	if s, lots := l.poly(k); s != nil {
		return (lots*uint64(s.points) - 1) * s.D
	}
	return l.B2
}

// MostSecond is what Second is at most on any machine.
func (l *Level) MostSecond() uint64 {
	if s := polyStepOf(l.polyStep); s != nil {
		return max(l.B2, l.lots*uint64(s.points)*s.D) // fewer giants cover less, with twice the lots
	}
	return l.B2
}

// Goal is how many curves on numbers of k words there are before the next level, on this
// machine: fewer with polynomials, because more of them find something.
func (l *Level) Goal(k int) uint64 {
	if s, _ := l.poly(k); s == nil || l.Curves == math.MaxUint64 {
		return l.Curves
	}
	return uint64(math.Ceil(float64(l.Curves) * Chance(l.B1, l.B2, l.Digits) / Chance(l.B1, l.Second(k), l.Digits)))
}

// mulNanos is the time of one multiplication modulo a number of k words, in
// nanoseconds, within a curve; measured with BenchmarkMul on an AMD EPYC (Zen 4), Go
// 1.26, and with BenchmarkCurve on a Zen 5 where the products are in assembly.
func mulNanos(k int) float64 {
	switch {
	case k <= 2:
		return 9
	case arith.Assembly(64*k - 63):
		return 4 + 0.6*float64(k)*float64(k)
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

// GiantStepFor returns the step that makes stage 2 over a span of primes
// cheapest. The first giant is one step, so the primes must be above half of it.
func GiantStepFor(from, to uint64) uint64 {
	best := giantSteps[0]
	for _, d := range giantSteps[1:] {
		if d <= 2*from && stage2Muls(d, from, to) < stage2Muls(best, from, to) {
			best = d
		}
	}
	return best
}

// WholeNanos is the time of a whole curve of the level modulo k words.
func (l *Level) WholeNanos(k int) float64 {
	if s, lots := l.poly(k); s != nil {
		return mulNanos(k)*stage1Muls*float64(l.B1) + float64(lots)*polyNanos(k, s)
	}
	step := GiantStepFor(l.B1+1, l.B2)
	return mulNanos(k) * (stage1Muls*float64(l.B1) + stage2Muls(step, l.B1+1, l.B2))
}

// Whole sets the stages of w to those of a whole curve of the level. With polynomials it
// must be of one lot.
func (l *Level) Whole(w *Work, k int) {
	w.Hi, w.From, w.To = l.B1+1, l.B1+1, l.Second(k)
	if s, _ := l.poly(k); s != nil {
		w.Step = s.D
		return
	}
	w.Step = GiantStepFor(w.From, w.To)
}

// Batch returns how many whole curves fit in one turn modulo k words, 0 if a
// curve must be cut up.
func (l *Level) Batch(k int) uint64 {
	w := l.WholeNanos(k)
	if _, lots := l.poly(k); w > 2*stop.TurnNanos || lots > 1 {
		return 0
	}
	return uint64(max(1, stop.TurnNanos/w))
}

// Stage1Span is the width of a range of primes that fills a turn modulo k
// words.
func Stage1Span(k int) uint64 {
	return uint64(max(4, stop.TurnNanos/(stage1Muls*mulNanos(k))))
}

// Stage2 sets w to a piece of stage 2 from a prime on, as much as fills a turn: of
// polynomials one lot, which takes longer.
func (l *Level) Stage2(w *Work, from uint64, k int) {
	w.From = from
	if s, _ := l.poly(k); s != nil {
		w.Step, w.To = s.D, min(s.end(from), l.Second(k))
		return
	}
	span, step := l.stage2Span(k)
	w.Step, w.To = step, min(from/step*step+span+step/2, l.B2)
}

// stage2Span is the width of a range of primes that fills a turn of the level
// modulo k words, with the giant step to use.
func (l *Level) stage2Span(k int) (span, step uint64) {
	budget := stop.TurnNanos / mulNanos(k)
	step = giantSteps[0]
	for _, d := range giantSteps {
		setup := float64(d) + 4*float64(babiesOf[d])
		each := 10/float64(d) + 0.8/math.Log(float64(l.B2))
		if s := uint64(max(0, budget-setup) / each); s > span {
			span, step = s, d
		}
	}
	span = min(max(span, step), maxSpan)
	return span / step * step, step
}

// Nanos is the predicted time of c modulo k words.
func (c *Work) Nanos(k int) time.Duration {
	muls := 30.0 // setting up the curve
	if c.Hi != 0 {
		muls += stage1Muls * float64(c.Hi-c.Lo)
	}
	nanos := 0.0
	switch s := polyStepOf(c.Step); {
	case c.To != 0 && s != nil:
		nanos = polyNanos(k, s)
	case c.To != 0:
		muls += stage2Muls(c.Step, c.From, c.To)
	}
	return time.Duration(float64(c.Count) * (muls*mulNanos(k) + nanos))
}
