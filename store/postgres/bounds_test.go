package postgres_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"fairfactor"
	"fairfactor/store/postgres/pgtest"
)

// fill puts rows into the tables past the store, as it would have written them:
// finished jobs of the callers 1 to 100 and unfinished ones of the callers 101 to
// 110. One in a thousand of the finished has failed.
func fill(t testing.TB, url string, finished, queued int) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(ctx)
	for _, statement := range []string{
		fmt.Sprintf(`INSERT INTO fairfactor.callers (number, name, epoch, last, known, queued, completed)
			SELECT nextval('fairfactor.caller_numbers'), 'c' || lpad(n::text, 3, '0'), 1, 10000000, true,
				CASE WHEN n > 100 THEN %d ELSE 0 END, CASE WHEN n > 100 THEN 0 ELSE %d END FROM generate_series(1, 110) AS n`, queued/10, finished/100),
		fmt.Sprintf(`INSERT INTO fairfactor.jobs
			SELECT n %% 100 + 1, n / 100 + 1, n / 100 + 1, 7, n, CASE WHEN n %% 1000 = 7 THEN 4 ELSE 3 END, '600851475143', '',
				timestamptz '2030-01-01 00:00:00Z' + n * interval '1 ms', timestamptz '2030-01-01 00:00:00Z' + n * interval '1 ms',
				timestamptz '2030-01-01 00:00:00Z' + n * interval '1 ms', 1, n, 1000, 1, '71 839 1471 6857', ''
			FROM generate_series(0, %d - 1) AS n`, finished),
		fmt.Sprintf(`INSERT INTO fairfactor.queue
			SELECT n %% 10 + 101, n / 10 + 1, n / 10 + 1, 7, n + 1000000000, '600851475143', '', timestamptz '2030-02-01 00:00:00Z', '0001-01-01 00:00:00Z',
				0, 0, 0, 0, '', '' FROM generate_series(0, %d - 1) AS n`, queued),
		`INSERT INTO fairfactor.ended SELECT min(finished), n, 0, 0, array_agg(caller), array_agg(seq)
			FROM (SELECT caller, seq, finished, accepted / 100 AS n FROM fairfactor.jobs) AS j GROUP BY n`,
		"ANALYZE",
		"SELECT pg_stat_reset()",
	} {
		if _, err := c.Exec(ctx, statement); err != nil {
			t.Fatalf("%.60s: %v", statement, err)
		}
	}
}

