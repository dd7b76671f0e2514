package postgres_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"fairfactor"
	"fairfactor/store/postgres"
	"fairfactor/store/postgres/pgtest"
)

// TestDatabaseWentBack: a database that comes back without what it acknowledged,
// as a standby that lagged does. The node is told, also if it has nothing to write;
// no activation that believes in what is lost writes any more; claimed again, all
// go on from what is there.
func TestDatabaseWentBack(t *testing.T) {
	server := pgtest.Start(t)
	told := make(chan struct{}, 8)
	s, err := postgres.Open(t.Context(), server.Database(t), postgres.Options{
		Logger: slog.New(slog.DiscardHandler), WentBack: func() { told <- struct{}{} },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	a, b := claim(t, s, "a"), claim(t, s, "b")
	commit := func(ch fairfactor.Change) error {
		t.Helper()
		errs, err := s.Apply(context.Background(), []fairfactor.Change{ch})
		if err != nil {
			t.Fatal(err)
		}
		if errs != nil {
			return errs[0]
		}
		return nil
	}
	kept, other := a.next(), b.next()
	for _, ch := range []fairfactor.Change{kept, other} {
		if err := commit(ch); err != nil {
			t.Fatal(err)
		}
	}
	server.Stop(t)
	revert := server.Save(t)
	server.Restart(t)
	for range 2 { // one on each lane
		if err := commit(a.next()); err != nil {
			t.Fatalf("after a restart that lost nothing: %v", err)
		}
	}
	select {
	case <-told:
		t.Fatal("a restart was taken for a loss")
	default:
	}
	server.Stop(t)
	revert()
	server.Restart(t)

	deadline := time.After(time.Minute)
	for waiting := true; waiting; {
		if _, err := s.Caller(t.Context(), "a"); err != nil && fairfactor.CodeOf(err) != fairfactor.Unavailable {
			t.Fatal(err)
		}
		select {
		case <-told:
			waiting = false
		case <-deadline:
			t.Fatal("the node was not told")
		default:
		}
	}
	for _, p := range []*pen{a, b} {
		if err := commit(p.next()); !errors.Is(err, fairfactor.ErrWentBack) || !errors.Is(err, fairfactor.ErrFenced) {
			t.Errorf("a change of %q, which believes in what is lost: %v", p.claim.Caller.Name, err)
		}
	}
	again := claim(t, s, "a")
	if again.last != kept.Job.Order {
		t.Errorf("claimed again with the last number %d, want %d", again.last, kept.Job.Order)
	}
	if err := commit(again.next()); err != nil {
		t.Errorf("claimed again: %v", err)
	}
	if n := written(t, s, "a"); n != 2 {
		t.Errorf("%d jobs are there, want 2", n)
	}
	select {
	case <-told:
		t.Error("the node was told twice")
	default:
	}
}

// TestClaimThatWasLost: an epoch is not given again, even if the database has
// forgotten that it was.
func TestClaimThatWasLost(t *testing.T) {
	url := pgtest.Database(t)
	s := open(t, url)
	defer s.Close()
	first := claim(t, s, "a")
	exec(t, url, "DELETE FROM fairfactor.callers")
	if again := claim(t, s, "a"); again.claim.Epoch <= first.claim.Epoch {
		t.Errorf("epoch %d after %d", again.claim.Epoch, first.claim.Epoch)
	}
}

// TestGroupSeesWhatOtherLanesLost: a group is refused if a row of either lane is not
// what was acknowledged, on connections that have lasted.
func TestGroupSeesWhatOtherLanesLost(t *testing.T) {
	for _, lane := range []string{"ASC", "DESC"} { // the one that comes next, and the other one
		url := pgtest.Database(t)
		s := open(t, url)
		w := claim(t, s, "a")
		for range 2 {
			if errs, err := s.Apply(t.Context(), []fairfactor.Change{w.next()}); errs != nil || err != nil {
				t.Fatal(errs, err)
			}
		}
		run(t, url, "UPDATE fairfactor.writers SET last = last - 1 WHERE id = (SELECT id FROM fairfactor.writers ORDER BY touched "+lane+" LIMIT 1)")
		errs, err := s.Apply(t.Context(), []fairfactor.Change{w.next()})
		if err != nil || errs == nil || !errors.Is(errs[0], fairfactor.ErrWentBack) {
			t.Errorf("%s: %v, %v", lane, errs, err)
		}
		s.Close()
	}
}
