package qs

import (
	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/cpu"
)

// sieveRoots are where each prime of the base meets the sieve of the polynomial
// at hand, as parallel arrays of 16 bits: the test of a position and the step to
// the next polynomial walk over all of them, 16 at a time where the processor
// can. Their lengths are multiples of rootBlock; entry 0, the prime 2, and the
// entries beyond the base meet nothing.
type sieveRoots struct {
	p, inv, max []uint16 // p divides d < 2^16 if and only if d*inv <= max
	r1, r2      []uint16 // roots, as positions in the sieve; its length if p divides a
	mask        []uint32 // scratch of meet
}

// rootBlock is how many primes one mask of meet tells about.
const rootBlock = 32

// set makes the arrays for the base.
func (s *sieveRoots) set(base []basePrime) {
	n := (len(base) + rootBlock - 1) / rootBlock * rootBlock
	for _, a := range [...]*[]uint16{&s.p, &s.inv, &s.max, &s.r1, &s.r2} {
		*a = arith.Resize(*a, n)
	}
	s.mask = arith.Resize(s.mask, n/rootBlock)
	for i := range s.p {
		s.p[i], s.inv[i], s.max[i], s.r1[i], s.r2[i] = 0, 1, 0, nowhere, nowhere
		if i > 0 && i < len(base) {
			s.p[i] = uint16(base[i].p)
			s.inv[i] = uint16(base[i].exact.Inv)
			s.max[i] = nowhere / s.p[i]
		}
	}
}

// nowhere is beyond every position.
const nowhere = 1<<16 - 1

// meet returns the primes that divide Q at position pos < 2^15: prime i is bit
// i%32 of word i/32.
func (s *sieveRoots) meet(pos uint16) []uint32 {
	if cpu.AVX2 {
		meetAVX2(&s.mask[0], pos, &s.p[0], &s.inv[0], &s.max[0], &s.r1[0], &s.r2[0], len(s.mask))
	} else {
		s.meetGeneric(pos)
	}
	return s.mask
}

// step adds d, which is below the primes, to the roots.
func (s *sieveRoots) step(d []uint16) {
	if cpu.AVX2 {
		stepAVX2(&s.r1[0], &s.p[0], &d[0], len(s.mask))
		stepAVX2(&s.r2[0], &s.p[0], &d[0], len(s.mask))
		return
	}
	s.stepGeneric(d)
}

// stepBack takes d off the roots.
func (s *sieveRoots) stepBack(d []uint16) {
	if cpu.AVX2 {
		stepBackAVX2(&s.r1[0], &s.p[0], &d[0], len(s.mask))
		stepBackAVX2(&s.r2[0], &s.p[0], &d[0], len(s.mask))
		return
	}
	s.stepBackGeneric(d)
}
