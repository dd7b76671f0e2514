package factor

import (
	"math/big"
	"slices"
	"testing"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/factortest"
	"fairfactor/factor/internal/siqs"
	"fairfactor/factor/internal/wire"
)

// stepwise makes a machine take the stages after the sieve one by one, which it
// does for larger numbers only, with many pieces of columns. It is called before
// every Next.
func stepwise(m *Machine) {
	for _, c := range m.rest {
		h := c.collection
		if h == nil {
			continue
		}
		if c.postprocessing == nil && h.Ready() {
			c.postprocessing = h.StartPostprocessing()
			c.postprocessing.Stage = siqs.StageCycles
		}
	}
	morePieces(m)
}

// morePieces cuts the columns in five pieces, as many as larger numbers have. It is
// called before every Next.
func morePieces(m *Machine) {
	for _, c := range m.rest {
		if s := c.postprocessing; s != nil && s.Stage == siqs.StageColumns && s.Next == 0 && len(s.Cuts) < 6 {
			all := s.Sets.Columns()
			s.Cuts = []int{0, all / 9, all / 3, all / 2, all - 1, all}
			s.Columns = make([][]byte, len(s.Cuts)-1)
		}
	}
}

// TestStagesAnyOrder takes numbers through all stages after the sieve, with two
// runners, results in random order, twice, lost, damaged, and checkpoints between.
func TestStagesAnyOrder(t *testing.T) {
	r := factortest.Seeded(t)
	runs := [2]*Runner{NewRunner(), NewRunner()}
	kinds := map[byte]int{}
	restores, damaged, late := 0, 0, 0
	for round := range 12 {
		n := factortest.Semiprime(r, 105+r.IntN(20))
		if round%3 == 0 {
			n.Mul(factortest.RandomPrime(r, 36), factortest.RandomPrime(r, 37)).Mul(n, factortest.RandomPrime(r, 38))
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
			if kind >= wire.KindSolve {
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
			if kind >= wire.KindSolve && r.IntN(3) == 0 {
				bad := Result{ID: res.ID, Data: slices.Clone(res.Data)}
				bad.Data[r.IntN(len(bad.Data))] ^= 1 << r.IntN(8)
				if m.Apply(bad) == nil && m.open[res.ID] == nil {
					// Its turn was out of date, so the machine ignored it.
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
	for _, kind := range []byte{wire.KindCycles, wire.KindColumns, wire.KindFilter, wire.KindSolve, wire.KindRoot} {
		if kinds[kind] == 0 {
			t.Errorf("no turn of kind %d", kind)
		}
	}
}

// collected sieves n until there are relations enough.
func collected(t *testing.T, run *Runner, n *big.Int, size siqs.Parameters) *siqs.Collection {
	t.Helper()
	h := siqs.NewCollection(n, 0, size)
	for h.Independent() < h.Enough {
		w, nums, _ := h.NextWork()
		res, err := run.Run(Turn{Payload: w.Encode()}, nil)
		if err == nil {
			err = h.AddRelations(res.Data, w.Spans, nums, 0)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return h
}

// TestStagesAgree solves the same relations in one turn and in stages: the pruned
// matrix and what comes of it are the same.
func TestStagesAgree(t *testing.T) {
	r := factortest.Seeded(t)
	run := NewRunner()
	size := siqs.ParametersFor(120)
	size.Double, size.Large = 1.8, 60
	n := factortest.Semiprime(r, 120)
	h := collected(t, run, n, size)
	res, err := run.Run(Turn{Payload: h.AppendRelations([]byte{wire.Version, wire.KindFinish}, nil)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want, err := siqs.ReadSquares(res.Data)
	if err != nil || len(want) == 0 {
		t.Fatalf("%d roots: %v", len(want), err)
	}
	m := searching(t, run, n)
	c := m.rest[0]
	c.collection = h
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
		if o[0].Payload[1] == wire.KindRoot {
			d, err := siqs.ReadSquares(res.Data)
			if err != nil || len(d) != 1 {
				t.Fatalf("%d roots: %v", len(d), err)
			}
			got = append(got, d[0])
			if g := new(big.Int).GCD(nil, nil, d[0], n); g.Cmp(arith.One) != 0 && g.Cmp(n) != 0 {
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
