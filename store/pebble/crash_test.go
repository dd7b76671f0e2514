package pebble

import (
	"context"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"fairfactor"
)

// TestCrash: the machine stops at a random moment and loses a random part of
// what was not synced. What was acknowledged until then is there afterwards,
// and of the rest, groups are there whole or not at all.
func TestCrash(t *testing.T) {
	rng := seeded(t)
	for range 25 {
		crashOnce(t, rng)
	}
}

// history is what was submitted and what was acknowledged, by one goroutine.
type history struct {
	mu     sync.Mutex // guards the fields below
	groups [][]fairfactor.Change
	acked  int           // groups
	more   chan struct{} // told after each acknowledgment
}

func crashOnce(t *testing.T, rng *rand.Rand) {
	fs := vfs.NewCrashableMem()
	s := mustOpen(t, "data", fs, 64<<10)
	h := &history{more: make(chan struct{}, 1)}
	ctx, stop := context.WithCancel(t.Context())
	var writer sync.WaitGroup
	a := activate(t, s, "a")
	local := rand.New(rand.NewPCG(rng.Uint64(), 0))
	writer.Go(func() { h.write(ctx, t, s, a, local) })
	for target := rng.IntN(150); ; {
		<-h.more
		if h.sure() >= target {
			break
		}
	}
	sure := h.sure()
	crashed := fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: rng.IntN(101), RNG: rng})
	stop()
	writer.Wait()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	r := mustOpen(t, "data", crashed, 64<<10)
	h.check(t, r, a, sure)
	next := activate(t, r, "a")
	if next.claim.Epoch <= a.claim.Epoch || next.claim.Number != a.claim.Number {
		t.Errorf("claim after the crash: %+v after %+v", next.claim, a.claim)
	}
	mustApply(t, r, next.accept())
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
}

// sure returns how many groups were acknowledged.
func (h *history) sure() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.acked
}

// write submits groups, up to three of them unsynced, until ctx ends.
func (h *history) write(ctx context.Context, t *testing.T, s *Store, a *activation, rng *rand.Rand) {
	var waits []func() ([]error, error)
	var open []fairfactor.Job
	for ctx.Err() == nil {
		var group []fairfactor.Change
		for range 1 + rng.IntN(20) {
			if len(open) > 0 && rng.IntN(2) == 0 {
				i := rng.IntN(len(open))
				group = append(group, a.finish(open[i]))
				open[i] = open[len(open)-1]
				open = open[:len(open)-1]
				continue
			}
			ch := a.accept()
			if rng.IntN(4) == 0 {
				ch = a.finish(*ch.Job)
				ch.Op = fairfactor.AcceptEnded
				group = append(group, ch)
				continue
			}
			group, open = append(group, ch), append(open, *ch.Job)
		}
		h.mu.Lock()
		h.groups = append(h.groups, group)
		h.mu.Unlock()
		wait, err := s.Start(group)
		if err != nil {
			t.Errorf("start: %v", err)
			return
		}
		waits = append(waits, wait)
		for len(waits) > rng.IntN(4) {
			if errs, err := waits[0](); err != nil || errs != nil {
				t.Errorf("group: %v, %v", errs, err)
				return
			}
			waits = waits[1:]
			h.mu.Lock()
			h.acked++
			h.mu.Unlock()
			select {
			case h.more <- struct{}{}:
			default:
			}
		}
	}
	for _, wait := range waits {
		if errs, err := wait(); err != nil || errs != nil {
			t.Errorf("group: %v, %v", errs, err)
		}
	}
}

// check finds out which groups a store has, which must be the first ones and at
// least those that were sure, and compares everything with their outcome.
func (h *history) check(t *testing.T, s *Store, a *activation, sure int) {
	t.Helper()
	have := int(s.group)
	if have < sure || have > len(h.groups) {
		t.Fatalf("%d groups after the crash, %d were acknowledged, %d submitted", have, sure, len(h.groups))
	}
	want := map[fairfactor.ID]fairfactor.Job{}
	queued := uint64(0)
	for n, group := range h.groups {
		for _, ch := range group {
			if _, known := want[ch.Job.ID]; n < have {
				want[ch.Job.ID] = *ch.Job
			} else if !known {
				if j, err := s.Job(t.Context(), ch.Job.ID); fairfactor.CodeOf(err) != fairfactor.NotFound {
					t.Fatalf("half a group: %+v, %v", j, err)
				}
			}
		}
	}
	for id, j := range want {
		if got, err := s.Job(t.Context(), id); err != nil || !reflect.DeepEqual(got, j) {
			t.Fatalf("after the crash:\n got %+v, %v\nwant %+v", got, err, j)
		}
		if !j.State.Final() {
			queued++
		}
	}
	c, err := s.Caller(t.Context(), a.name)
	if err != nil || c.Queued != queued || c.Completed != uint64(len(want))-queued {
		t.Fatalf("account: %+v, %v, want %d queued of %d", c, err, queued, len(want))
	}
	waiting, err := s.Backlog(t.Context(), a.claim.Number, 0, len(want)+1, nil)
	if err != nil || uint64(len(waiting)) != queued {
		t.Fatalf("%d in the backlog, %v, want %d", len(waiting), err, queued)
	}
}
