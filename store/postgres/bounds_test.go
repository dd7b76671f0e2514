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

// rowsRead returns what counts the rows that were read since its last call, and the
// tables that were read from end to end. What a connection has read is counted when
// it ends at the latest.
func rowsRead(t *testing.T, url string) func() (rows, scans int) {
	t.Helper()
	watcher, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { watcher.Close(context.WithoutCancel(t.Context())) })
	return func() (rows, scans int) {
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
}

// fillMore puts finished and unfinished jobs of callers in that are like those of
// fill, so many of each.
func fillMore(t *testing.T, url string, n int) {
	t.Helper()
	const at = `timestamptz '2030-01-01 00:00:00Z'`
	run(t, url, fmt.Sprintf(`
		INSERT INTO fairfactor.callers (number, name, epoch, known, queued) SELECT 1000 + n, 'n' || n, 1, true, 1 FROM generate_series(1, %[1]d) AS n;
		INSERT INTO fairfactor.jobs SELECT 1000 + n, 1, 1, 7, n + 1048576, 3 + n %% 3, '35', '', `+at+`, `+at+`, `+at+`, 1, n, 10, 1, '5 7', '' FROM generate_series(1, %[1]d) AS n;
		INSERT INTO fairfactor.ended SELECT `+at+`, -n, 0, 0, ARRAY[1000 + n], ARRAY[1] FROM generate_series(1, %[1]d) AS n;
		INSERT INTO fairfactor.pieces SELECT 1000 + n, 1, 0, 'x' FROM generate_series(1, %[1]d) AS n;
		INSERT INTO fairfactor.keys SELECT 1000 + n, 'k', 1, 7, `+at+` FROM generate_series(1, %[1]d) AS n;
		INSERT INTO fairfactor.queue SELECT 1000 + n, 1, 1, 7, n + 1048576, '35', '', `+at+`, `+at+`, 1, n, 1000, 1, '5', '' FROM generate_series(1, %[1]d) AS n`, n))
	run(t, url, "SELECT pg_stat_reset()")
}

