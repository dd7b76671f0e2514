package factor

import (
	"math/big"
	"slices"
	"testing"
)

// stepwise makes a machine take the stages after the sieve one by one, which it
// does for larger numbers only, with many pieces of columns. It is called before
// every Next.
func stepwise(m *Machine) {
	for _, c := range m.rest {
		h := c.harvest
		if h == nil {
			continue
		}
		if c.solving == nil && h.independent() >= h.enough {
			c.solving = h.solve()
			c.solving.stage = stageCycles
		}
	}
	morePieces(m)
}

// morePieces cuts the columns in five pieces, as many as larger numbers have. It is
// called before every Next.
func morePieces(m *Machine) {
	for _, c := range m.rest {
		if s := c.solving; s != nil && s.stage == stageColumns && s.next == 0 && len(s.cuts) < 6 {
			all := s.sets.columns()
			s.cuts = []int{0, all / 9, all / 3, all / 2, all - 1, all}
			s.columns = make([][]byte, len(s.cuts)-1)
		}
	}
}

// TestStagesAnyOrder takes numbers through all stages after the sieve, with two
// runners, results in random order, twice, lost, damaged, and checkpoints between.
func TestStagesAnyOrder(t *testing.T) {
	r := seeded(t)
	runs := [2]*Runner{NewRunner(), NewRunner()}
	kinds := map[byte]int{}
	restores, damaged, late := 0, 0, 0
	for round := range 12 {
		n := semiprime(r, 105+r.IntN(20))
		if round%3 == 0 {
			n.Mul(randomPrime(r, 36), randomPrime(r, 37)).Mul(n, randomPrime(r, 38))
		}
		m := searching(t, runs[0], n)
		m.rest[0].handed = 1e18
		var open []Turn
		var old []Result
		for steps := 0; !m.Done(); steps++ {
			if steps > 3000 {
				t.Fatalf("%v: not done: %+v", n, m.Progress())
			}
			stepwise(m)
			open = append(open, m.Next(1+r.IntN(3))...)
			if len(open) == 0 {
				t.Fatalf("%v: nothing to do: %+v", n, m.Progress())
			}
			i := r.IntN(len(open))
			turn := open[i]
			open = slices.Delete(open, i, i+1)
			kind := turn.Payload[1]
			if kind >= kindSolve {
				switch r.IntN(8) {
				case 0:
					m.Return(turn.ID)
					continue
				case 1:
					m, open = Reborn(t, n.String(), m), nil
					restores++
					continue
				}
			}
			res, err := runs[r.IntN(2)].Run(turn, nil)
			if err != nil {
				t.Fatalf("turn of kind %d: %v", kind, err)
			}
			kinds[kind]++
			if kind >= kindSolve && r.IntN(3) == 0 {
				bad := Result{ID: res.ID, Data: slices.Clone(res.Data)}
				bad.Data[r.IntN(len(bad.Data))] ^= 1 << r.IntN(8)
				if m.Apply(bad) == nil && m.open[res.ID] == nil {
					// It was of the past, so that nobody looked at it.
					late++
					continue
				}
				damaged++
				i := slices.Index(m.lost, turn.ID)
				if i < 0 {
					t.Fatalf("turn %d of kind %d is not handed out again after a damaged result", turn.ID, kind)
				}
				m.lost = slices.Delete(m.lost, i, i+1)
				m.open[turn.ID].lost = false
			}
			old = append(old, res)
			for range 2 {
				if err := m.Apply(res); err != nil {
					t.Fatalf("result of kind %d: %v", kind, err)
				}
			}
			if r.IntN(4) == 0 {
				_ = m.Apply(old[r.IntN(len(old))])
			}
			m.Progress()
			m.Shed()
			open = slices.DeleteFunc(open, func(u Turn) bool { return m.open[u.ID] == nil })
		}
		if err := Verify(n.String(), m.Primes()); err != nil {
			t.Errorf("%v: %v", n, err)
		}
	}
	t.Logf("turns by kind: %v, %d checkpoints, %d damaged results, %d late ones", kinds, restores, damaged, late)
	for _, kind := range []byte{kindCycles, kindColumns, kindFilter, kindSolve, kindRoot} {
		if kinds[kind] == 0 {
			t.Errorf("no turn of kind %d", kind)
		}
	}
}

