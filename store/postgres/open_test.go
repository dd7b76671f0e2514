package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"fairfactor"
	"fairfactor/store/postgres"
	"fairfactor/store/postgres/pgtest"
)

// exec runs a statement in the database at a URL.
func exec(t testing.TB, url, statement string) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.WithoutCancel(t.Context()))
	if _, err := c.Exec(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func TestNewerTablesAreRefused(t *testing.T) {
	url := pgtest.Database(t)
	open(t, url).Close()
	exec(t, url, "INSERT INTO fairfactor.schema VALUES (99)")
	_, err := postgres.Open(t.Context(), url, postgres.Options{})
	if fairfactor.CodeOf(err) != fairfactor.Conflict || !strings.Contains(fairfactor.MessageOf(err), "version 99") {
		t.Errorf("got %v", err)
	}
}

// TestCommitsAreSynchronous: whatever the database says of its commits, those of
// the store are durable.
func TestCommitsAreSynchronous(t *testing.T) {
	url := pgtest.Database(t)
	exec(t, url, "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database()); END $$")
	var log bytes.Buffer
	s, err := postgres.Open(t.Context(), url, postgres.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if !strings.Contains(log.String(), "synchronous_commit") {
		t.Errorf("nothing is said: %q", log.String())
	}
	if got := s.Setting(t, "synchronous_commit"); got != "on" {
		t.Errorf("synchronous_commit is %s", got)
	}
}

func TestOnlyUTF8(t *testing.T) {
	url := pgtest.Database(t)
	exec(t, url, "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
	at := strings.LastIndex(url, "/")
	_, err := postgres.Open(t.Context(), url[:at]+"/latin?sslmode=disable", postgres.Options{})
	if fairfactor.CodeOf(err) != fairfactor.Invalid || !strings.Contains(fairfactor.MessageOf(err), "LATIN1") {
		t.Errorf("got %v", err)
	}
}

// TestNotTheOwner: a role that may not make tables is told so.
func TestNotTheOwner(t *testing.T) {
	url := pgtest.Database(t)
	exec(t, url, "CREATE ROLE guest LOGIN PASSWORD 'secret'")
	_, err := postgres.Open(t.Context(), strings.Replace(url, "fairfactor:", "guest:", 1), postgres.Options{})
	if fairfactor.CodeOf(err) != fairfactor.Invalid || !strings.Contains(fairfactor.MessageOf(err), "OWNER") {
		t.Errorf("got %v", err)
	}
}

// TestWaitsForTheServer: a node that starts before its database waits for it.
func TestWaitsForTheServer(t *testing.T) {
	p, url := behind(t, pgtest.Database(t))
	p.cut()
	log := &lines{news: make(chan struct{}, 1)}
	opened := make(chan error)
	go func() {
		s, err := postgres.Open(context.Background(), url, postgres.Options{Logger: slog.New(slog.NewTextHandler(log, nil))})
		if err == nil {
			s.Close()
		}
		opened <- err
	}()
	log.wait(t, "trying again", 2)
	p.heal()
	if err := <-opened; err != nil {
		t.Error(err)
	}
}

// TestSlowAtTheStart: a node that is kept waiting in the midst of its preparations,
// until the server ends its transaction, goes on from the beginning.
func TestSlowAtTheStart(t *testing.T) {
	p, url := behind(t, pgtest.Database(t))
	var held atomic.Bool
	p.before = func(message []byte) {
		if bytes.Contains(message, []byte("CREATE TABLE IF NOT EXISTS fairfactor.schema")) && !held.Swap(true) {
			for ended := 0; ended == 0; {
				ended = count(t, strings.Replace(url, p.l.Addr().String(), p.server, 1), `SELECT count(*) FROM pg_stat_database
					WHERE datname = current_database() AND sessions_fatal + sessions_killed > 0`)
			}
		}
	}
	log := &lines{news: make(chan struct{}, 1)}
	s, err := postgres.Open(t.Context(), url, postgres.Options{Logger: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	log.wait(t, "25P03", 1)
	log.wait(t, "trying again", 1)
}

// TestStatementIsCancelledAtTheStart: a server that takes too long for a statement
// is slow, not wrong.
func TestStatementIsCancelledAtTheStart(t *testing.T) {
	url := pgtest.Database(t)
	open(t, url).Close()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.WithoutCancel(t.Context()))
	if _, err := c.Exec(t.Context(), "BEGIN; LOCK TABLE fairfactor.writers IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	log := &lines{news: make(chan struct{}, 1)}
	opened := make(chan error, 1)
	go func() {
		s, err := postgres.Open(context.Background(), url, postgres.Options{Logger: slog.New(slog.NewTextHandler(log, nil))})
		if err == nil {
			s.Close()
		}
		opened <- err
	}()
	for cancelled := 0; cancelled == 0; {
		cancelled = count(t, url, `SELECT count(*) FROM pg_stat_activity
			WHERE CASE WHEN datname = current_database() AND wait_event_type = 'Lock' THEN pg_cancel_backend(pid) END`)
	}
	log.wait(t, "57014", 1)
	log.wait(t, "trying again", 1)
	if _, err := c.Exec(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if err := <-opened; err != nil {
		t.Error(err)
	}
}

// TestPlacesOfWritersThatAreGone: their rows are removed, what they stored is not
// forgotten.
func TestPlacesOfWritersThatAreGone(t *testing.T) {
	url := pgtest.Database(t)
	s := open(t, url)
	p := claim(t, s, "a")
	ch := p.next()
	ch.Job.Turn = 4711
	if errs, err := s.Apply(t.Context(), []fairfactor.Change{ch}); errs != nil || err != nil {
		t.Fatal(errs, err)
	}
	exec(t, url, "UPDATE fairfactor.writers SET touched = now() - interval '31 days'")
	other := open(t, url)
	defer other.Close()
	if c, err := other.ClaimScheduler(t.Context()); err != nil || c.Dispatched != 4711 {
		t.Errorf("got %+v, %v", c, err)
	}
	// The writer can't tell it from a loss: its caller has to be claimed again.
	defer s.Close()
	var errs []error
	var err error
	for range 2 { // on either lane
		if errs, err = s.Apply(t.Context(), []fairfactor.Change{p.done(ch)}); errs != nil || err != nil {
			break
		}
	}
	if err != nil || errs == nil || !errors.Is(errs[0], fairfactor.ErrWentBack) {
		t.Errorf("a writer that was taken for gone: %v, %v", errs, err)
	}
	next := claim(t, s, "a").next()
	if errs, err := s.Apply(t.Context(), []fairfactor.Change{next}); errs != nil || err != nil {
		t.Errorf("claimed again: %v, %v", errs, err)
	}
}
