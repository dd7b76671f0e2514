package postgres_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"fairfactor"
	"fairfactor/store/postgres/pgtest"
)

// TestPinnedHorizon: a transaction that stays open keeps PostgreSQL from removing what is
// overwritten. Groups must not come to read more of it, the more there is: the pages that
// the server looks at say so.
func TestPinnedHorizon(t *testing.T) {
	url := pgtest.Start(t, "fsync=off", "autovacuum=off").Database(t)
	s := open(t, url)
	w := claim(t, s, "a")
	apply := func(ch fairfactor.Change) {
		t.Helper()
		if errs, err := s.Apply(t.Context(), []fairfactor.Change{ch}); errs != nil || err != nil {
			t.Fatal(errs, err)
		}
	}
	apply(w.next())
	pin, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer pin.Close(context.WithoutCancel(t.Context()))
	for _, statement := range []string{"BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT count(*) FROM fairfactor.callers"} {
		if _, err := pin.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	pages := func(cycles int) int {
		t.Helper()
		// What a connection has looked at is counted when it ends at the latest.
		const looked = "SELECT sum(heap_blks_hit + idx_blks_hit)::bigint FROM pg_statio_user_tables WHERE relname IN ('callers', 'writers')"
		s.Close()
		awaitOthers(t, url)
		before := count(t, url, looked)
		s = open(t, url)
		w = claim(t, s, "a")
		for range cycles {
			ch := w.next()
			apply(ch)
			apply(w.done(ch))
		}
		s.Close()
		awaitOthers(t, url)
		after := count(t, url, looked)
		s = open(t, url)
		return (after - before) / cycles
	}
	first := pages(400)
	w = claim(t, s, "a")
	for range 2000 {
		ch := w.next()
		apply(ch)
		apply(w.done(ch))
	}
	last := pages(400)
	s.Close()
	t.Logf("pages for a job: %d, and after 4,000 groups %d", first, last)
	if last > 2*first {
		t.Errorf("a job looks at %d pages, and after 4,000 groups at %d", first, last)
	}
}

// TestPinnedHorizonReads: while what is overwritten can't be removed, reads of jobs and of an
// account look at no more of the rows of callers, the more often these were written.
func TestPinnedHorizonReads(t *testing.T) {
	url := pgtest.Start(t, "fsync=off", "autovacuum=off").Database(t)
	s := open(t, url)
	pin, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer pin.Close(context.WithoutCancel(t.Context()))
	for _, statement := range []string{"BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT count(*) FROM fairfactor.callers"} {
		if _, err := pin.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	// What a connection has looked at is counted when it ends at the latest.
	looked := func(reads int) int {
		t.Helper()
		const looked = "SELECT sum(heap_blks_hit + idx_blks_hit)::bigint FROM pg_statio_user_tables WHERE relname = 'callers'"
		s.Close()
		awaitOthers(t, url)
		before := count(t, url, looked)
		s = open(t, url)
		w := claim(t, s, "a")
		ch := w.next()
		if errs, err := s.Apply(t.Context(), []fairfactor.Change{ch, w.done(ch)}); errs != nil || err != nil {
			t.Fatal(errs, err)
		}
		for range reads {
			if j, err := s.Job(t.Context(), ch.Job.ID); err != nil || j.Caller != "a" {
				t.Fatalf("%+v, %v", j, err)
			}
			if list, err := s.Jobs(t.Context(), []fairfactor.ID{ch.Job.ID}); err != nil || list[0].Caller != "a" {
				t.Fatalf("%+v, %v", list, err)
			}
			for _, q := range []fairfactor.Query{{Limit: 2}, {Limit: 2, Caller: "a", Since: ch.Job.Submitted.Add(-time.Second)}} {
				if page, err := s.List(t.Context(), q); err != nil || len(page.Jobs) == 0 || page.Jobs[0].Caller != "a" {
					t.Fatalf("%+v, %v", page, err)
				}
			}
			if c, err := s.Caller(t.Context(), "a"); err != nil || c.Completed == 0 {
				t.Fatalf("%+v, %v", c, err)
			}
		}
		s.Close()
		awaitOthers(t, url)
		return count(t, url, looked) - before
	}
	const reads = 100
	each := func() int { return (looked(reads+1) - looked(1)) / reads }
	first := each()
	s = open(t, url)
	w := claim(t, s, "a")
	for range 1500 {
		ch := w.next()
		if errs, err := s.Apply(t.Context(), []fairfactor.Change{ch, w.done(ch)}); errs != nil || err != nil {
			t.Fatal(errs, err)
		}
	}
	last := each()
	t.Logf("pages of callers for five reads: %d, and after 1,500 groups %d", first, last)
	if last > first+5 {
		t.Errorf("five reads look at %d pages of callers, and after 1,500 groups at %d", first, last)
	}
}

// awaitOthers waits until no connection is left but that which pins.
func awaitOthers(t *testing.T, url string) {
	t.Helper()
	for count(t, url, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'") > 2 {
	}
}

// TestRowsOfALaneAreRenewed: a lane writes on to another row after a while, which tells as
// much as the one before; former rows go when they are old.
func TestRowsOfALaneAreRenewed(t *testing.T) {
	url := pgtest.Database(t)
	s := open(t, url)
	defer s.Close()
	w := claim(t, s, "a")
	groups := func(n int) (errs []error) {
		t.Helper()
		for range n {
			var err error
			if errs, err = s.Apply(t.Context(), []fairfactor.Change{w.next()}); errs != nil || err != nil {
				if err != nil {
					t.Fatal(err)
				}
				return errs
			}
		}
		return nil
	}
	if errs := groups(1100); errs != nil {
		t.Fatal(errs)
	}
	const rows = "SELECT count(*) FROM fairfactor.writers"
	if n := count(t, url, rows); n != 4 {
		t.Errorf("two lanes have %d rows after 1,100 groups, want 4", n)
	}
	run(t, url, "UPDATE fairfactor.writers SET touched = now() - interval '1 hour' WHERE last < (SELECT max(last) FROM fairfactor.writers) - 10")
	if errs := groups(1000); errs != nil {
		t.Fatal(errs)
	}
	if n := count(t, url, rows); n != 4 {
		t.Errorf("two lanes have %d rows after 2,100 groups, want 4", n)
	}
	run(t, url, "DELETE FROM fairfactor.writers WHERE last = (SELECT max(last) FROM fairfactor.writers)")
	if errs := groups(2); len(errs) != 1 || !errors.Is(errs[0], fairfactor.ErrWentBack) {
		t.Errorf("a lane whose row was lost: %v", errs)
	}
	w = claim(t, s, "a")
	if errs := groups(2); errs != nil {
		t.Errorf("claimed again: %v", errs)
	}
}
