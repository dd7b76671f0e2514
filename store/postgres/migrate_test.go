package postgres_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"fairfactor"
	"fairfactor/store/postgres/pgtest"
)

// tablesOf makes the tables as a version of them was, and returns how many versions
// there are.
func tablesOf(t *testing.T, url string, version int) int {
	t.Helper()
	steps, err := os.ReadDir("migrations")
	if err != nil {
		t.Fatal(err)
	}
	run(t, url, "CREATE SCHEMA fairfactor; CREATE TABLE fairfactor.schema (version bigint NOT NULL)")
	for _, step := range steps[:version] {
		text, err := os.ReadFile("migrations/" + step.Name())
		if err != nil {
			t.Fatal(err)
		}
		run(t, url, string(text))
	}
	run(t, url, fmt.Sprintf("INSERT INTO fairfactor.schema VALUES (%d)", version))
	return len(steps)
}

// TestStepsAreNumbered: two steps with one number would be taken in the order of their
// names, and what is said of versions would be wrong.
func TestStepsAreNumbered(t *testing.T) {
	steps, err := os.ReadDir("migrations")
	if err != nil {
		t.Fatal(err)
	}
	for i, step := range steps {
		if want := fmt.Sprintf("%04d_", i+1); !strings.HasPrefix(step.Name(), want) {
			t.Errorf("step %s is number %d", step.Name(), i+1)
		}
	}
}

// TestEarlierTables: a database as each earlier version left it is brought up to date
// with everything in it, and goes on.
func TestEarlierTables(t *testing.T) {
	for version := 2; ; version++ { // the first had no pieces
		url := pgtest.Database(t)
		if last := tablesOf(t, url, version); version == last {
			break
		}
		t.Run(fmt.Sprint(version), func(t *testing.T) { earlierTables(t, url, version) })
	}
}

