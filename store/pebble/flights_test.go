package pebble

import (
	"context"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"fairfactor"
)

// TestFinalStateIsShownWhenItIsDurable: as long as the group that ended a job is
// not on the disk, who asks for the job waits. A crash could still take it back.
func TestFinalStateIsShownWhenItIsDurable(t *testing.T) {
	s := mustOpen(t, "data", vfs.NewMem(), 0)
	defer s.Close()
	a := activate(t, s, "a")
	accepted := a.accept()
	mustApply(t, s, accepted)
	id := accepted.Job.ID
	wait, err := s.Start([]fairfactor.Change{a.finish(*accepted.Job)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if j, err := s.Job(ctx, id); err == nil {
		t.Errorf("the job is shown as %s before that is durable", j.State)
	}
	if page, err := s.List(ctx, fairfactor.Query{Caller: "a", Limit: 10}); err == nil {
		t.Errorf("listed before that is durable: %+v", page)
	}
	read := make(chan fairfactor.Job)
	go func() {
		j, err := s.Job(t.Context(), id)
		if err != nil {
			t.Error(err)
		}
		read <- j
	}()
	if errs, err := wait(); err != nil || errs != nil {
		t.Fatal(errs, err)
	}
	if j := <-read; j.State != fairfactor.Completed {
		t.Errorf("the job is %s", j.State)
	}
	if page, err := s.List(t.Context(), fairfactor.Query{Limit: 10}); err != nil || len(page.Jobs) != 1 || page.Jobs[0].State != fairfactor.Completed {
		t.Errorf("listed %+v, %v", page, err)
	}
	if len(s.flights.jobs) != 0 || len(s.flights.groups) != 0 {
		t.Errorf("%d jobs and %d groups are still in flight", len(s.flights.jobs), len(s.flights.groups))
	}
}
