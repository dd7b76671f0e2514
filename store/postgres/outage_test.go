package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"fairfactor"
	"fairfactor/store/postgres"
	"fairfactor/store/postgres/pgtest"
)

// TestServerKilled kills the server under load, again and again. What Apply said
// of each job is true: it is there if it was accepted, and if it was not, it is not
// there, however the server died.
func TestServerKilled(t *testing.T) {
	server := pgtest.Start(t)
	s, err := postgres.Open(t.Context(), server.Database(t), postgres.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	type outcome struct {
		id      fairfactor.ID
		durable bool
	}
	var mu sync.Mutex
	var all []outcome
	accepted := make(chan struct{})
	stop := make(chan struct{})
	var writers sync.WaitGroup
	for _, name := range []string{"a", "b", "c", "d"} {
		p := claim(t, s, name)
		writers.Go(func() {
			for {
				ch := p.next()
				errs, err := s.Apply(context.Background(), []fairfactor.Change{ch, p.done(ch)})
				if errs != nil || err != nil && fairfactor.CodeOf(err) != fairfactor.Unavailable {
					t.Errorf("apply: %v, %v", errs, err)
				}
				mu.Lock()
				all = append(all, outcome{ch.Job.ID, err == nil})
				mu.Unlock()
				if err == nil {
					select {
					case accepted <- struct{}{}:
					case <-stop:
						return
					}
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	for range 2 {
		for range 50 {
			<-accepted
		}
		server.Kill()
		server.Restart(t)
	}
	for range 50 {
		<-accepted
	}
	close(stop)
	writers.Wait()
	durable := 0
	for _, o := range all {
		j, err := s.Job(t.Context(), o.id)
		switch {
		case o.durable && err != nil:
			t.Errorf("an accepted job: %v", err)
		case o.durable && j.State != fairfactor.Completed:
			t.Errorf("a job that has ended: %+v", j)
		case !o.durable && fairfactor.CodeOf(err) != fairfactor.NotFound:
			t.Errorf("a job that was not accepted: %+v, %v", j, err)
		}
		if o.durable {
			durable++
		}
	}
	counted := uint64(0)
	for _, name := range []string{"a", "b", "c", "d"} {
		c, err := s.Caller(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		counted += c.Completed
	}
	if counted != uint64(durable) {
		t.Errorf("the accounts say %d jobs, %d were acknowledged", counted, durable)
	}
	t.Logf("%d of %d jobs acknowledged", durable, len(all))
}

// TestServerGone: everything is answered with unavailable while the server is
// away, and works when it is back.
func TestServerGone(t *testing.T) {
	p, url := behind(t, pgtest.Database(t))
	s, _ := watched(t, url)
	w := claim(t, s, "a")
	table := s.Members()
	if _, err := table.Join(t.Context(), fairfactor.Member{ID: "n", Address: "n"}, 1<<40); err != nil {
		t.Fatal(err)
	}
	ch := w.next()
	calls := map[string]func() error{
		"Apply":          func() error { _, err := s.Apply(t.Context(), []fairfactor.Change{ch}); return err },
		"ClaimScheduler": func() error { _, err := s.ClaimScheduler(t.Context()); return err },
		"Backlog":        func() error { _, err := s.Backlog(t.Context(), 1, 0, 1, nil); return err },
		"List":           func() error { _, err := s.List(t.Context(), fairfactor.Query{Limit: 1}); return err },
		"Renew":          func() error { _, err := table.Renew(t.Context(), "n", nil, 1<<40); return err },
	}
	p.cut()
	var all sync.WaitGroup
	for name, call := range calls {
		all.Go(func() {
			if err := call(); fairfactor.CodeOf(err) != fairfactor.Unavailable {
				t.Errorf("%s: got %v, want unavailable", name, err)
			}
		})
	}
	all.Wait()
	p.heal()
	for name, call := range calls {
		if err := call(); err != nil {
			t.Errorf("%s after the outage: %v", name, err)
		}
	}
	if n := written(t, s, "a"); n != 1 {
		t.Errorf("%d jobs are there, want 1", n)
	}
}

// TestPasswordIsRefused: a password that is changed while a node runs is an outage
// until it is put right, and the node says that it can't work.
func TestPasswordIsRefused(t *testing.T) {
	direct := pgtest.Database(t)
	role := fmt.Sprintf("role_%d", time.Now().UnixNano())
	exec(t, direct, "CREATE ROLE "+role+" SUPERUSER LOGIN PASSWORD 'secret'")
	p, url := behind(t, strings.Replace(direct, "fairfactor:", role+":", 1))
	s, _ := watched(t, url)
	w := claim(t, s, "a")
	if err := s.Ready(t.Context()); err != nil {
		t.Fatalf("not ready: %v", err)
	}
	exec(t, direct, "ALTER ROLE "+role+" PASSWORD 'other'")
	p.cut()
	p.heal()
	ch := w.next()
	for what, call := range map[string]func() error{
		"Apply": func() error { _, err := s.Apply(t.Context(), []fairfactor.Change{ch}); return err },
		"List":  func() error { _, err := s.List(t.Context(), fairfactor.Query{Limit: 1}); return err },
		"Claim": func() error { _, err := s.ClaimCaller(t.Context(), "a", ""); return err },
		"Renew": func() error { _, err := s.Members().Renew(t.Context(), "n", nil, 1<<40); return err },
		"Ready": func() error { return s.Ready(t.Context()) },
	} {
		err := call()
		var e *fairfactor.Error
		if !errors.As(err, &e) || e.Code != fairfactor.Unavailable || e.Retry == 0 {
			t.Errorf("%s: got %v, want unavailable with a time to come again", what, err)
		}
	}
	exec(t, direct, "ALTER ROLE "+role+" PASSWORD 'secret'")
	if errs, err := s.Apply(t.Context(), []fairfactor.Change{ch}); errs != nil || err != nil {
		t.Errorf("when it is put right: %v, %v", errs, err)
	}
	if err := s.Ready(t.Context()); err != nil {
		t.Errorf("not ready: %v", err)
	}
}
