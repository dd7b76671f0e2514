package actors_test

import (
	"errors"
	"testing"

	"fairfactor"
)

// TestBounds: what an operator allows a caller counts on every node, also for those
// who submit through another one, and outlasts the node that keeps the caller.
func TestBounds(t *testing.T) {
	s := newSite(t, 3, nil)
	rate, digits, queue := uint64(3), uint64(7), uint64(4)
	c, err := s.nodes[0].SetBounds(t.Context(), "alice", fairfactor.BoundsChange{MaxRate: &rate, MaxDigits: &digits})
	if err != nil || c.Bounds != (fairfactor.Bounds{MaxRate: 3, MaxDigits: 7}) {
		t.Fatalf("%+v, %v", c, err)
	}
	if c, err = s.nodes[1].SetBounds(t.Context(), "alice", fairfactor.BoundsChange{MaxQueue: &queue, MaxRate: new(uint64)}); err != nil || c.Bounds != (fairfactor.Bounds{MaxQueue: 4, MaxDigits: 7}) {
		t.Fatalf("%+v, %v", c, err)
	}
	if _, err := s.nodes[2].SetPaused(t.Context(), "alice", true); err != nil {
		t.Fatal(err)
	}
	refusedBy := func(n *node, number string) *fairfactor.Quota {
		t.Helper()
		receipts, err := n.Submit(t.Context(), "alice", []fairfactor.Submission{{Number: number}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		var e *fairfactor.Error
		if !errors.As(receipts[0].Err, &e) {
			return nil
		}
		return e.Quota
	}
	for i, n := range s.nodes {
		if q := refusedBy(n, "12345678"); q == nil || q.Name != "digits" || q.Limit != 7 {
			t.Errorf("8 digits at node %d: %+v", i, q)
		}
		if q := refusedBy(n, "1000003"); q != nil {
			t.Errorf("job %d of 4: %+v", i, q)
		}
	}
	s.leave(s.nodes[0])
	for _, n := range s.nodes[1:] {
		refusedBy(n, "1000003") // the first of them is the fourth job
		if q := refusedBy(n, "1000003"); q == nil || q.Name != "queue" || q.Limit != 4 {
			t.Errorf("a fifth job: %+v", q)
		}
	}
	if c, err := s.nodes[1].Caller(t.Context(), "alice"); err != nil || c.Queued != 4 {
		t.Errorf("%+v, %v", c, err)
	}
}
