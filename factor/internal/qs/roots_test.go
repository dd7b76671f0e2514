package qs

import (
	"slices"
	"testing"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/factortest"
)

// TestRoots holds meet, step and stepBack, and what the processor runs for them,
// against remainders, one prime at a time.
func TestRoots(t *testing.T) {
	r := factortest.Seeded(t)
	for range 300 {
		var q Sieve
		n, _, _ := factortest.Semiprime128(r, 65+r.IntN(64))
		q.n, q.k, q.parameters = n.Uint192(), 1, parameters{base: 10 + r.IntN(420)}
		q.fillBase()
		s := &q.roots
		length := len(s.p)
		d := make([]uint16, length)
		for i, b := range q.base[1:] {
			s.r1[i+1], s.r2[i+1] = uint16(r.Uint32N(b.p)), uint16(r.Uint32N(b.p))
			d[i+1] = uint16(r.Uint32N(b.p))
		}
		other := sieveRoots{p: s.p, inv: s.inv, max: s.max, mask: make([]uint32, len(s.mask))}
		for move := range 5 {
			other.r1, other.r2 = slices.Clone(s.r1), slices.Clone(s.r2)
			if move%2 == 0 {
				s.step(d)
				other.stepGeneric(d)
			} else {
				s.stepBack(d)
				other.stepBackGeneric(d)
			}
			if !slices.Equal(s.r1, other.r1) || !slices.Equal(s.r2, other.r2) {
				t.Fatalf("move %d: the roots differ", move)
			}
			for i, b := range q.base[1:] {
				if s.r1[i+1] >= uint16(b.p) || s.r2[i+1] >= uint16(b.p) {
					t.Fatalf("move %d: a root modulo %d is too large", move, b.p)
				}
			}
			pos := r.Uint32N(1 << 14)
			mask := slices.Clone(s.meet(uint16(pos)))
			other.meetGeneric(uint16(pos))
			if !slices.Equal(mask, other.mask) {
				t.Fatalf("position %d: %x, in Go %x", pos, mask, other.mask)
			}
			for i := range length {
				got := mask[i/rootBlock]>>(i%rootBlock)&1 == 1
				want := false
				if i > 0 && i < len(q.base) {
					rem := uint16(pos % q.base[i].p)
					want = rem == s.r1[i] || rem == s.r2[i]
				}
				if got != want {
					t.Fatalf("position %d, entry %d of %d: %v, want %v", pos, i, len(q.base), got, want)
				}
			}
		}
	}
}

// TestStepUndone takes back what step does.
func TestStepUndone(t *testing.T) {
	r := factortest.Seeded(t)
	var q Sieve
	q.n, q.k, q.parameters = arith.Uint192{13, 1}, 1, parameters{base: 100}
	q.fillBase()
	d := make([]uint16, len(q.roots.p))
	for i, b := range q.base[1:] {
		q.roots.r1[i+1], q.roots.r2[i+1], d[i+1] = uint16(r.Uint32N(b.p)), uint16(b.p)-1, uint16(r.Uint32N(b.p))
	}
	r1, r2 := slices.Clone(q.roots.r1), slices.Clone(q.roots.r2)
	q.roots.step(d)
	if slices.Equal(r1, q.roots.r1) {
		t.Fatal("step moved nothing")
	}
	q.roots.stepBack(d)
	if !slices.Equal(r1, q.roots.r1) || !slices.Equal(r2, q.roots.r2) {
		t.Fatal("stepBack does not undo step")
	}
}
