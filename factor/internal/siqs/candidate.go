package siqs

import (
	"math/bits"
	"slices"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/cpu"
	"fairfactor/factor/internal/sieve"
)

// Relation is a relation as the sieve finds it.
type Relation struct {
	polynomial int       // number of the polynomial
	position   int       // position
	large      [2]uint32 // large primes, ascending; 1: none
	factors    []uint32  // indices of the odd primes of Q, ascending, with repetition
}

// candidate factors Q at offset of the block over the factor base. sum is the
// sum of the logarithms that the sieve found there. The small primes come first:
// with them it is known whether enough is left to be found.
func (s *siever) candidate(start, offset, sum int) {
	pos := start + offset
	v, _ := s.value(pos)
	if v.IsZero() {
		return
	}
	v = v.Shr(v.TrailingZeros())
	s.list = s.list[:0]
	s.divideRoots(&v, pos, 1, s.first)
	if left := v.Len() - sum; left > s.mostLeft || left > s.oneLeft && left < s.twoLeft {
		return
	}
	s.divideRoots(&v, pos, s.first, s.mid)
	s.hits = s.bucketHits(s.hits[:0], start/sieve.BlockSize, offset)
	for _, k := range s.hits {
		s.divide(&v, int(k))
	}
	for _, k := range s.coefficient.indices {
		s.divide(&v, k)
	}
	if v[2]|v[1] != 0 {
		return
	}
	large, ok := s.splitLarge(v[0])
	if !ok {
		return
	}
	slices.Sort(s.list)
	s.relations = append(s.relations, Relation{s.at, pos, large, slices.Clone(s.list)})
}

// divideRoots divides v by those of the primes from to to-1 that have a root at
// pos.
func (s *siever) divideRoots(v *arith.Uint192, pos, from, to int) {
	x := uint32(pos)
	n := (to - from) &^ 7
	masks := s.masks[:n/8]
	switch {
	case n == 0:
	case cpu.AVX2:
		rootMasksASM(x, &s.medium[from], &s.medium1[from], &s.medium2[from], &s.limit[from], &s.inverse[from], n, &masks[0])
	default:
		rootMasks(x, s.medium[from:from+n], s.medium1[from:], s.medium2[from:], s.limit[from:], s.inverse[from:], masks)
	}
	for i, m := range masks {
		for ; m != 0; m &= m - 1 {
			s.divide(v, from+8*i+bits.TrailingZeros8(m))
		}
	}
	for k := from + n; k < to; k++ {
		if p := s.primes[k]; x%p == uint32(s.medium1[k]) || x%p == uint32(s.medium2[k]) {
			s.divide(v, k)
		}
	}
}

// divide takes prime number k of the factor base out of v as often as it
// divides it.
func (s *siever) divide(v *arith.Uint192, k int) {
	p := uint64(s.primes[k])
	for {
		q, r := v.DivSmall(p)
		if r != 0 {
			return
		}
		*v = q
		s.list = append(s.list, uint32(k))
	}
}

// splitLarge returns the large primes whose product is v.
func (s *siever) splitLarge(v uint64) (large [2]uint32, ok bool) {
	if v < s.large {
		return [2]uint32{1, uint32(v)}, true
	}
	largest := uint64(s.primes[len(s.primes)-1])
	if v >= s.double || v <= largest*largest || isProbable64(v) {
		return large, false
	}
	d := s.runner.split(v)
	e := v / d
	if max(d, e) >= s.large {
		return large, false
	}
	return [2]uint32{uint32(min(d, e)), uint32(max(d, e))}, true
}

// isProbable64 reports whether v, odd and at least 3, passes the test of Fermat
// to base 2.
func isProbable64(v uint64) bool {
	m := arith.NewMont64(v)
	x := m.Add(m.One, m.One)
	for i := bits.Len64(v-1) - 2; i >= 0; i-- {
		x = m.Mul(x, x)
		if (v-1)>>i&1 == 1 {
			x = m.Add(x, x)
		}
	}
	return x == m.One
}
