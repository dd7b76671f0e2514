package arith

import "math"

// PrimesBetween appends the primes p with lo <= p < hi, ascending.
//
//go:norace
func PrimesBetween(dst []uint64, lo, hi uint64) []uint64 {
	if lo <= 2 && hi > 2 {
		dst = append(dst, 2)
	}
	lo = max(lo, 3) | 1
	if lo >= hi {
		return dst
	}
	base := SmallPrimes(uint64(math.Sqrt(float64(hi))) + 1)
	const span = 1 << 16 // odd numbers in a segment, 64 KiB
	segment := make([]bool, min(span, (hi-lo+1)/2))
	for ; lo < hi; lo += 2 * span {
		s := segment[:min(span, (hi-lo+1)/2)]
		clear(s)
		for _, p := range base {
			start := p * p
			if start < lo {
				start = (lo + p - 1) / p * p
				if start&1 == 0 {
					start += p
				}
			}
			for i := (start - lo) / 2; i < uint64(len(s)); i += p {
				s[i] = true
			}
		}
		for i, c := range s {
			if !c {
				dst = append(dst, lo+2*uint64(i))
			}
		}
	}
	return dst
}

// SmallPrimes returns the odd primes up to limit, at most some millions.
//
//go:norace
func SmallPrimes(limit uint64) []uint64 {
	var primes []uint64
	sieve := make([]bool, limit/2+1) // sieve[i]: 2i+1 is composite
	for i := uint64(1); 2*i+1 <= limit; i++ {
		if sieve[i] {
			continue
		}
		p := 2*i + 1
		primes = append(primes, p)
		for j := p * p / 2; j < uint64(len(sieve)); j += p {
			sieve[j] = true
		}
	}
	return primes
}
