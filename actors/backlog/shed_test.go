package backlog_test

import (
	"testing"

	"fairfactor"
	"fairfactor/actors/backlog"
)

// TestNeedlessTurnsAreTakenBack offers many turns of a job ahead, as to a large
// cluster. Once the sieve has enough, the others are withdrawn, the linear algebra
// is next, and the job ends with the turns that it needed.
func TestNeedlessTurnsAreTakenBack(t *testing.T) {
	d := newDesk(t, backlog.Config{})
	d.accept("2100000000000000000000277300000000000000000002257")
	var queue []backlog.Turn
	offered, withdrawn := 0, 0
	for d.jobs[1].job.State == fairfactor.Pending {
		fresh := d.backlog.Next(nil, 200-len(queue))
		offered += len(fresh)
		queue = append(queue, fresh...)
		if len(queue) == 0 {
			t.Fatal("nothing to do")
		}
		turn := queue[0]
		queue = queue[1:]
		ended, withdraw := d.give(d.run(turn))
		if withdraw {
			queue = nil
		}
		if withdraw && ended == nil {
			withdrawn++
			if n := d.backlog.Outstanding(); n != 0 {
				t.Errorf("%d turns are outstanding after all were withdrawn", n)
			}
		}
	}
	job := d.jobs[1].job
	if job.State != fairfactor.Completed || withdrawn == 0 || offered < 200 || job.Turns > 30 {
		t.Errorf("%s after %d turns of %d offered, withdrawn %d times", job.State, job.Turns, offered, withdrawn)
	}
}
