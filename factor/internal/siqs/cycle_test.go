package siqs

import (
	"math/big"
	"slices"
	"testing"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/factortest"
	"fairfactor/factor/internal/gf2"
	"fairfactor/factor/internal/wire"
)

// TestGraph adds random edges and counts the cycles again by searching.
func TestGraph(t *testing.T) {
	r := factortest.Seeded(t)
	for range 50 {
		var g graph
		g.start()
		around := map[uint32][]uint32{1: nil}
		edges := 0
		for range 1 + r.IntN(150) {
			e := [2]uint32{1, uint32(101 + 2*r.IntN(60))}
			if r.IntN(2) == 0 {
				e[0] = uint32(101 + 2*r.IntN(60))
			}
			g.join(e)
			edges++
			around[e[0]] = append(around[e[0]], e[1])
			around[e[1]] = append(around[e[1]], e[0])
			components, seen := 0, map[uint32]bool{}
			for v := range around {
				if seen[v] {
					continue
				}
				components++
				for stack := []uint32{v}; len(stack) > 0; {
					u := stack[len(stack)-1]
					stack = stack[:len(stack)-1]
					if !seen[u] {
						seen[u] = true
						stack = append(stack, around[u]...)
					}
				}
			}
			if want := edges - len(around) + components; g.cycles != want {
				t.Fatalf("%d cycles, want %d", g.cycles, want)
			}
		}
	}
}

// TestKeySet holds the set against a map while it grows.
func TestKeySet(t *testing.T) {
	r := factortest.Seeded(t)
	var s keySet
	seen := map[uint64]bool{}
	lo, hi := r.Uint64(), r.Uint64()
	for i := range 300_000 {
		k := (lo + r.Uint64N(200_000)) * (hi | 1)
		if s.add(k) == seen[k] {
			t.Fatalf("key %x: seen %v", k, seen[k])
		}
		seen[k] = true
		if i&(i-1) != 0 && i != 299_999 {
			continue
		}
		// What one addition may have to move is a small part of all keys.
		count := 0
		for _, p := range s {
			count += p.count
			if bound := 4*(len(seen)/len(s)) + 64; len(p.slots) > 2*bound || 2*p.count > len(p.slots)+1 {
				t.Fatalf("%d keys: %d of %d slots of a part are taken", len(seen), p.count, len(p.slots))
			}
		}
		if count != len(seen) {
			t.Fatalf("%d keys, want %d", count, len(seen))
		}
	}
	if s.add(0) == s.add(1) {
		t.Error("0 is not 1")
	}
}

// TestSquaredPrime counts relations whose large prime is squared.
func TestSquaredPrime(t *testing.T) {
	h := NewCollection(factortest.Semiprime(factortest.Seeded(t), 110), 0, ParametersFor(110))
	h.Base.double = h.Base.large * h.Base.large
	h.coefficients = append(h.coefficients, h.aSelector.next(h.Base))
	for i, large := range [][2]uint32{{1, 1009}, {2003, 2003}, {1, 1013}, {1013, 1013}, {1, 1}, {1, 1009}, {3001, 3011}} {
		f := Relation{polynomial: i, position: i, large: large, factors: []uint32{3}}
		c := h.entry(0, arith.Uint192{uint64(i + 1)}, 0, &f)
		h.add(&c)
	}
	// The squares, the relation without, and the two with 1009.
	if sets := setsOf(t, h); sets.Columns() != 4 || h.Independent() != 4 {
		t.Fatalf("%d sets, %d were counted: %v", sets.Columns(), h.Independent(), sets)
	}
}