// TestStagesAgree solves the same relations in one turn and in stages: the pruned
// matrix and what comes of it are the same.
func TestStagesAgree(t *testing.T) {
	r := seeded(t)
	run := NewRunner()
	size := siqsSizeFor(120)
	size.double, size.large = 1.8, 60
	n := semiprime(r, 120)
	h := gather(t, n, size)
	res, err := run.Run(Turn{Payload: h.gather([]byte{version, kindFinish}, nil)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want, err := readSquares(res.Data)
	if err != nil || len(want) == 0 {
		t.Fatalf("%d roots: %v", len(want), err)
	}
	m := searching(t, run, n)
	c := m.rest[0]
	c.harvest = h
	split := 0
	var got []*big.Int
	for !m.Done() {
		stepwise(m)
		o := m.Next(1)
		if len(o) == 0 {
			t.Fatal("nothing to do")
		}
		res, err := run.Run(o[0], nil)
		if err != nil {
			t.Fatal(err)
		}
		if o[0].Payload[1] == kindRoot {
			d, err := readSquares(res.Data)
			if err != nil || len(d) != 1 {
				t.Fatalf("%d roots: %v", len(d), err)
			}
			got = append(got, d[0])
			if g := new(big.Int).GCD(nil, nil, d[0], n); g.Cmp(one) != 0 && g.Cmp(n) != 0 {
				split++
			}
		}
		if err := m.Apply(res); err != nil {
			t.Fatal(err)
		}
	}
	if split == 0 || len(got) != len(want) {
		t.Fatalf("%d roots in stages, %d at once", len(got), len(want))
	}
	for i := range got {
		if got[i].Cmp(want[i]) != 0 {
			t.Errorf("root %d is %v in stages, %v at once", i, got[i], want[i])
		}
	}
}

// TestHalfOfRootsSplit takes the roots of all dependencies: x^2 = y^2 in each, and
// about half of them split the number.
func TestHalfOfRootsSplit(t *testing.T) {
	r := seeded(t)
	run := NewRunner()
	n := semiprime(r, 118)
	h := gather(t, n, siqsSizeFor(118))
	all := h.gather(nil, nil)
	g, err := run.siqs.readGathered(&reader{b: all})
	if err != nil {
		t.Fatal(err)
	}
	sets := setsOf(t, h)
	odd, err := g.odd(run.siqs.poller, nil)
	if err != nil {
		t.Fatal(err)
	}
	m := odd.sums(run.siqs.poller, sets)
	keep := m.prune(run.siqs.poller, spareSquares)
	split, count := 0, 0
	for _, dependency := range m.solve(run.siqs.poller) {
		with := times(sets, keep, dependency)
		d, err := g.difference(run.siqs.poller, with)
		if err != nil {
			t.Fatal(err)
		}
		count++
		if e := new(big.Int).GCD(nil, nil, d, n); e.Cmp(one) != 0 && e.Cmp(n) != 0 {
			split++
		}
		i := slices.Index(with, true)
		with[i] = false // one relation less is no dependency
		if d, err := g.difference(run.siqs.poller, with); err != nil || d.Sign() != 0 {
			t.Errorf("not a dependency, but its root is %v, %v", d, err)
		}
	}
	t.Logf("%d of %d dependencies split", split, count)
	if count < 10 || split == 0 || split == count { // 1 in 500
		t.Errorf("%d of %d dependencies split", split, count)
	}
}

// TestSolveInSteps takes block Lanczos in steps of all sizes, changing between
// runners, against all steps at once.
func TestSolveInSteps(t *testing.T) {
	r := seeded(t)
	run := NewRunner()
	m := randomMatrix(r, lanczosColumns+300, lanczosColumns+900)
	m.prune(run.siqs.poller, 100)
	if m.columns() < lanczosColumns {
		t.Fatalf("%d columns", m.columns())
	}
	want := newLanczos(run.siqs.poller, m).dependencies(run.siqs.poller)
	packed := m.append(nil, nil)
	runs := [2]*Runner{NewRunner(), NewRunner()}
	state := (&state{}).append(nil)
	steps, turns := 0, 0
	for {
		res, err := runs[r.IntN(2)].Run(Turn{Payload: solvePayload(packed, state, 1+r.IntN(9))}, nil)
		if err != nil {
			t.Fatal(err)
		}
		turns++
		switch res.Data[1] {
		case foundState:
			b, ok := unseal(res.Data)
			if !ok {
				t.Fatal("a result without its check sum")
			}
			state = b[2:]
			p := reader{b: state}
			p.uvarint()
			if now := int(p.uvarint()); now <= steps {
				t.Fatalf("step %d after %d", now, steps)
			} else {
				steps = now
			}
			continue
		case foundBroken:
			p := reader{b: state}
			s := newSeed(p.uvarint() + 1)
			state, steps = s.append(nil), 0
			continue
		}
		sets, err := readSets(res.Data, m.columns())
		if err != nil {
			t.Fatal(err)
		}
		if len(sets) != len(want) {
			t.Fatalf("%d dependencies in steps, %d at once", len(sets), len(want))
		}
		for i := range sets {
			if !slices.Equal(sets[i], want[i]) {
				t.Fatalf("dependency %d differs", i)
			}
		}
		break
	}
	t.Logf("%d columns, %d steps in %d turns, %d dependencies", m.columns(), steps, turns, len(want))
	for range 200 {
		bad := slices.Clone(state)
		bad = bad[:r.IntN(len(bad))]
		if _, err := run.Run(Turn{Payload: solvePayload(packed, bad, 1)}, nil); err == nil {
			t.Fatalf("%d of %d bytes of a state were taken", len(bad), len(state))
		}
	}
}

// newSeed returns the state before the first step from a seed.
func newSeed(seed uint64) *state { return &state{seed: seed} }
