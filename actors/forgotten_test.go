package actors_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"fairfactor"
	"fairfactor/actors"
)

// stays keeps idle actors, so that they are there when their accounts go.
func stays(c *actors.Config) { c.Passivate = time.Hour }

// clear deletes all jobs that have ended, and forgets the callers without others.
func (s *site) clear() (forgotten int) {
	s.Helper()
	ahead := time.Now().Add(24 * time.Hour)
	if _, err := s.store.Expire(s.Context(), ahead, 1000); err != nil {
		s.Error(err)
	}
	n, err := s.store.Forget(s.Context(), ahead, 1000)
	if err != nil {
		s.Error(err)
	}
	return n
}

// fenced counts the activations that were fenced, on all nodes.
func (s *site) fenced() (n uint64) {
	for _, node := range s.nodes {
		n += node.sys.Counters.Fenced.Load()
	}
	return n
}

// A caller whose account was forgotten while its actor was active comes back: its
// submission is accepted by a new activation, under a number that no id of before has.
func TestForgottenCallerReturns(t *testing.T) {
	s := newSite(t, 2, stays)
	old := s.completed(s.nodes[0], s.submit(s.nodes[0], "a", "15", "1000003")...)
	if n := s.clear(); n != 1 {
		t.Fatalf("%d accounts were forgotten", n)
	}
	for round, n := range s.nodes {
		again := s.receipts(n, "a", fairfactor.Submission{Number: "21", Key: "k"}, fairfactor.Submission{Number: "35"})
		for i, r := range again {
			if r.Err != nil || r.Replay != (round == 1 && i == 0) || r.Job.ID.Caller == old[0].ID.Caller || r.Job.ID.Seq > 3 {
				t.Errorf("back again: %+v", r)
			}
		}
		s.completed(n, again[0].Job, again[1].Job)
	}
	if n := s.fenced(); n != 1 {
		t.Errorf("%d activations were fenced, want the one of before", n)
	}
	for _, j := range old {
		if _, err := s.nodes[1].Job(t.Context(), j.ID); fairfactor.CodeOf(err) != fairfactor.NotFound {
			t.Errorf("a job of before: %v", err)
		}
	}
	if c, err := s.nodes[0].Caller(t.Context(), "a"); err != nil || c.Completed != 3 {
		t.Errorf("the caller: %+v, %v", c, err)
	}
}

// Callers submit while accounts are forgotten all the time: each submission is accepted
// once, under an id of its own, and its job is done.
func TestSubmissionsRaceForgetting(t *testing.T) {
	s := newSite(t, 2, stays)
	const callers, each = 4, 15
	stop := make(chan struct{})
	var clearing, submitting sync.WaitGroup
	clearing.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				s.clear()
			}
		}
	})
	var mu sync.Mutex
	ids := map[fairfactor.ID]bool{}
	for i := range callers {
		submitting.Go(func() {
			for k := range each {
				r := s.receipts(s.nodes[(i+k)%2], fmt.Sprintf("c%d", i), fairfactor.Submission{Number: "91", Wait: k%2 == 0})[0]
				mu.Lock()
				if r.Err != nil || ids[r.Job.ID] {
					t.Errorf("c%d: %+v, twice: %v", i, r, ids[r.Job.ID])
				}
				ids[r.Job.ID] = true
				mu.Unlock()
			}
		})
	}
	submitting.Wait()
	s.eventually("all jobs are done", func() bool {
		return s.nodes[0].sys.Counters.Completed.Load()+s.nodes[1].sys.Counters.Completed.Load() == callers*each
	})
	close(stop)
	clearing.Wait()
	s.clear()
	if a, err := s.store.Accounts(t.Context()); a.Kept != 0 || a.Forgotten < callers || err != nil {
		t.Errorf("in the end: %+v, %v", a, err)
	}
	t.Logf("%d activations were fenced", s.fenced())
}

// At the bound a new caller is refused, without an actor that stays, and all others go on. When
// the jobs of one have been deleted there is room.
func TestNewCallersAtTheBound(t *testing.T) {
	s := newSite(t, 2, stays)
	s.store.BoundAccounts(2)
	a := s.completed(s.nodes[0], s.submit(s.nodes[0], "a", "15")...)
	s.completed(s.nodes[0], s.submit(s.nodes[0], "b", "15")...)
	for _, n := range s.nodes {
		_, err := n.Submit(t.Context(), "c", []fairfactor.Submission{{Number: "21"}, {Number: "35"}}, nil)
		if e := new(fairfactor.Error); !errors.As(err, &e) || e.Code != fairfactor.Limit || e.Retry != time.Minute {
			t.Errorf("a third caller: %v", err)
		}
		if _, err := n.SetWeight(t.Context(), "c", 2); fairfactor.CodeOf(err) != fairfactor.Limit {
			t.Errorf("a setting of a third caller: %v", err)
		}
		s.completed(n, s.submit(n, "a", "21")...)
	}
	s.eventually("the actors of a and b are left", func() bool {
		return s.nodes[0].sys.Counters.Callers.Load()+s.nodes[1].sys.Counters.Callers.Load() == 2
	})
	if _, err := s.store.Expire(t.Context(), a[0].Finished.Add(time.Microsecond), 1); err != nil {
		t.Fatal(err)
	}
	if _, err := s.nodes[0].Submit(t.Context(), "c", []fairfactor.Submission{{Number: "21"}}, nil); fairfactor.CodeOf(err) != fairfactor.Limit {
		t.Errorf("a third caller, while a has jobs left: %v", err)
	}
	if _, err := s.store.Expire(t.Context(), time.Now().Add(time.Hour), 3); err != nil {
		t.Fatal(err)
	}
	s.completed(s.nodes[1], s.submit(s.nodes[1], "c", "21")...)
	s.eventually("the actor of c is there", func() bool { return s.nodes[0].sys.Counters.Callers.Load()+s.nodes[1].sys.Counters.Callers.Load() > 0 })
}
