package actors_test

import (
	"fmt"
	"testing"
	"time"

	"fairfactor"
	"fairfactor/actors"
	"fairfactor/store/memory"
)

// A scheduler that has just come knows how much there is to do long before it has come to
// all callers: an autoscaler must not take that for less.
func TestReportCountsAhead(t *testing.T) {
	const callers = 5 * fairfactor.MaxPage
	store, number := memory.New(), hard(seeded(t))
	for i := range callers {
		leave(t, store, fmt.Sprintf("caller-%d", i), number, number)
	}
	s := siteOn(t, store, 1, nil)
	var f fairfactor.Fairness
	s.eventually("all jobs are counted", func() (ok bool) {
		var err error
		f, err = s.nodes[0].Fairness(t.Context())
		return err == nil && f.Jobs >= 2*callers
	})
	if f.Jobs != 2*callers || f.Active >= callers {
		t.Errorf("%d jobs of %d, and %d callers are known of %d", f.Jobs, 2*callers, f.Active, callers)
	}
}

// leave puts jobs of a caller into a store, as an activation that is gone.
func leave(t *testing.T, store *memory.Store, name string, numbers ...string) {
	t.Helper()
	claim, err := store.ClaimCaller(t.Context(), name, "")
	if err != nil {
		t.Fatal(err)
	}
	for i, number := range numbers {
		seq := claim.Last + uint64(i) + 1
		errs, err := store.Apply(t.Context(), []fairfactor.Change{{
			Op: fairfactor.Accept, Caller: name, Number: claim.Number, Epoch: claim.Epoch,
			Job: &fairfactor.Job{
				ID: fairfactor.ID{Nonce: 7, Caller: claim.Number, Seq: seq}, Caller: name, Number: number, Order: seq,
				State: fairfactor.Pending, Submitted: time.Now(),
			},
		}})
		if err != nil || errs != nil {
			t.Fatal(errs, err)
		}
	}
}

// Lists and looks activate no actor: what none works on waits in the store.
func TestReadingWakesNobody(t *testing.T) {
	s := newSite(t, 2, func(c *actors.Config) { c.Passivate = 20 * time.Millisecond })
	n := s.nodes[0]
	done := s.completed(n, s.submit(n, "alice", "15", "21")...)
	idle := func() bool {
		return s.nodes[0].sys.Counters.Callers.Load()+s.nodes[1].sys.Counters.Callers.Load() == 0
	}
	s.eventually("the caller is idle", idle)
	before := s.activations()
	for _, n := range s.nodes {
		if _, err := n.Job(t.Context(), done[0].ID); err != nil {
			t.Error(err)
		}
		for _, q := range []fairfactor.Query{{Limit: 10}, {Limit: 10, States: fairfactor.In(fairfactor.Running)}, {Limit: 10, Caller: "alice", States: fairfactor.In(fairfactor.Pending)}} {
			if _, err := n.List(t.Context(), q); err != nil {
				t.Error(err)
			}
		}
		if callers, err := n.Callers(t.Context(), "", 10); err != nil || len(callers) != 1 || callers[0].Completed != 2 {
			t.Errorf("callers: %+v, %v", callers, err)
		}
	}
	if got := s.activations(); got != before {
		t.Errorf("%d activations for reading", got-before)
	}
}

func (s *site) activations() (n uint64) {
	for _, m := range s.nodes {
		n += m.sys.Counters.Activations.Load()
	}
	return n
}

// Groups: the caller's is set by its first submission and moved by an operator; a
// group has a weight.
func TestGroups(t *testing.T) {
	s := newSite(t, 2, nil)
	n := s.nodes[0]
	for _, caller := range []string{"team:a", "team:b"} {
		for _, group := range []string{"team", "other"} { // the first one counts
			r := s.receipts(n, caller, fairfactor.Submission{Number: "15", Group: group})
			s.completed(n, r[0].Job)
		}
		if c, err := n.Caller(t.Context(), caller); err != nil || c.Group != "team" {
			t.Errorf("caller %+v, %v", c, err)
		}
	}
	if c, err := n.SetGroup(t.Context(), "team:b", ""); err != nil || c.Group != "" {
		t.Errorf("moved: %+v, %v", c, err)
	}
	if _, err := n.SetGroup(t.Context(), "team:b", "not a group"); fairfactor.CodeOf(err) != fairfactor.Invalid {
		t.Errorf("what is not a group: %v", err)
	}
	if err := n.WeighGroup(t.Context(), "team", 3); err != nil {
		t.Error(err)
	}
	if err := n.WeighGroup(t.Context(), "team", 0); fairfactor.CodeOf(err) != fairfactor.Invalid {
		t.Errorf("weight 0: %v", err)
	}
	s.submit(n, "team:a", many(hard(seeded(t)), 8)...)
	s.eventually("the group is in line", func() bool {
		f, err := n.Fairness(t.Context())
		return err == nil && f.Inside.InLine == 1 && f.Between.Bound > 0
	})
}
