package postgres_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fairfactor/store/postgres"
	"fairfactor/store/postgres/pgtest"
)

// ahead opens a store whose clock is ahead by what the counter says, in ns.
func ahead(t *testing.T, url string, by *atomic.Int64) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), url, postgres.Options{Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return time.Now().Add(time.Duration(by.Load())) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// uncounted makes accounts as a node does that does not count them.
func uncounted(t *testing.T, url, prefix string, n int) {
	t.Helper()
	run(t, url, fmt.Sprintf(`INSERT INTO fairfactor.callers (number, name, epoch)
		SELECT nextval('fairfactor.caller_numbers'), '%s' || n, 1 FROM generate_series(1, %d) AS n`, prefix, n))
}

// recount has a store look for accounts to forget. None is old enough.
func recount(t *testing.T, s *postgres.Store) {
	t.Helper()
	if n, err := s.Forget(t.Context(), time.Unix(0, 0), 10); n != 0 || err != nil {
		t.Errorf("%d accounts forgotten, %v", n, err)
	}
}

// TestAccountsAreCountedAgain: accounts that a node of an earlier version makes after the
// tables were brought up to date are counted within an hour, and within a day once none were
// found.
func TestAccountsAreCountedAgain(t *testing.T) {
	url := pgtest.Database(t)
	var clock atomic.Int64
	s := ahead(t, url, &clock)
	claim(t, s, "a")
	uncounted(t, url, "old-", 5)
	for _, step := range []struct {
		after time.Duration
		kept  uint64
		more  int // that are made then
	}{{0, 1, 0}, {time.Hour, 6, 2}, {time.Minute, 6, 0}, {time.Hour, 8, 0}, {time.Hour, 8, 3}, {2 * time.Hour, 8, 0}, {24 * time.Hour, 11, 0}} {
		clock.Add(int64(step.after))
		recount(t, s)
		if a, err := s.Accounts(t.Context()); a.Kept != step.kept || err != nil {
			t.Errorf("%v later: %+v, %v, want %d accounts", step.after, a, err, step.kept)
		}
		if step.more > 0 {
			uncounted(t, url, fmt.Sprintf("late-%d-", step.kept), step.more)
		}
	}
	run(t, url, "DELETE FROM fairfactor.callers WHERE name LIKE 'old-%'")
	clock.Add(int64(time.Hour))
	recount(t, s)
	if a, err := s.Accounts(t.Context()); a.Kept != 6 || err != nil {
		t.Errorf("after accounts have gone: %+v, %v, want 6", a, err)
	}
}

// TestNodesCountAtOnce: nodes that count at the same time, while callers are claimed, put
// right what is missing once.
func TestNodesCountAtOnce(t *testing.T) {
	url := pgtest.Database(t)
	var clock atomic.Int64
	nodes := []*postgres.Store{ahead(t, url, &clock), ahead(t, url, &clock), ahead(t, url, &clock)}
	for round := range 10 {
		uncounted(t, url, fmt.Sprintf("old-%d-", round), 7)
		clock.Add(int64(24 * time.Hour))
		var all sync.WaitGroup
		for i, s := range nodes {
			all.Go(func() {
				for k := range 10 {
					if _, err := s.ClaimCaller(t.Context(), fmt.Sprintf("new-%d-%d-%d", round, i, k), ""); err != nil {
						t.Error(err)
					}
				}
			})
			all.Go(func() { recount(t, s) })
		}
		all.Wait()
		if a, err := nodes[0].Accounts(t.Context()); int(a.Kept) != (round+1)*(7+3*10) || err != nil {
			t.Fatalf("round %d: %+v, %v, want %d accounts", round, a, err, (round+1)*(7+3*10))
		}
	}
}

// TestOneCountsAtATime: a node leaves the count to another one that is at it, and looks again
// an hour later; no claim waits for that one.
func TestOneCountsAtATime(t *testing.T) {
	url := pgtest.Database(t)
	var clock atomic.Int64
	s := ahead(t, url, &clock)
	uncounted(t, url, "old-", 3)
	tx := begin(t, url, "LOCK TABLE fairfactor.account_counts IN SHARE UPDATE EXCLUSIVE MODE", "INSERT INTO fairfactor.account_counts VALUES (2)")
	defer tx.Conn().Close(context.WithoutCancel(t.Context()))
	clock.Add(int64(time.Hour))
	recount(t, s)
	claim(t, s, "a")
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, kept := range []uint64{3, 4} {
		if a, err := s.Accounts(t.Context()); a.Kept != kept || err != nil {
			t.Errorf("%+v, %v, want %d accounts", a, err, kept)
		}
		clock.Add(int64(time.Hour))
		recount(t, s)
	}
}