func earlierTables(t *testing.T, url string, version int) {
	const at = `timestamptz '2030-01-01 00:00:00Z'`
	run(t, url, `
		INSERT INTO fairfactor.callers (number, name, epoch, last, weight, queued, completed, failed, cpu, turns) VALUES
			(nextval('fairfactor.caller_numbers'), 'a', 4, 302, 7, 2, 299, 1, 5000, 301), (nextval('fairfactor.caller_numbers'), 'b', 1, 0, 1, 0, 0, 0, 0, 0),
			(nextval('fairfactor.caller_numbers'), 'd', 1, 0, 1, 5000000000, 0, 0, 16000000, 1), (nextval('fairfactor.caller_numbers'), 'e', 1, 0, 1, 16, 0, 0, 3e15, 1);
		INSERT INTO fairfactor.jobs SELECT 1, n, n, 7, n + 1048576, CASE WHEN n = 300 THEN 4 ELSE 3 END, '35', '', `+at+`, `+at+`,
			`+at+` + n * interval '1 s', 1, n, 10, 1, '5 7', '' FROM generate_series(1, 300) AS n;
		INSERT INTO fairfactor.queue SELECT 1, n, n, 7, n + 1048576, '35', '', `+at+`, `+at+`, 1, n, 1000, 1, '5', '', 'half' FROM generate_series(301, 302) AS n;
		INSERT INTO fairfactor.pieces VALUES (1, 301, 0, 'piece'), (1, 302, 0, 'piece');
		SELECT setval('fairfactor.group_numbers', 10)`)
	if version > 2 { // the third says what the second did not
		run(t, url, `UPDATE fairfactor.callers SET known = true; UPDATE fairfactor.queue SET saved = true;
			INSERT INTO fairfactor.ended SELECT min(finished), n, 0, 0, array_agg(caller), array_agg(seq)
			FROM (SELECT caller, seq, finished, seq / 100 AS n FROM fairfactor.jobs) AS j GROUP BY n`)
	}
	if version >= 9 { // the ninth has classes
		run(t, url, `UPDATE fairfactor.callers SET queued_class = CASE name WHEN 'd' THEN 29 WHEN 'e' THEN 1 ELSE 0 END,
			cpu_class = CASE name WHEN 'd' THEN 1 WHEN 'e' THEN 28 ELSE 0 END`)
	}
	if version >= 15 { // the fifteenth counts accounts, and notes those that may be idle
		run(t, url, `INSERT INTO fairfactor.account_counts (n) SELECT count(*) FROM fairfactor.callers;
			INSERT INTO fairfactor.idle (number, since) SELECT number, `+at+` FROM fairfactor.callers WHERE name = 'b'`)
	}
	s := open(t, url)
	defer s.Close()
	want := fairfactor.Caller{
		Name: "a", Weight: 7, Queued: 2, Completed: 299, Failed: 1, CPU: 5000, Turns: 301, Oldest: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	if got, err := s.Caller(t.Context(), "a"); err != nil || got != want {
		t.Errorf("caller: %+v, %v, want %+v", got, err, want)
	}
	if _, err := s.Caller(t.Context(), "b"); err != nil {
		t.Errorf("a caller without jobs: %v", err)
	}
	for order, want := range map[fairfactor.CallerOrder]string{fairfactor.ByQueued: "[d e a]", fairfactor.ByCPU: "[e d]"} {
		first, err := s.Foremost(t.Context(), order, 10)
		var names []string
		for _, c := range first {
			names = append(names, c.Name)
		}
		if fmt.Sprint(names) != want || err != nil {
			t.Errorf("those that have most by %v: %v, %v, want %v", order, names, err, want)
		}
	}
	p := claim(t, s, "a")
	if p.claim.Epoch <= 4 || p.last != 302 {
		t.Errorf("claim: %+v", p.claim)
	}
	waiting, err := s.Backlog(t.Context(), 1, 0, 10, nil)
	if err != nil || len(waiting) != 2 || string(waiting[0].Checkpoint) != "half" {
		t.Fatalf("backlog: %+v, %v", waiting, err)
	}
	ended := waiting[0].Job
	ended.State, ended.Finished = fairfactor.Completed, time.Date(2030, 1, 1, 1, 0, 0, 0, time.UTC)
	if errs, err := s.Apply(t.Context(), []fairfactor.Change{p.next(), p.change(fairfactor.Finish, ended)}); errs != nil || err != nil {
		t.Fatal(errs, err)
	}
	for order, want := range map[uint64]string{301: "", 302: "piece"} {
		if data, err := s.Piece(t.Context(), 1, order, 0); string(data) != want || err != nil {
			t.Errorf("piece of %d: %q, %v, want %q", order, data, err, want)
		}
	}
	if n := count(t, url, "SELECT count(*) FROM fairfactor.pieces"); n != 1 {
		t.Errorf("%d pieces are left, want 1", n)
	}
	if n, err := s.Expire(t.Context(), time.Date(2030, 1, 1, 0, 4, 10, 0, time.UTC), 1000); n != 249 || err != nil {
		t.Errorf("%d expired, want 249: %v", n, err)
	}
	page, err := s.List(t.Context(), fairfactor.Query{Limit: fairfactor.MaxPage})
	if err != nil || len(page.Jobs) != 300+3-249 || page.Jobs[53].ID.Seq != 303 {
		t.Errorf("%d jobs are listed: %v", len(page.Jobs), err)
	}
	if a, err := s.Accounts(t.Context()); a.Kept != 4 || err != nil {
		t.Errorf("%+v, %v: there are 4 accounts", a, err)
	}
	forget(t, s, 1) // b
	if _, err := s.Caller(t.Context(), "b"); fairfactor.CodeOf(err) != fairfactor.NotFound {
		t.Errorf("a caller without jobs: %v", err)
	}
}

// TestEveryEarlierVersion: the tables of each version are brought up to date.
func TestEveryEarlierVersion(t *testing.T) {
	for version := 1; ; version++ {
		url := pgtest.Database(t)
		steps := tablesOf(t, url, version)
		if version == steps {
			return
		}
		s := open(t, url)
		a := claim(t, s, "a")
		if errs, err := s.Apply(t.Context(), a.group(1)); errs != nil || err != nil {
			t.Errorf("from version %d: %v, %v", version, errs, err)
		}
		s.Close()
		if n := count(t, url, "SELECT max(version) FROM fairfactor.schema"); n != steps {
			t.Errorf("from version %d to %d, want %d", version, n, steps)
		}
	}
}

// TestMigrationTakesItsTime: no limit of a statement ends a step, however large the tables.
func TestMigrationTakesItsTime(t *testing.T) {
	url := pgtest.Database(t)
	run(t, url, `CREATE TABLE public.limits (text text);
		CREATE FUNCTION public.note() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.limits VALUES (current_setting('statement_timeout')); END $$;
		CREATE EVENT TRIGGER note ON ddl_command_end WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION public.note()`)
	open(t, url).Close()
	if all, limited := count(t, url, "SELECT count(*) FROM public.limits"), count(t, url, "SELECT count(*) FROM public.limits WHERE text <> '0'"); all < 10 || limited > 0 {
		t.Errorf("%d of %d indexes had to be made within a time", limited, all)
	}
}

// run runs statements in the database at a URL.
func run(t *testing.T, url, statements string) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.WithoutCancel(t.Context()))
	if _, err := c.PgConn().Exec(t.Context(), statements).ReadAll(); err != nil {
		t.Fatalf("%.80s: %v", statements, err)
	}
}

// begin opens a transaction in the database at a URL, on a connection of its own, and carries
// out statements in it.
func begin(t *testing.T, url string, statements ...string) pgx.Tx {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	tx, err := c.Begin(t.Context())
	for _, s := range statements {
		if err == nil {
			_, err = tx.Exec(t.Context(), s)
		}
	}
	if err != nil {
		c.Close(context.WithoutCancel(t.Context()))
		t.Fatal(err)
	}
	return tx
}

// count returns the number that a question in the database at a URL answers with.
func count(t *testing.T, url, question string) (n int) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.WithoutCancel(t.Context()))
	if err := c.QueryRow(t.Context(), question).Scan(&n); err != nil {
		t.Fatalf("%s: %v", question, err)
	}
	return n
}

// TestEarlierNodesCantWrite: a node of the version before, which is still there when
// the tables are brought up to date, commits no group any more.
func TestEarlierNodesCantWrite(t *testing.T) {
	url := pgtest.Database(t)
	open(t, url).Close()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.WithoutCancel(t.Context()))
	const lockLane = `INSERT INTO fairfactor.writers (id, grp, place, touched) VALUES ($1, 0, 0, now())
		ON CONFLICT (id) DO UPDATE SET touched = excluded.touched`
	if _, err := c.Exec(t.Context(), lockLane, 1); err == nil {
		t.Error("an earlier node goes on writing")
	}
}
