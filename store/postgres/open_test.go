package postgres_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"fairfactor"
	"fairfactor/store/postgres"
	"fairfactor/store/postgres/pgtest"
)

// exec runs a statement in the database at a URL.
func exec(t *testing.T, url, statement string) {
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
	exec(t, url, "UPDATE fairfactor.writers SET touched = now() - interval '2 days'")
	other := open(t, url)
	defer other.Close()
	if c, err := other.ClaimScheduler(t.Context()); err != nil || c.Place != 4711 {
		t.Errorf("got %+v, %v", c, err)
	}
	if errs, err := s.Apply(t.Context(), []fairfactor.Change{p.done(ch)}); errs != nil || err != nil {
		t.Errorf("a writer that was taken for gone: %v, %v", errs, err)
	}
	s.Close()
}
