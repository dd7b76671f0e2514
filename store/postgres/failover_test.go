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

// TestFailover: the primary dies and its standby takes over. One that the primary
// waited for has everything, and activations go on. One that lagged has lost what
// came last, and each activation that believes in it has to begin again.
func TestFailover(t *testing.T) {
	for what, lags := range map[string]bool{"synchronous": false, "that lagged": true} {
		t.Run(what, func(t *testing.T) { failover(t, lags) })
	}
}

func failover(t *testing.T, lags bool) {
	primary := pgtest.Start(t, "fsync=off")
	direct := primary.Database(t)
	standby := primary.Standby(t)
	copied := standby.URL(t, direct)
	told := make(chan struct{}, 8)
	s, err := postgres.Open(t.Context(), pgtest.Either(t, primary, standby, direct), postgres.Options{
		Logger: slog.New(slog.DiscardHandler), WentBack: func() { told <- struct{}{} },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	w := claim(t, s, "a")
	accept := func() {
		t.Helper()
		for range 5 {
			if errs, err := s.Apply(t.Context(), []fairfactor.Change{w.next()}); errs != nil || err != nil {
				t.Fatal(errs, err)
			}
		}
	}
	if !lags {
		exec(t, direct, "ALTER SYSTEM SET synchronous_standby_names = '*'")
		exec(t, direct, "SELECT pg_reload_conf()")
		for state := 0; state == 0; {
			state = count(t, direct, "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'")
		}
	}
	accept()
	for there := 0; there == 0; {
		there = count(t, copied, "SELECT count(*) FROM pg_tables WHERE schemaname = 'fairfactor' AND tablename = 'queue'")
	}
	for n := 0; n < 5; {
		n = count(t, copied, "SELECT count(*) FROM fairfactor.queue")
	}
	if lags {
		exec(t, copied, "ALTER SYSTEM SET primary_conninfo = ''")
		exec(t, copied, "SELECT pg_reload_conf()")
		for n := 1; n > 0; {
			n = count(t, direct, "SELECT count(*) FROM pg_stat_replication")
		}
	}
	accept()
	primary.Kill()
	standby.Promote(t)

	deadline := time.Now().Add(time.Minute)
	next := w.next()
	var errs []error
	for {
		if errs, err = s.Apply(context.Background(), []fairfactor.Change{next}); err == nil {
			break
		}
		if fairfactor.CodeOf(err) != fairfactor.Unavailable || time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	want := 11
	if lags {
		<-told
		if errs == nil || !errors.Is(errs[0], fairfactor.ErrWentBack) {
			t.Errorf("a change that stands on what is lost: %v", errs)
		}
		if w = claim(t, s, "a"); w.last != 5 {
			t.Errorf("claimed again with the last number %d, want 5", w.last)
		}
		want = 10
		accept()
	} else if errs != nil {
		t.Errorf("nothing was lost, and a change is refused: %v", errs)
	}
	if n := written(t, s, "a"); n != want {
		t.Errorf("%d jobs are there, want %d", n, want)
	}
	select {
	case <-told:
		t.Error("the node was told of a loss")
	default:
	}
}