// gather sieves n with its parameters until there is enough.
func gather(t *testing.T, n *big.Int, size Parameters) *Collection {
	t.Helper()
	h := NewCollection(n, 0, size)
	run := newTestRunner()
	for h.Independent() < h.Enough {
		w, nums, _ := h.NextWork()
		if w == nil {
			t.Fatalf("%v: no polynomials left", n)
		}
		res, err := run.Run(w.Encode())
		if err != nil {
			t.Fatal(err)
		}
		if err := h.AddRelations(res, w.Spans, nums, 0); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

// setsOf returns the sets of relations that a turn finds.
func setsOf(t *testing.T, h *Collection) *gf2.Matrix {
	t.Helper()
	res, err := newTestRunner().Run(cyclesPayload(h.count(), len(h.parent), h.ends))
	if err != nil {
		t.Fatal(err)
	}
	s := &Postprocessing{Stage: StageCycles}
	if err := s.takeCycles(res); err != nil {
		t.Fatal(err)
	}
	return s.Sets
}

// read reads relation i.
func (h *Collection) read(t *testing.T, i int, f *Relation) (number int, twos uint8) {
	t.Helper()
	r := wire.Reader{B: h.relation(i)}
	number, twos = f.readEntry(&r, h.Base, h.coefficients)
	if r.Bad || len(r.B) != 0 {
		t.Fatalf("relation %d can't be read", i)
	}
	return number, twos
}

// TestSets checks that the sets of relations are as many as were counted, that
// large primes occur an even number of times in each, and that each has an edge
// that none before has, so that they are independent.
func TestSets(t *testing.T) {
	r := factortest.Seeded(t)
	for _, double := range []float64{0, 1.8} {
		size := ParametersFor(115)
		size.Double = double
		size.Large = 60
		h := gather(t, factortest.Semiprime(r, 115), size)
		sets := setsOf(t, h)
		if sets.Columns() != h.Independent() {
			t.Fatalf("%d sets, %d were counted", sets.Columns(), h.Independent())
		}
		var f Relation
		var m [][]uint64
		doubles := 0
		for c := range sets.Columns() {
			odd := map[uint32]bool{}
			row := make([]uint64, (h.count()+63)/64)
			for _, i := range sets.Column(c) {
				h.read(t, int(i), &f)
				odd[f.large[0]] = !odd[f.large[0]]
				odd[f.large[1]] = !odd[f.large[1]]
				row[i/64] ^= 1 << (i % 64)
				if f.large[0] > 1 {
					doubles++
				}
			}
			delete(odd, 1)
			for p, o := range odd {
				if o {
					t.Fatalf("large prime %d is left in %v", p, sets.Column(c))
				}
			}
			m = append(m, row)
		}
		if got := factortest.Rank(m); got != sets.Columns() {
			t.Fatalf("%d of %d sets are independent", got, sets.Columns())
		}
		if (doubles > 0) != (double > 0) {
			t.Errorf("two large primes: wanted %v, %d in sets", double > 0, doubles)
		}
	}
}

// TestFalseRelations changes relations of a turn's result: the machine takes no changed one, and the
// collection stays as it was.
func TestFalseRelations(t *testing.T) {
	r := factortest.Seeded(t)
	h := NewCollection(factortest.Semiprime(r, 130), 0, ParametersFor(130))
	w, nums, _ := h.NextWork()
	res, err := newTestRunner().Run(w.Encode())
	if err != nil {
		t.Fatal(err)
	}
	taken := 0
	for range 2000 {
		bad := slices.Clone(res)
		bad[2+r.IntN(len(bad)-2)] ^= 1 << r.IntN(8)
		if h.AddRelations(bad, w.Spans, nums, 0) == nil {
			taken++
		} else if h.count() != 0 && taken == 0 {
			t.Fatal("part of a damaged result was taken")
		}
	}
	// A change may turn one relation into another true one: x and -x at the same
	// place of a list do not, so hardly ever.
	if taken > 2 {
		t.Fatalf("%d damaged results were taken", taken)
	}
	if err := h.AddRelations(res, w.Spans, nums, 0); err != nil {
		t.Fatal(err)
	}
	count := h.count()
	if err := h.AddRelations(res, w.Spans, nums, 0); err != nil || h.count() != count {
		t.Fatalf("the same relations once more: %d, then %d, %v", count, h.count(), err)
	}
}
