package pebble

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	pebbledb "github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"fairfactor"
)

// TestNumberSet compares a set with a map.
func TestNumberSet(t *testing.T) {
	rng := seeded(t)
	var s numberSet
	twin := map[uint64]bool{}
	for range 20_000 {
		n := rng.Uint64N(1 << (1 + rng.IntN(41)))
		if in := rng.IntN(2) == 0; in {
			s.set(n, true)
			twin[n] = true
		} else {
			if member := s.after(nil, n, 1); len(member) == 1 && rng.IntN(4) > 0 {
				n = member[0]
			}
			s.set(n, false)
			delete(twin, n)
		}
		if rng.IntN(100) > 0 {
			continue
		}
		var want []uint64
		after, limit := rng.Uint64N(1<<(1+rng.IntN(41))), rng.IntN(50)
		for n := range twin {
			if n > after {
				want = append(want, n)
			}
		}
		slices.Sort(want)
		want = want[:min(limit, len(want))]
		if got := s.after(nil, after, limit); !slices.Equal(got, want) {
			t.Fatalf("after %d, at most %d: %v, want %v", after, limit, got, want)
		}
	}
	for n := range twin {
		s.set(n, false)
	}
	if len(s.chunks) != 0 || len(s.sorted) != 0 || len(s.after(nil, 0, 1)) != 0 || len(s.after(nil, 1<<64-1, 1)) != 0 {
		t.Errorf("an empty set has %d chunks", len(s.chunks))
	}
}

// manyCallers makes n callers that had one job each, leaves some of them another
// one, and returns the numbers of these.
func manyCallers(t testing.TB, s *Store, rng *rand.Rand, n, backlogged int) (waiting []uint64) {
	const size = 2000
	var writers []*activation
	for done := 0; done < n; done += size {
		var group []fairfactor.Change
		for i := range min(size, n-done) {
			w := activate(t, s, fmt.Sprint("caller-", done+i))
			ch := w.accept()
			end := w.finish(*ch.Job)
			end.Op = fairfactor.AcceptEnded
			group, writers = append(group, end), append(writers, w)
		}
		mustApply(t, s, group...)
	}
	for _, i := range rng.Perm(n)[:backlogged] {
		mustApply(t, s, writers[i].accept())
		waiting = append(waiting, writers[i].claim.Number)
	}
	slices.Sort(waiting)
	return waiting
}

// TestBackloggedAmongMany: ten of 20,000 callers have something to do. That is
// what is looked at, also after a start.
func TestBackloggedAmongMany(t *testing.T) {
	fs := vfs.NewMem()
	s := mustOpen(t, "data", fs, 0)
	want := manyCallers(t, s, seeded(t), 20_000, 10)
	check := func() {
		t.Helper()
		var got []uint64
		for after := uint64(0); ; after = got[len(got)-1] {
			page, err := s.Backlogged(t.Context(), after, 3)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range page {
				got = append(got, c.Number)
			}
			if len(page) < 3 {
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("backlogged: %v, want %v", got, want)
		}
		if len(s.backlogged.chunks) > len(want) {
			t.Errorf("%d chunks for %d callers", len(s.backlogged.chunks), len(want))
		}
	}
	check()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, "data", fs, 0)
	defer s.Close()
	check()
}

// TestDeepQueuesAreSteppedOver: a start that looks for callers with unfinished jobs
// does not read all jobs of a caller, and misses none behind them.
func TestDeepQueuesAreSteppedOver(t *testing.T) {
	fs := vfs.NewMem()
	s := mustOpen(t, "data", fs, 0)
	for _, deep := range []int{1, nextSteps - 1, nextSteps, nextSteps + 1, 1000, 1} {
		a := activate(t, s, fmt.Sprint("caller-", s.next))
		for range deep {
			mustApply(t, s, a.accept())
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, "data", fs, 0)
	defer s.Close()
	if page, err := s.Backlogged(t.Context(), 0, 100); err != nil || len(page) != 6 {
		t.Errorf("%+v, %v", page, err)
	}
}

// TestDamagedQueuesAreReported: a store that can't tell who is backlogged says so,
// and opens all the same.
func TestDamagedQueuesAreReported(t *testing.T) {
	fs := vfs.NewMem()
	s := mustOpen(t, "data", fs, 0)
	a := activate(t, s, "a")
	ch := a.accept()
	mustApply(t, s, ch)
	if err := s.db.Set([]byte{kindQueued, 0}, nil, pebbledb.NoSync); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, "data", fs, 0)
	defer s.Close()
	if page, err := s.Backlogged(t.Context(), 0, 10); fairfactor.CodeOf(err) != fairfactor.Internal {
		t.Errorf("got %+v, %v", page, err)
	}
	if _, err := s.Job(t.Context(), ch.Job.ID); err != nil {
		t.Error(err)
	}
}
