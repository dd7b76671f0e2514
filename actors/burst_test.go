package actors_test

import (
	"strconv"
	"testing"

	"fairfactor"
)

// Many submissions of one caller at once are written in groups of a bounded size:
// a store refuses one that is too large, and nothing of it would be kept. The group before
// them waits until all are there, so that nothing but the bound parts them.
func TestABurstIsWrittenInParts(t *testing.T) {
	const most, burst = 1024, 3000 // the committer's bound for one caller
	s := newSite(t, 1, nil)
	n := n0(s)
	s.completed(n, s.submit(n, "alice", "15")...)
	release := n.store.hold()
	defer release()
	first := make(chan []fairfactor.Receipt, 1)
	go func() { first <- s.receipts(n, "alice", fairfactor.Submission{Number: "21"}) }()
	s.eventually("a group waits", func() bool { return n.store.held() == 1 })
	subs := make([]fairfactor.Submission, burst)
	for i := range subs {
		subs[i].Number = strconv.Itoa(2 + i)
	}
	rest := make(chan []fairfactor.Receipt, 1)
	go func() { rest <- s.receipts(n, "alice", subs...) }()
	s.eventually("the burst has been taken in", func() bool { return s.fairness(n).HandedOut > 2 })
	release()
	for _, r := range append(<-first, <-rest...) {
		if r.Err != nil {
			t.Fatal(r.Err)
		}
	}
	s.eventually("all jobs are completed", func() bool {
		c, err := n.Caller(t.Context(), "alice")
		return err == nil && c.Completed == burst+2
	})
	if got := n.store.largest(); got != most {
		t.Errorf("%d changes in the largest group of %d", got, burst)
	}
}

// The end of a job is tried again whatever the store says, as long as the job has
// not ended already: no one else knows it.
func TestEndIsStoredAfterAnyRefusal(t *testing.T) {
	for _, code := range []fairfactor.Code{fairfactor.Limit, fairfactor.Unavailable, fairfactor.Internal, fairfactor.Canceled} {
		s := newSite(t, 1, nil)
		n0(s).store.failing(func(c *fairfactor.Change) error {
			if c.Op == fairfactor.Finish {
				return fairfactor.Errorf(code, "not now")
			}
			return nil
		})
		jobs := s.submit(n0(s), "alice", "15", "21", "35")
		s.eventually("all turns have ended", func() bool {
			f, err := n0(s).Fairness(t.Context())
			return err == nil && f.HandedOut >= 3 && f.Open == 0 && f.Waiting == 0
		})
		n0(s).store.failing(nil)
		s.completed(n0(s), jobs...)
	}
}