// TestNothingWalksThroughTheTables: no question and no change reads more rows than
// it answers with or writes, times a small number, and none reads a table from one
// end to the other. PostgreSQL's own counters say so.
func TestNothingWalksThroughTheTables(t *testing.T) {
	url := pgtest.Database(t)
	open(t, url).Close()
	fill(t, url, 30_000, 5_000)
	read := rowsRead(t, url)
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
		{"completed jobs", 400, func(s fairfactor.Store) error {
			return page(t, s, fairfactor.Query{States: fairfactor.In(fairfactor.Completed), Limit: 20}, 20)
		}},
		{"failed jobs", 400, func(s fairfactor.Store) error {
			return page(t, s, fairfactor.Query{States: fairfactor.In(fairfactor.Failed), Limit: 20}, 20)
		}},
		{"failed jobs of a caller", 400, func(s fairfactor.Store) error {
			return page(t, s, fairfactor.Query{Caller: "c008", States: fairfactor.In(fairfactor.Failed), Limit: 20}, 20)
		}},
		{"no failed jobs of a caller", 50, func(s fairfactor.Store) error {
			return page(t, s, fairfactor.Query{Caller: "c050", States: fairfactor.In(fairfactor.Failed), Limit: 20}, 0)
		}},
		{"no cancelled jobs", 50, func(s fairfactor.Store) error {
			return page(t, s, fairfactor.Query{States: fairfactor.In(fairfactor.Cancelled), Limit: 20}, 0)
		}},
		{"pending jobs", 400, func(s fairfactor.Store) error {
			return page(t, s, fairfactor.Query{States: fairfactor.In(fairfactor.Pending), Limit: 20}, 20)
		}},
		{"pending jobs of a caller", 400, func(s fairfactor.Store) error {
			return page(t, s, fairfactor.Query{Caller: "c105", States: fairfactor.In(fairfactor.Pending), Limit: 20}, 20)
		}},
		{"failed or pending jobs", 400, func(s fairfactor.Store) error {
			return page(t, s, fairfactor.Query{States: fairfactor.In(fairfactor.Failed, fairfactor.Pending), Limit: 20}, 20)
		}},
		{"completed jobs of a caller", 22_000, func(s fairfactor.Store) error {
			return page(t, s, fairfactor.Query{Caller: "c050", States: fairfactor.In(fairfactor.Completed), Limit: 20}, 20)
		}},
		{"jobs with a number", 400, func(s fairfactor.Store) error {
			return page(t, s, fairfactor.Query{Number: "12345", Limit: 20}, 0)
		}},
		{"jobs with a number that all have", 400, func(s fairfactor.Store) error {
			return page(t, s, fairfactor.Query{Number: "600851475143", Limit: 20}, 20)
		}},
		{"failed jobs with that number", 400, func(s fairfactor.Store) error {
			return page(t, s, fairfactor.Query{Number: "600851475143", States: fairfactor.In(fairfactor.Failed), Limit: 20}, 20)
		}},
		{"a caller's jobs with that number", 2000, func(s fairfactor.Store) error {
			return page(t, s, fairfactor.Query{Number: "600851475143", Caller: "c105", Limit: 20}, 20)
		}},
		{"a caller's jobs with another number", 2100, func(s fairfactor.Store) error {
			return page(t, s, fairfactor.Query{Number: "12345", Caller: "c105", Limit: 20}, 0)
		}},
		{"callers with the longest queues", 1000, func(s fairfactor.Store) error {
			_, err := s.Foremost(t.Context(), fairfactor.ByQueued, 20)
			return err
		}},
		{"callers with the most CPU", 1000, func(s fairfactor.Store) error {
			_, err := s.Foremost(t.Context(), fairfactor.ByCPU, 20)
			return err
		}},
		{"jobs of a second", 400, func(s fairfactor.Store) error {
			return page(t, s, fairfactor.Query{Since: second(4), Until: second(5), Limit: 20}, 20)
		}},
		{"completed jobs of a second", 400, func(s fairfactor.Store) error {
			return page(t, s, fairfactor.Query{States: fairfactor.In(fairfactor.Completed), Since: second(4), Until: second(5), Limit: 20}, 20)
		}},
		{"a caller's jobs of a time that was not", 1000, func(s fairfactor.Store) error {
			return page(t, s, fairfactor.Query{Caller: "c050", Since: second(40_000), Until: second(50_000), Limit: 20}, 0)
		}},
		{"an activation", 1500, func(s fairfactor.Store) error {
			claim, err := s.ClaimCaller(t.Context(), "c103", "")
			if err != nil {
				return err
			}
			waiting, err := s.Backlog(t.Context(), claim.Number, 0, 256, nil)
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
		{"a key", 40, func(s fairfactor.Store) error {
			_, err := s.Keyed(t.Context(), 50, []string{"k"}, time.Time{})
			return err
		}},
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

// TestPlansMadeWhileTablesWereSmall: a connection plans each statement once, maybe
// when there is next to nothing in the tables. What it does then walks through
// nothing when they are full.
func TestPlansMadeWhileTablesWereSmall(t *testing.T) {
	url := pgtest.Database(t)
	open(t, url).Close()
	read := rowsRead(t, url)
	exec(t, url, "VACUUM ANALYZE")
	read() // of all this
	s := open(t, url)
	w := claim(t, s, "a")
	use := func() {
		t.Helper()
		for trips := 1; trips <= 2; trips++ {
			for range 2 { // on each lane
				changes := w.group(trips)
				first := w.next()
				once := w.done(w.next())
				once.Op = fairfactor.AcceptEnded
				saved := w.change(fairfactor.Checkpoint, *first.Job)
				saved.Checkpoint, saved.Pieces = []byte("half"), []fairfactor.Piece{{Data: []byte("piece")}}
				failed := w.done(first)
				failed.Job.State = fairfactor.Failed
				w.last++
				again := w.change(fairfactor.Requeue, *first.Job)
				again.Job.Order = w.last
				for _, group := range [][]fairfactor.Change{append(changes, first, once), {saved}, {failed}, {again}} {
					if errs, err := s.Apply(t.Context(), group); errs != nil || err != nil {
						t.Fatal(errs, err)
					}
				}
				waits := w.next()
				for _, ch := range []fairfactor.Change{waits, w.done(waits)} {
					if errs, err := s.Apply(t.Context(), []fairfactor.Change{ch}); errs != nil || err != nil {
						t.Fatal(errs, err)
					}
				}
			}
		}
		for what, call := range map[string]func() error{
			"job": func() error {
				_, err := s.Job(t.Context(), fairfactor.ID{Nonce: 7919, Caller: w.claim.Number, Seq: 1})
				return err
			},
			"backlog": func() error { _, err := s.Backlog(t.Context(), w.claim.Number, 0, 3, nil); return err },
			"piece":   func() error { _, err := s.Piece(t.Context(), w.claim.Number, 1, 0); return err },
			"all":     func() error { _, err := s.List(t.Context(), fairfactor.Query{Limit: 5}); return err },
			"failed": func() error {
				_, err := s.List(t.Context(), fairfactor.Query{States: fairfactor.In(fairfactor.Failed), Limit: 5})
				return err
			},
			"pending": func() error {
				_, err := s.List(t.Context(), fairfactor.Query{States: fairfactor.In(fairfactor.Pending), Limit: 5})
				return err
			},
			"of one": func() error { _, err := s.List(t.Context(), fairfactor.Query{Caller: "a", Limit: 5}); return err },
			"keys": func() error {
				_, err := s.Keyed(t.Context(), w.claim.Number, []string{"k"}, time.Time{})
				return err
			},
			"callers":    func() error { _, err := s.Callers(t.Context(), "", 5); return err },
			"backlogged": func() error { _, err := s.Backlogged(t.Context(), 0, 5); return err },
			"caller":     func() error { _, err := s.Caller(t.Context(), "a"); return err },
			"claim":      func() error { _, err := s.ClaimCaller(t.Context(), "b", ""); return err },
			"scheduler":  func() error { _, err := s.ClaimScheduler(t.Context()); return err },
			"group":      func() error { return s.WeighGroup(t.Context(), "g", 2) },
			"expire": func() error {
				_, err := s.Expire(t.Context(), time.Date(2030, 1, 2, 0, 0, 0, 0, time.UTC), 5)
				return err
			},
		} {
			if err := call(); err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
	}
	use()
	fillMore(t, url, 30_000)
	use()
	s.Close()
	rows, scans := read()
	t.Logf("%d rows read", rows)
	if rows > 3000 || scans > 0 {
		t.Errorf("%d rows were read, %d tables from end to end", rows, scans)
	}
}

// second is a time after that of the first job that fill ends, of 1,000 in a second.
func second(n int) time.Time { return time.Date(2030, 1, 1, 0, 0, n, 0, time.UTC) }

// page lists jobs and checks how many they are.
func page(t *testing.T, s fairfactor.Store, q fairfactor.Query, want int) error {
	t.Helper()
	p, err := s.List(t.Context(), q)
	if err == nil && len(p.Jobs) != want {
		t.Errorf("%+v: %d jobs, want %d", q, len(p.Jobs), want)
	}
	return err
}
