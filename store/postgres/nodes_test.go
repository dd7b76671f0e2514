package postgres_test

import (
	"errors"
	"log/slog"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fairfactor"
	"fairfactor/store/postgres"
	"fairfactor/store/postgres/pgtest"
)

// several opens the same database from several nodes at once.
func several(t *testing.T, n int) []*postgres.Store {
	t.Helper()
	url := pgtest.Database(t)
	nodes := make([]*postgres.Store, n)
	var all sync.WaitGroup
	for i := range nodes {
		all.Go(func() {
			s, err := postgres.Open(t.Context(), url, postgres.Options{Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Errorf("node %d: %v", i, err)
				return
			}
			nodes[i] = s
			t.Cleanup(func() { s.Close() })
		})
	}
	all.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return nodes
}

// TestNodesTakeACallerFromEachOther: nodes that all take one caller for theirs
// never write over one another, and each group is there as a whole or not at all.
func TestNodesTakeACallerFromEachOther(t *testing.T) {
	nodes := several(t, 3)
	var all sync.WaitGroup
	var accepted, fenced atomic.Int64
	for _, s := range nodes {
		all.Go(func() {
			for range 8 {
				c, err := s.ClaimCaller(t.Context(), "a", "")
				if err != nil {
					t.Errorf("claim: %v", err)
					return
				}
				p := &pen{c, c.Last}
				for {
					first, second := p.next(), p.next()
					errs, err := s.Apply(t.Context(), []fairfactor.Change{first, second, p.done(first)})
					if err != nil {
						t.Errorf("apply: %v", err)
						return
					}
					if errs == nil {
						accepted.Add(2)
					}
					if errs != nil {
						for _, err := range errs {
							if !errors.Is(err, fairfactor.ErrFenced) {
								t.Errorf("refused: %v", errs)
							}
						}
						fenced.Add(1)
						break
					}
					if accepted.Load() > 400 {
						return
					}
				}
			}
		})
	}
	all.Wait()
	c, err := nodes[0].Caller(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	if int64(c.Queued+c.Completed) != accepted.Load() || c.Queued != c.Completed {
		t.Errorf("%+v, want %d jobs, half of them completed", c, accepted.Load())
	}
	if fenced.Load() == 0 {
		t.Error("no writer was fenced")
	}
	t.Logf("%d jobs accepted, %d times fenced", accepted.Load(), fenced.Load())
}

// TestNodesWriteManyCallers: groups that have the same callers in another order
// don't lock each other up.
func TestNodesWriteManyCallers(t *testing.T) {
	nodes := several(t, 2)
	const callers, rounds = 20, 30
	var pens [2][callers]*pen // those of the second node are fenced, but its groups lock the same rows
	for i := range callers {
		name := string(rune('a' + i))
		pens[1][i] = claim(t, nodes[1], name)
		pens[0][i] = claim(t, nodes[0], name)
	}
	var all sync.WaitGroup
	for n, s := range nodes {
		all.Go(func() {
			for round := range rounds {
				var changes []fairfactor.Change
				for i := range callers {
					p := pens[n][(i*7+round*(n+1))%callers]
					changes = append(changes, p.next())
				}
				errs, err := s.Apply(t.Context(), changes)
				if err != nil || (errs == nil) != (n == 0) {
					t.Errorf("node %d: %v, %v", n, errs, err)
				}
			}
		})
	}
	all.Wait()
}

// TestNodesExpireAtOnce: each finished job is deleted by one of them, and with it
// its key.
func TestNodesExpireAtOnce(t *testing.T) {
	nodes := several(t, 4)
	p := claim(t, nodes[0], "a")
	var changes []fairfactor.Change
	const jobs = 3000
	for range jobs {
		ch := p.next()
		ch.Job.Key = ch.Job.ID.String()
		changes = append(changes, ch, p.done(ch))
	}
	if errs, err := nodes[0].Apply(t.Context(), changes); errs != nil || err != nil {
		t.Fatal(errs, err)
	}
	var all sync.WaitGroup
	var deleted atomic.Int64
	for _, s := range nodes {
		all.Go(func() {
			for deleted.Load() < jobs {
				n, err := s.Expire(t.Context(), time.Now().Add(time.Hour), 100)
				if err != nil {
					t.Errorf("expire: %v", err)
					return
				}
				deleted.Add(int64(n))
			}
		})
	}
	all.Wait()
	if deleted.Load() != jobs {
		t.Errorf("%d deleted of %d", deleted.Load(), jobs)
	}
	if found, err := nodes[0].Keyed(t.Context(), p.claim.Number, []string{changes[0].Job.Key}, time.Time{}); len(found) > 0 || err != nil {
		t.Errorf("the key of an expired job: %v, %v", found, err)
	}
}

// TestSchedulerSeesAllNodes: the highest dispatch number that any node has stored.
func TestSchedulerSeesAllNodes(t *testing.T) {
	nodes := several(t, 3)
	for i, s := range nodes {
		p := claim(t, s, string(rune('a'+i)))
		ch := p.next()
		ch.Job.Turn = []uint64{500, 900, 700}[i]
		if errs, err := s.Apply(t.Context(), []fairfactor.Change{ch}); errs != nil || err != nil {
			t.Fatal(errs, err)
		}
	}
	c, err := nodes[0].ClaimScheduler(t.Context())
	if want := (fairfactor.SchedulerClaim{Epoch: 1, Dispatched: 900}); err != nil || !reflect.DeepEqual(c, want) {
		t.Errorf("got %+v, %v, want %+v", c, err, want)
	}
}
