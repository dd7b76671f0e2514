package factor

import (
	"math/big"
	"slices"
	"testing"
)

// TestGraph adds random edges and counts the cycles again by searching.
func TestGraph(t *testing.T) {
	r := seeded(t)
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
	r := seeded(t)
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
	h := newHarvest(semiprime(seeded(t), 110), 0, siqsSizeFor(110))
	h.base.double = h.base.large * h.base.large
	h.as = append(h.as, h.chooser.next(h.base))
	for i, large := range [][2]uint32{{1, 1009}, {2003, 2003}, {1, 1013}, {1013, 1013}, {1, 1}, {1, 1009}, {3001, 3011}} {
		f := found{poly: i, pos: i, large: large, list: []uint32{3}}
		c := h.entry(0, triple{uint64(i + 1)}, 0, &f)
		h.add(&c)
	}
	// The squares, the relation without, and the two with 1009.
	if sets := setsOf(t, h); sets.columns() != 4 || h.independent() != 4 {
		t.Fatalf("%d sets, %d were counted: %v", sets.columns(), h.independent(), sets)
	}
}

// gather sieves n with its parameters until there is enough.
func gather(t *testing.T, n *big.Int, size siqsSize) *harvest {
	t.Helper()
	h := newHarvest(n, 0, size)
	run := NewRunner()
	for h.independent() < h.enough {
		w, nums, _ := h.next()
		if w == nil {
			t.Fatalf("%v: no polynomials left", n)
		}
		res, err := run.Run(Turn{Payload: w.encode()}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := h.takeAll(res.Data, w.spans, nums); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

// setsOf returns the sets of relations that a turn finds.
func setsOf(t *testing.T, h *harvest) *matrix {
	t.Helper()
	res, err := NewRunner().Run(Turn{Payload: cyclesPayload(h.count(), len(h.parent), h.ends)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &solving{stage: stageCycles}
	if err := s.takeCycles(res.Data); err != nil {
		t.Fatal(err)
	}
	return s.sets
}

// read reads relation i.
func (h *harvest) read(t *testing.T, i int, f *found) (number int, twos uint8) {
	t.Helper()
	r := reader{b: h.relation(i)}
	number, twos = f.readEntry(&r, h.base, h.as)
	if r.bad || len(r.b) != 0 {
		t.Fatalf("relation %d can't be read", i)
	}
	return number, twos
}

// TestSets checks that the sets of relations are as many as were counted, that
// large primes occur an even number of times in each, and that each has an edge
// that none before has, so that they are independent.
func TestSets(t *testing.T) {
	r := seeded(t)
	for _, double := range []float64{0, 1.8} {
		size := siqsSizeFor(115)
		size.double = double
		size.large = 60
		h := gather(t, semiprime(r, 115), size)
		sets := setsOf(t, h)
		if sets.columns() != h.independent() {
			t.Fatalf("%d sets, %d were counted", sets.columns(), h.independent())
		}
		var f found
		var m [][]uint64
		doubles := 0
		for c := range sets.columns() {
			odd := map[uint32]bool{}
			row := make([]uint64, (h.count()+63)/64)
			for _, i := range sets.column(c) {
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
					t.Fatalf("large prime %d is left in %v", p, sets.column(c))
				}
			}
			m = append(m, row)
		}
		if got := rank(m); got != sets.columns() {
			t.Fatalf("%d of %d sets are independent", got, sets.columns())
		}
		if (doubles > 0) != (double > 0) {
			t.Errorf("two large primes: wanted %v, %d in sets", double > 0, doubles)
		}
	}
}

// TestFalseRelations changes relations of a turn's result: none is taken, and the
// harvest stays as it was.
func TestFalseRelations(t *testing.T) {
	r := seeded(t)
	h := newHarvest(semiprime(r, 130), 0, siqsSizeFor(130))
	w, nums, _ := h.next()
	res, err := NewRunner().Run(Turn{Payload: w.encode()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	taken := 0
	for range 2000 {
		bad := slices.Clone(res.Data)
		bad[2+r.IntN(len(bad)-2)] ^= 1 << r.IntN(8)
		if h.takeAll(bad, w.spans, nums) == nil {
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
	if err := h.takeAll(res.Data, w.spans, nums); err != nil {
		t.Fatal(err)
	}
	count := h.count()
	if err := h.takeAll(res.Data, w.spans, nums); err != nil || h.count() != count {
		t.Fatalf("the same relations once more: %d, then %d, %v", count, h.count(), err)
	}
}
