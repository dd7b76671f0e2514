package postgres_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"fairfactor"
	"fairfactor/store/postgres"
	"fairfactor/store/postgres/pgtest"
)

// TestGroupsDoNotWaitForEachOther: while one group waits for the disk, here for a
// standby that does not answer, another one with other callers gets as far, whether
// it takes one trip or two.
func TestGroupsDoNotWaitForEachOther(t *testing.T) {
	server := pgtest.Start(t, "fsync=off")
	url := server.Database(t)
	s := open(t, url)
	defer s.Close()
	var pens []*pen
	for i := range 8 {
		pens = append(pens, claim(t, s, fmt.Sprintf("caller-%d", i)))
	}
	for range 2 { // both lanes have a row, and know the statements
		for trips := 1; trips <= 2; trips++ {
			if errs, err := s.Apply(t.Context(), pens[0].group(trips)); errs != nil || err != nil {
				t.Fatal(errs, err)
			}
		}
	}
	exec(t, url, "ALTER SYSTEM SET synchronous_standby_names = 'absent'")
	exec(t, url, "SELECT pg_reload_conf()")
	stuck := func() int {
		return count(t, url, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'SyncRep'")
	}
	var both sync.WaitGroup
	var probing atomic.Bool
	probing.Store(true)
	probe, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer probe.Close(context.WithoutCancel(t.Context()))
	both.Go(func() {
		for probing.Load() {
			if _, err := probe.Exec(context.Background(), "CREATE TABLE probe (); DROP TABLE probe"); err != nil {
				t.Errorf("probe: %v", err)
				return
			}
		}
	})
	for stuck() == 0 { // until the setting has got to all processes
	}
	for i, own := range [][]*pen{pens[:4], pens[4:]} {
		both.Go(func() {
			var changes []fairfactor.Change
			for _, p := range own {
				for _, ch := range p.group(i + 1) {
					if ch.Job != nil {
						ch.Job.Key = "key"
					}
					changes = append(changes, ch)
				}
				j := p.next()
				done := p.done(j)
				done.Op = fairfactor.AcceptEnded
				changes = append(changes, done)
			}
			if errs, err := s.Apply(context.Background(), changes); errs != nil || err != nil {
				t.Error(errs, err)
			}
		})
	}
	for stuck() < 3 {
		if n := count(t, url, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"); n > 0 {
			t.Fatal("a group waits for a lock of another one")
		}
	}
	probing.Store(false)
	exec(t, url, "ALTER SYSTEM RESET synchronous_standby_names")
	exec(t, url, "SELECT pg_reload_conf()")
	both.Wait()
}

// TestOneTrip: a group of quick jobs is one message and one transaction, touches no
// piece of a checkpoint, and leaves nothing in the queue.
func TestOneTrip(t *testing.T) {
	direct := pgtest.Database(t)
	open(t, direct).Close()
	looked := func() int { // a connection counts what it did when it ends at the latest
		for others := 1; others > 0; {
			others = count(t, direct, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'fairfactor'")
		}
		return count(t, direct, "SELECT coalesce(sum(idx_scan + seq_scan), 0) FROM pg_stat_user_tables WHERE relname = 'pieces'")
	}
	was := looked()
	p, url := behind(t, direct)
	s, err := postgres.Open(t.Context(), url, postgres.Options{Logger: slog.New(slog.DiscardHandler), Connections: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	w := claim(t, s, "a")
	group := func() (changes []fairfactor.Change) {
		for range 3 {
			once := w.done(w.next())
			once.Op = fairfactor.AcceptEnded
			twice := w.next()
			changes = append(changes, once, twice, w.next())
			changes = append(changes, w.done(changes[len(changes)-1]))
		}
		return changes
	}
	apply := func(changes []fairfactor.Change) {
		t.Helper()
		if errs, err := s.Apply(t.Context(), changes); errs != nil || err != nil {
			t.Fatal(errs, err)
		}
	}
	first := group()
	apply(first)
	apply(append(group(), w.done(first[1])))
	before := p.messages.Load()
	apply(append(group(), w.done(first[5])))
	if n := p.messages.Load() - before; n != 1 {
		t.Errorf("%d messages, want 1", n)
	}
	before = p.messages.Load()
	stale := w.next()
	stale.Epoch--
	if errs, err := s.Apply(t.Context(), []fairfactor.Change{w.next(), stale}); err != nil || errs[0] != nil || errs[1] != fairfactor.ErrFenced {
		t.Errorf("a refused change: %v, %v", errs, err)
	}
	if n := p.messages.Load() - before; n < 2 {
		t.Errorf("%d messages", n)
	}
	s.Close()
	if n := count(t, direct, "SELECT count(*) FROM fairfactor.queue"); n != 3*3-2+1 {
		t.Errorf("%d jobs wait", n)
	}
	if n := looked() - was; n != 0 {
		t.Errorf("pieces were looked for %d times", n)
	}
}

// TestClaimsTravelTogether: callers that wake at once are claimed by few
// transactions, each caller by its own claim.
func TestClaimsTravelTogether(t *testing.T) {
	p, url := behind(t, pgtest.Database(t))
	s := open(t, url)
	defer s.Close()
	claim(t, s, "warm")
	before := p.messages.Load()
	const callers, times = 200, 3
	var all sync.WaitGroup
	var mu sync.Mutex
	epochs := map[string]map[uint64]bool{}
	for i := range callers * times {
		all.Go(func() {
			name := fmt.Sprintf("caller-%d", i%callers)
			c, err := s.ClaimCaller(t.Context(), name, "")
			if err != nil || c.Caller.Name != name {
				t.Errorf("claim of %s: %+v, %v", name, c, err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if epochs[name] == nil {
				epochs[name] = map[uint64]bool{}
			}
			epochs[name][c.Epoch] = true
		})
	}
	all.Wait()
	if n := p.messages.Load() - before; n > callers {
		t.Errorf("%d messages for %d claims", n, callers*times)
	}
	for name, own := range epochs {
		if len(own) != times {
			t.Errorf("%s has %d epochs, want %d", name, len(own), times)
		}
	}
}

func TestConnectionsWithinBounds(t *testing.T) {
	direct := pgtest.Database(t)
	for _, n := range []int{-1, 1, 2, 1001} {
		if _, err := postgres.Open(t.Context(), direct, postgres.Options{Connections: n}); fairfactor.CodeOf(err) != fairfactor.Invalid {
			t.Errorf("%d connections: %v", n, err)
		}
	}
	s := open(t, direct)
	defer s.Close()
	w := claim(t, s, "a")
	var all sync.WaitGroup
	for range 40 {
		all.Go(func() {
			_, _ = s.Callers(t.Context(), "", 10)
			_, _ = s.ClaimCaller(t.Context(), "b", "")
		})
		all.Go(func() { _, _ = s.Apply(t.Context(), []fairfactor.Change{w.change(99, fairfactor.Job{})}) })
	}
	all.Wait()
	if n := count(t, direct, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'fairfactor'"); n > 4 || n < 2 {
		t.Errorf("%d connections, want at most 4", n)
	}
}
