package pebble

import (
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"fairfactor"
)

// TestNewest: what was accepted and what ended count, whichever is later, and only
// what was there at the start.
func TestNewest(t *testing.T) {
	fs := vfs.NewMem()
	newest := func() (*Store, time.Time) {
		s := mustOpen(t, "data", fs, 0)
		return s, s.Newest()
	}
	s, at := newest()
	if !at.IsZero() {
		t.Errorf("an empty store: %v", at)
	}
	a := activate(t, s, "a")
	first := a.accept()
	mustApply(t, s, first)
	if !s.Newest().IsZero() {
		t.Errorf("it changed to %v", s.Newest())
	}
	steps := []struct {
		change fairfactor.Change
		want   time.Time
	}{
		{a.accept(), epochTime.Add(2 * time.Microsecond)},
		{a.finish(*first.Job), first.Job.Submitted.Add(time.Second)},
		{a.accept(), first.Job.Submitted.Add(time.Second)},
	}
	for _, step := range steps {
		mustApply(t, s, step.change)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if s, at = newest(); !at.Equal(step.want) {
			t.Errorf("after operation %d: %v, want %v", step.change.Op, at, step.want)
		}
		a.claim = activate(t, s, "a").claim
		for i := range steps {
			steps[i].change.Epoch = a.claim.Epoch
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
