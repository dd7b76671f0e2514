package actors_test

import (
	"strconv"
	"testing"

	"fairfactor"
)

// Many submissions of one caller at once are written in groups of a bounded size:
// a store refuses one that is too large, and nothing of it would be kept.
func TestABurstIsWrittenInParts(t *testing.T) {
	s := newSite(t, 1, nil)
	var numbers []string
	for i := range 9000 {
		numbers = append(numbers, strconv.Itoa(2+i))
	}
	s.completed(n0(s), s.submit(n0(s), "alice", numbers...)...)
	if most := n0(s).store.largest(); most > 4096 {
		t.Errorf("%d changes in one group", most)
	}
}

// The end of a job is tried again whatever the store says, as long as the job has
// not ended already: nobody else knows it.
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
