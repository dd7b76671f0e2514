package backlog_test

import (
	"testing"
	"time"

	"fairfactor"
	"fairfactor/actors/backlog"
)

// TestOverdueWherever: a job whose deadline has passed is found in the window, while it
// is open, and while it is parked because its number is being factored.
func TestOverdueWherever(t *testing.T) {
	begin := time.UnixMicro(1_000_000).UTC()
	for share, where := range map[int]string{0: "open", 1: "parked"} {
		b := backlog.New(backlog.Config{Caller: "a", Share: share}, fairfactor.Claim{Number: 1, Epoch: 1})
		for seq := range uint64(3) {
			id := fairfactor.ID{Nonce: 7, Caller: 1, Seq: seq + 1}
			j := &fairfactor.Job{ID: id, Caller: "a", Number: "1000003", Order: seq + 1, State: fairfactor.Pending, Deadline: begin.Add(time.Duration(3-seq) * time.Hour)}
			b.Accept(j, b.Admit(j))
		}
		for _, what := range []string{"in the window", where} {
			overdue, next := b.Overdue(begin.Add(2 * time.Hour))
			if len(overdue) != 2 || overdue[0].ID.Seq != 2 || overdue[1].ID.Seq != 3 || !next.Equal(begin.Add(3*time.Hour)) {
				t.Errorf("%s: overdue %+v, next %v", what, overdue, next)
			}
			b.Next(nil, 3)
		}
		if overdue, next := b.Overdue(begin); len(overdue) > 0 || !next.Equal(begin.Add(time.Hour)) {
			t.Errorf("%s: before all of them: %+v, next %v", where, overdue, next)
		}
	}
}
