package siqs

import (
	"math"

	"fairfactor/factor/internal/cpu"
	"fairfactor/factor/internal/stop"
	"fairfactor/factor/internal/wire"
)

// polynomialNanos estimates the time that a polynomial takes, in nanoseconds,
// within a third of what was measured from 40 to 95 digits: the sieve, the first
// look at what is found in it, and the roots.
func (s *Base) polynomialNanos() float64 {
	length := float64(s.parameters.Length)
	largest := float64(s.primes[len(s.primes)-1])
	root := 3.5
	if cpu.AVX2 && !cpu.AVX512 {
		root = 2.2 // for a shorter sieve
	}
	nanos := 3000 + 0.08*length + root*float64(len(s.primes))
	nanos += 0.5 * length * math.Log(math.Log(largest)/math.Log(float64(s.parameters.Skip)))
	if s.double > 0 {
		nanos += 0.3 * length
	}
	if !cpu.AVX2 {
		nanos *= slowdown
	}
	return nanos
}

// coefficientNanos is the time that setting up an a of that many primes takes.
func (s *Base) coefficientNanos(factors int) float64 {
	return float64(len(s.primes)) * (10 + 9*float64(factors))
}

// target is the CPU that the next turn aims at, in nanoseconds: near the end,
// half of what the open turns will not cover, to avoid sieving too far.
func (h *Collection) target() float64 {
	return min(stop.TurnNanos, max(shortest, (h.Left()-(h.handed-h.done))/2))
}

// shortest is in nanoseconds; a turn costs about a hundredth of that besides its work.
const shortest = 2e6

// NextWork cuts the next turn's work: polynomials that go on where the last turn
// ended, of one a or several. nums are the numbers of the a's; nil if there are
// no more a's.
func (h *Collection) NextWork() (w *Work, nums []int, nanos float64) {
	w = &Work{n: h.Base.N.Bytes(), k: h.Base.K, size: h.Base.parameters}
	each := h.Base.polynomialNanos()
	target := h.target()
	for nanos < target && len(w.Spans) < maxSpans {
		if len(h.coefficients) == 0 || h.from == 1<<(h.factors-1) {
			chosen := h.aSelector.next(h.Base)
			if chosen == nil {
				break
			}
			h.coefficients = append(h.coefficients, chosen)
			h.from = 0
			nanos += h.Base.coefficientNanos(h.factors)
		}
		count := min(int(math.Ceil((target-nanos)/each)), 1<<(h.factors-1)-h.from)
		count = max(count, 1)
		w.Spans = append(w.Spans, Span{h.coefficients[len(h.coefficients)-1], h.from, count})
		nums = append(nums, len(h.coefficients)-1)
		h.from += count
		nanos += float64(count) * each
	}
	if len(w.Spans) == 0 {
		return nil, nil, 0
	}
	h.handed += nanos
	return w, nums, nanos
}

// AddRelations checks and adds the relations in the data of the result of a turn that
// took nanos of CPU by prediction; nothing is added if anything is wrong.
func (h *Collection) AddRelations(data []byte, spans []Span, nums []int, nanos float64) error {
	var all []checkedRelation
	r := wire.Reader{B: data[2:]}
	for i := range spans {
		all = h.readSpan(all, &r, nums[i], &spans[i])
	}
	if r.Bad || len(r.B) != 0 {
		return wire.ErrTurn
	}
	for i := range all {
		h.add(&all[i])
	}
	h.done += nanos
	return nil
}
