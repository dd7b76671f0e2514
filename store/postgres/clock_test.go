package postgres_test

import (
	"log/slog"
	"testing"
	"time"

	"fairfactor"
	"fairfactor/store/postgres"
	"fairfactor/store/postgres/pgtest"
)

// TestNodeWithAWrongClock: what ends by a clock ends by the database's. A node whose
// own is a week ahead deletes no job that is young and forgets no key, and one whose
// clock is a week behind does not make its jobs look old.
func TestNodeWithAWrongClock(t *testing.T) {
	url := pgtest.Database(t)
	const week, day = 7 * 24 * time.Hour, 24 * time.Hour
	node := func(off time.Duration) (*postgres.Store, func() time.Time) {
		now := func() time.Time { return time.Now().Add(off) }
		s, err := postgres.Open(t.Context(), url, postgres.Options{Logger: slog.New(slog.DiscardHandler), Now: now})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s, now
	}
	ahead, nowAhead := node(week)
	behind, nowBehind := node(-week)
	right, nowRight := node(0)
	keys := map[string]uint64{}
	for name, n := range map[string]struct {
		s   *postgres.Store
		now func() time.Time
	}{"ahead": {ahead, nowAhead}, "behind": {behind, nowBehind}, "right": {right, nowRight}} {
		p := claim(t, n.s, name)
		keys[name] = p.claim.Number
		ch := p.next()
		ch.Job.Key, ch.Job.Submitted = "key", n.now()
		once := p.done(ch)
		once.Op, once.Job.Finished = fairfactor.AcceptEnded, n.now()
		twice := p.next()
		twice.Job.Submitted = n.now()
		done := p.done(twice)
		done.Job.Finished = n.now()
		for _, changes := range [][]fairfactor.Change{{once, twice}, {done}} {
			if errs, err := n.s.Apply(t.Context(), changes); errs != nil || err != nil {
				t.Fatal(errs, err)
			}
		}
	}
	for what, n := range map[string]struct {
		s   *postgres.Store
		now func() time.Time
	}{"ahead": {ahead, nowAhead}, "behind": {behind, nowBehind}, "right": {right, nowRight}} {
		for name, number := range keys {
			if found, err := n.s.Keyed(t.Context(), number, []string{"key"}, n.now().Add(-day)); len(found) != 1 || err != nil {
				t.Errorf("the node whose clock is %s does not know the key of the one that is %s: %v", what, name, err)
			}
			if found, _ := n.s.Keyed(t.Context(), number, []string{"key"}, n.now().Add(time.Hour)); len(found) > 0 {
				t.Errorf("the node whose clock is %s still knows the key of the one that is %s in an hour", what, name)
			}
		}
		if deleted, err := n.s.Expire(t.Context(), n.now().Add(-day), 100); deleted != 0 || err != nil {
			t.Errorf("the node whose clock is %s deletes %d jobs that are young: %v", what, deleted, err)
		}
	}
	if deleted, err := behind.Expire(t.Context(), nowBehind().Add(time.Hour), 100); deleted != 6 || err != nil {
		t.Errorf("%d deleted of 6: %v", deleted, err)
	}
}
