package ecm

import (
	"math"
	"math/big"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/fft"
)

// polyStep is a giant step of stage 2 with polynomials, which has that many giants at a time
// and nearly as many babies: a power of two that is not much more than half of phi(D).
type polyStep struct {
	D      uint64 // a multiple of 6
	points int
	babies int // j coprime to D, 1 <= j < D/2
}

// polySteps are multiples of 2 3 5 7 11, whose babies are 15/16 of the points.
var polySteps = [...]polyStep{
	{9240, 1024, 960}, {18480, 2048, 1920}, {39270, 4096, 3840}, {78540, 8192, 7680},
}

// polyStepOf returns the step with that D, nil if it is a step without polynomials.
func polyStepOf(D uint64) *polyStep {
	for i := range polySteps {
		if polySteps[i].D == D {
			return &polySteps[i]
		}
	}
	return nil
}

// first is the first giant of the primes from on.
func (s *polyStep) first(from uint64) uint64 { return max((from+s.D/2)/s.D, 1) }

// end is the end of the primes that one lot of giants from that prime on covers.
func (s *polyStep) end(from uint64) uint64 {
	return s.first(from)*s.D + uint64(s.points)*s.D - s.D/2
}

// polyRoom is the room of a stage 2 with polynomials, for one modulus at a time.
type polyRoom struct {
	mod  *big.Int
	step *polyStep
	ring *fft.Ring
	room fft.Meeting
}

// prepare makes polynomials modulo c's modulus for a step, unless they are there.
func (t *polyRoom) prepare(r *Runner, c *curveN, s *polyStep) {
	if t.mod == nil || t.step != s || t.mod.Cmp(c.Mod) != 0 {
		*t = polyRoom{mod: c.Mod, step: s, ring: fft.NewRing(arith.NewMontN(c.Mod), 2*s.points, r.Poller)}
	}
}

// stage2Poly is stage2 for all primes that the giants of a step cover from a prime on: the
// polynomial whose roots are the x-coordinates of the giants takes its values at those of the babies
// (Montgomery, "An FFT extension of the elliptic curve method of factorization", thesis,
// UCLA 1992; Zimmermann and Dodson, "20 years of ECM", section 3.2).
func (c *curveN) stage2Poly(r *Runner, x *big.Int, s *polyStep, from uint64) *big.Int {
	k := len(c.N)
	q := c.point()
	c.To(c.x(q), x)
	copy(c.z(q), c.One)
	babies, giants := make([]uint64, s.points*k), make([]uint64, s.points*k)
	if d := c.normalise(babies[:s.babies*k], c.multiples(q, s.D, s.babies)); d != nil {
		return d
	}
	if r.Poll() {
		return nil
	}
	step, _ := c.ladder(s.D, q)
	first := s.first(from)
	prev, cur := c.ladder(first, step)
	if first == 1 {
		prev = step
	}
	block := make([]pointN, 0, giantBlock)
	for i := 0; i < s.points; i += giantBlock {
		block = block[:0]
		for range giantBlock {
			block = append(block, prev)
			next := c.point()
			c.addPoint(next, cur, step, prev)
			prev, cur = cur, next
		}
		if d := c.normalise(giants[i*k:][:giantBlock*k], block); d != nil {
			return d
		}
		if r.Poll() {
			return nil
		}
	}
	r.poly.prepare(r, c, s)
	product := r.poly.ring.Meet(babies, giants, s.babies, &r.poly.room)
	if product == nil {
		return nil
	}
	if d := new(big.Int).GCD(nil, nil, c.From(product), c.Mod); d.Cmp(arith.One) != 0 {
		return d
	}
	return nil
}

// bytes is what a lot of giants takes, at most, for a number of k words: what the runner
// keeps for the next one, and the points themselves.
func (s *polyStep) bytes(k int) (kept, points int64) {
	size := s.points * k * 8
	return int64(fft.MeetBytes(s.points, k, 64*k)), int64(2*size + 2*size + 2*int(s.D/3)*k*8)
}

// TurnBytes is what a turn of curves takes for stage 2 with polynomials, at most; 0 if it
// has none.
func TurnBytes(payload []byte) int64 {
	w, err := DecodeWork(payload)
	if err != nil || w.To == 0 {
		return 0
	}
	s := polyStepOf(w.Step)
	if s == nil {
		return 0
	}
	kept, points := s.bytes((len(w.N) + 7) / 8)
	return kept + points
}

// Known is the part of TurnBytes that the runner keeps already.
func (r *Runner) Known(payload []byte) int64 {
	if r.poly.mod == nil {
		return 0
	}
	w, err := DecodeWork(payload)
	if err != nil || w.To == 0 || polyStepOf(w.Step) != r.poly.step || r.poly.mod.Cmp(new(big.Int).SetBytes(w.N)) != 0 {
		return 0
	}
	return r.Tables()
}

// Tables is what the runner keeps of stage 2 with polynomials for the next turn of the same
// number.
func (r *Runner) Tables() int64 {
	if r.poly.mod == nil {
		return 0
	}
	kept, _ := r.poly.step.bytes((r.poly.mod.BitLen() + 63) / 64)
	return kept
}

// polyNanos is the time of a lot of giants modulo a number of k words, measured with
// BenchmarkPoly on a Zen 5, with others at work. A Zen 3, with AVX2, takes twice as long, for a
// multiplication too.
func polyNanos(k int, s *polyStep) float64 {
	points := mulNanos(k) * (2*float64(s.D) + 14*float64(s.points))
	depth := math.Log2(float64(s.points)) - 10
	return points + float64(s.points)*float64(k)*(500+27*float64(k))*(1+0.1*depth)
}