// TestNothingWalksThroughTheTables: no question and no change reads more rows than
// it answers with or writes, times a small number, and none reads a table from one
// end to the other. PostgreSQL's own counters say so.
func TestNothingWalksThroughTheTables(t *testing.T) {
	url := pgtest.Database(t)
	open(t, url).Close()
	fill(t, url, 30_000, 5_000)
	watcher, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer watcher.Close(context.WithoutCancel(t.Context()))
	// read returns how many rows were read since the last call. What a connection
	// has read is counted when it ends at the latest.
	read := func() (rows, scans int) {
		t.Helper()
		for others := 1; others > 0; {
			if err := watcher.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity
				WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`).Scan(&others); err != nil {
				t.Fatal(err)
			}
		}
		if err := watcher.QueryRow(t.Context(), `SELECT
			(SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_user_tables) + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes),
			(SELECT sum(seq_scan) FROM pg_stat_user_tables WHERE relname IN ('jobs', 'queue', 'keys', 'callers'))`).Scan(&rows, &scans); err != nil {
			t.Fatal(err)
		}
		if _, err := watcher.Exec(t.Context(), "SELECT pg_stat_reset()"); err != nil {
			t.Fatal(err)
		}
		return rows, scans
	}
	read() // of filling
	open(t, url).Close()
	own, _ := read() // of opening, closing and asking
	id := func(caller, seq uint64) fairfactor.ID { return fairfactor.ID{Nonce: 7, Caller: caller, Seq: seq} }
	for _, c := range []struct {
		what string
		most int
		call func(s fairfactor.Store) error
	}{
		{"a finished job", 20, func(s fairfactor.Store) error { _, err := s.Job(t.Context(), id(50, 200)); return err }},
		{"an unfinished job", 20, func(s fairfactor.Store) error { _, err := s.Job(t.Context(), id(105, 200)); return err }},
		{"everybody's jobs", 400, func(s fairfactor.Store) error { return page(t, s, fairfactor.Query{Limit: 20}, 20) }},
		{"a caller's jobs", 400, func(s fairfactor.Store) error { return page(t, s, fairfactor.Query{Caller: "c050", Limit: 20}, 20) }},
		{"a waiting caller's jobs", 400, func(s fairfactor.Store) error { return page(t, s, fairfactor.Query{Caller: "c105", Limit: 20}, 20) }},
		{"completed jobs", 22_000, func(s fairfactor.Store) error {
			return page(t, s, fairfactor.Query{State: fairfactor.Completed, Limit: 20}, 20)
		}},
		{"failed jobs", 400, func(s fairfactor.Store) error {
			return page(t, s, fairfactor.Query{State: fairfactor.Failed, Limit: 20}, 20)
		}},
		{"failed jobs of a caller", 400, func(s fairfactor.Store) error {
			return page(t, s, fairfactor.Query{Caller: "c008", State: fairfactor.Failed, Limit: 20}, 20)
		}},
		{"no failed jobs of a caller", 50, func(s fairfactor.Store) error {
			return page(t, s, fairfactor.Query{Caller: "c050", State: fairfactor.Failed, Limit: 20}, 0)
		}},
		{"no cancelled jobs", 50, func(s fairfactor.Store) error {
			return page(t, s, fairfactor.Query{State: fairfactor.Cancelled, Limit: 20}, 0)
		}},
		{"pending jobs", 400, func(s fairfactor.Store) error {
			return page(t, s, fairfactor.Query{State: fairfactor.Pending, Limit: 20}, 20)
		}},
		{"pending jobs of a caller", 400, func(s fairfactor.Store) error {
			return page(t, s, fairfactor.Query{Caller: "c105", State: fairfactor.Pending, Limit: 20}, 20)
		}},
		{"an activation", 1500, func(s fairfactor.Store) error {
			claim, err := s.ClaimCaller(t.Context(), "c103", "")
			if err != nil {
				return err
			}
			waiting, err := s.Backlog(t.Context(), claim.Number, 0, 256)
			if len(waiting) != 256 {
				t.Errorf("%d on a page of the backlog", len(waiting))
			}
			return err
		}},
		{"callers with jobs", 1000, func(s fairfactor.Store) error {
			list, err := s.Backlogged(t.Context(), 0, 1000)
			if len(list) != 10 {
				t.Errorf("%d callers", len(list))
			}
			return err
		}},
		{"a key", 20, func(s fairfactor.Store) error { _, _, err := s.Key(t.Context(), 50, "k", time.Time{}); return err }},
		{"the scheduler", 50, func(s fairfactor.Store) error { _, err := s.ClaimScheduler(t.Context()); return err }},
		{"expiry of 50", 1000, func(s fairfactor.Store) error {
			n, err := s.Expire(t.Context(), time.Date(2030, 1, 20, 0, 0, 0, 0, time.UTC), 50)
			if n != 50 {
				t.Errorf("%d expired", n)
			}
			return err
		}},
		{"a group of 400 changes", 4000, func(s fairfactor.Store) error {
			p := claim(t, s, "c101")
			p.last = 10_000_000
			var changes []fairfactor.Change
			for seq := uint64(1); seq <= 200; seq++ {
				changes = append(changes, p.next())
				old := p.change(fairfactor.Accept, fairfactor.Job{ID: id(101, seq), Caller: "c101", Number: "600851475143", Order: seq})
				changes = append(changes, p.done(old))
			}
			errs, err := s.Apply(t.Context(), changes)
			if errs != nil {
				t.Errorf("refused: %v", errs)
			}
			return err
		}},
	} {
		s := open(t, url)
		if err := c.call(s); err != nil {
			t.Errorf("%s: %v", c.what, err)
		}
		s.Close()
		rows, scans := read()
		t.Logf("%s: %d rows read", c.what, rows-own)
		if rows-own > c.most || scans > 0 {
			t.Errorf("%s: %d rows were read, want at most %d; %d tables from end to end", c.what, rows-own, c.most, scans)
		}
	}
}

// page lists jobs and checks how many they are.
func page(t *testing.T, s fairfactor.Store, q fairfactor.Query, want int) error {
	t.Helper()
	p, err := s.List(t.Context(), q)
	if err == nil && len(p.Jobs) != want {
		t.Errorf("%+v: %d jobs, want %d", q, len(p.Jobs), want)
	}
	return err
}
