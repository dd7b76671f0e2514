package factor

import "fairfactor/factor/internal/arith"

// AppendSmall appends the prime factors of n, which is not 0, ascending and with
// repetition. It is what a first turn finds, without the turn: for streams of small
// numbers, whose way would take longer than their factors.
func (r *Runner) AppendSmall(primes []uint64, n uint64) []uint64 {
	r.poller.Start(nil)
	r.parts, r.by = r.parts[:0], 0
	r.split128(arith.Uint128{Lo: n})
	for i := range r.parts {
		for range r.parts[i].exp {
			primes = append(primes, r.parts[i].w.Lo)
		}
	}
	return primes
}
