package factor

import (
	"math"

	"fairfactor/factor/internal/cpu"
)

// polynomialNanos estimates the time that a polynomial takes, in nanoseconds,
// within a third of what was measured from 40 to 80 digits: the sieve, the first
// look at what is found in it, and the roots.
func (s *siqsBase) polynomialNanos() float64 {
	length := float64(s.size.length)
	largest := float64(s.primes[len(s.primes)-1])
	nanos := 3000 + 0.08*length + 3.5*float64(len(s.primes))
	nanos += 0.5 * length * math.Log(math.Log(largest)/math.Log(float64(s.size.skip)))
	if s.double > 0 {
		nanos += 0.3 * length
	}
	if !cpu.AVX2 {
		nanos *= slowdown
	}
	return nanos
}

// leadingNanos is the time that setting up an a of that many primes takes.
func (s *siqsBase) leadingNanos(factors int) float64 {
	return float64(len(s.primes)) * (10 + 9*float64(factors))
}

// target is the CPU that the next turn aims at, in nanoseconds: half of what is
// left beside the open turns near the end, so that not much too much is sieved.
func (h *harvest) target() float64 {
	most := float64(turnNanos)
	if h.base.size.bits > longBits {
		most *= 2
	}
	return min(most, max(shortest, (h.left()-(h.handed-h.done))/2))
}

const (
	longBits = 215 // numbers whose turns are twice as long: their tables are large
	shortest = 2e6 // nanoseconds; a turn costs about a hundredth of that beside its work
)

// next cuts the next turn's work: polynomials that go on where the last turn
// ended, of one a or several. nums are the numbers of the a's; nil if there are
// no more a's.
func (h *harvest) next() (w *sieving, nums []int, nanos float64) {
	w = &sieving{n: h.base.n.Bytes(), k: h.base.k, size: h.base.size}
	each := h.base.polynomialNanos()
	target := h.target()
	for nanos < target && len(w.spans) < maxSpans {
		if len(h.as) == 0 || h.from == 1<<(h.factors-1) {
			chosen := h.chooser.next(h.base)
			if chosen == nil {
				break
			}
			h.as = append(h.as, chosen)
			h.from = 0
			nanos += h.base.leadingNanos(h.factors)
		}
		count := min(int(math.Ceil((target-nanos)/each)), 1<<(h.factors-1)-h.from)
		count = max(count, 1)
		w.spans = append(w.spans, span{h.as[len(h.as)-1], h.from, count})
		nums = append(nums, len(h.as)-1)
		h.from += count
		nanos += float64(count) * each
	}
	if len(w.spans) == 0 {
		return nil, nil, 0
	}
	h.handed += nanos
	return w, nums, nanos
}

// takeAll checks and adds the relations in the data of a turn's result; nothing
// is added if anything is wrong.
func (h *harvest) takeAll(data []byte, spans []span, nums []int) error {
	var all []checked
	r := reader{b: data[2:]}
	for i := range spans {
		all = h.take(all, &r, nums[i], &spans[i])
	}
	if r.bad || len(r.b) != 0 {
		return ErrTurn
	}
	for i := range all {
		h.add(&all[i])
	}
	return nil
}
