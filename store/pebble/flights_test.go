package pebble

import (
	"context"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"fairfactor"
)

// TestNothingIsSaidBeforeItIsDurable: as long as the group that accepted a job,
// ended it, did both or queued it again is not on the disk, who asks for the job,
// by its id, by its key or in a list, waits. A crash could still take it back.
func TestNothingIsSaidBeforeItIsDurable(t *testing.T) {
	for name, step := range map[string]func(t *testing.T, s *Store, a *activation) fairfactor.Change{
		"accept": func(_ *testing.T, _ *Store, a *activation) fairfactor.Change { return a.accept() },
		"finish": func(t *testing.T, s *Store, a *activation) fairfactor.Change {
			ch := a.accept()
			mustApply(t, s, ch)
			return a.finish(*ch.Job)
		},
		"accept ended": func(_ *testing.T, _ *Store, a *activation) fairfactor.Change {
			ch := a.finish(*a.accept().Job)
			ch.Op, ch.Job.Key = fairfactor.AcceptEnded, "key"
			return ch
		},
		"accept with a key": func(_ *testing.T, _ *Store, a *activation) fairfactor.Change {
			ch := a.accept()
			ch.Job.Key = "key"
			return ch
		},
		"requeue": func(t *testing.T, s *Store, a *activation) fairfactor.Change {
			ch := a.accept()
			failed := a.finish(*ch.Job)
			failed.Job.State = fairfactor.Failed
			mustApply(t, s, ch, failed)
			again := a.change(fairfactor.Requeue, *failed.Job)
			a.last++
			again.Job.State, again.Job.Order, again.Job.Finished = fairfactor.Pending, a.last, time.Time{}
			return again
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := mustOpen(t, "data", vfs.NewMem(), 0)
			defer s.Close()
			a := activate(t, s, "a")
			mustApply(t, s, a.accept())
			saidOnceDurable(t, s, step(t, s, a))
		})
	}
}

// saidOnceDurable makes a change and asks for its job before and after it is
// durable.
func saidOnceDurable(t *testing.T, s *Store, ch fairfactor.Change) {
	t.Helper()
	id, key := ch.Job.ID, ch.Job.Key
	asks := map[string]func(context.Context) error{
		"Job":             func(ctx context.Context) error { _, err := s.Job(ctx, id); return err },
		"List":            func(ctx context.Context) error { _, err := s.List(ctx, fairfactor.Query{Limit: 1}); return err },
		"List of a state": func(ctx context.Context) error { return listState(ctx, s, ch.Job.State) },
		"List of a caller": func(ctx context.Context) error {
			_, err := s.List(ctx, fairfactor.Query{Caller: "a", Limit: 10})
			return err
		},
	}
	if key != "" {
		asks["Keyed"] = func(ctx context.Context) error {
			found, err := s.Keyed(ctx, id.Caller, []string{key}, time.Time{})
			if err == nil && found[key].ID != id {
				t.Errorf("the key gives %+v", found)
			}
			return err
		}
	}
	wait, err := s.Start([]fairfactor.Change{ch})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	for what, ask := range asks {
		if err := ask(ctx); fairfactor.CodeOf(err) != fairfactor.Canceled {
			t.Errorf("%s before it is durable: %v", what, err)
		}
	}
	read := make(chan error)
	go func() { read <- asks["Job"](t.Context()) }()
	if errs, err := wait(); err != nil || errs != nil {
		t.Fatal(errs, err)
	}
	if err := <-read; err != nil {
		t.Error(err)
	}
	for what, ask := range asks {
		if err := ask(t.Context()); err != nil {
			t.Errorf("%s afterwards: %v", what, err)
		}
	}
	if len(s.flights.jobs) != 0 || len(s.flights.groups) != 0 {
		t.Errorf("%d jobs and %d groups are still in flight", len(s.flights.jobs), len(s.flights.groups))
	}
}

func listState(ctx context.Context, s *Store, state fairfactor.State) error {
	page, err := s.List(ctx, fairfactor.Query{States: fairfactor.In(state), Limit: 10})
	if err == nil && len(page.Jobs) == 0 {
		return fairfactor.Errorf(fairfactor.NotFound, "nothing is listed")
	}
	return err
}

// TestDurableIsSaidAtOnce: readers of what is on the disk do not wait for others.
func TestDurableIsSaidAtOnce(t *testing.T) {
	s := mustOpen(t, "data", vfs.NewMem(), 0)
	defer s.Close()
	a, b := activate(t, s, "a"), activate(t, s, "b")
	ch := a.accept()
	mustApply(t, s, ch)
	wait, err := s.Start([]fairfactor.Change{b.accept()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Job(t.Context(), ch.Job.ID); err != nil {
		t.Error(err)
	}
	if page, err := s.List(t.Context(), fairfactor.Query{Caller: "a", Limit: 10}); err != nil || len(page.Jobs) != 1 {
		t.Errorf("%+v, %v", page, err)
	}
	if _, err := wait(); err != nil {
		t.Fatal(err)
	}
}
