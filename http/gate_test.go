package http

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fairfactor"
)

// waitsIn returns when n calls wait at a gate.
func waitsIn(t *testing.T, g *gate, n int) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; {
		g.mu.Lock()
		have := g.queue.Len()
		g.mu.Unlock()
		if have == n {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d calls wait, want %d", have, n)
		}
		time.Sleep(time.Millisecond)
	}
}

func TestGateKeepsTheOrder(t *testing.T) {
	const n = 100
	g := &gate{limit: 2}
	for range g.limit {
		if err := g.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	inside := make(chan int)
	for i := range n {
		go func() {
			if err := g.enter(t.Context()); err != nil {
				t.Error(err)
			}
			inside <- i
		}()
		waitsIn(t, g, i+1)
	}
	for i := range n {
		g.leave()
		if got := <-inside; got != i {
			t.Fatalf("call %d came in as number %d", got, i)
		}
	}
}

func TestGateForgetsWhoGaveUp(t *testing.T) {
	g := &gate{limit: 1}
	if err := g.enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	given, give := context.WithCancel(t.Context())
	failed := make(chan error, 3)
	for i := range 3 {
		go func() { failed <- g.enter(given) }()
		waitsIn(t, g, i+1)
	}
	patient := make(chan error, 1)
	go func() { patient <- g.enter(t.Context()) }()
	waitsIn(t, g, 4)
	give()
	for range 3 {
		var e *fairfactor.Error
		if err := <-failed; !errors.As(err, &e) || e.Code != fairfactor.Unavailable || e.Retry <= 0 {
			t.Errorf("given up: %v", err)
		}
	}
	g.leave()
	if err := <-patient; err != nil {
		t.Error(err)
	}
	g.leave()
	if n := g.calls.Load(); n != 0 {
		t.Errorf("%d calls are counted in an empty gate", n)
	}
}

// TestGateKeepsItsLimit under many that come, leave and give up at once.
func TestGateKeepsItsLimit(t *testing.T) {
	const limit, callers, rounds = 3, 32, 300
	g := &gate{limit: limit}
	var inside, most atomic.Int64
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			for range rounds {
				ctx, cancel := context.WithCancel(t.Context())
				if i%2 == 0 {
					go cancel() // at any moment
				}
				if g.enter(ctx) == nil {
					n := inside.Add(1)
					for seen := most.Load(); n > seen && !most.CompareAndSwap(seen, n); seen = most.Load() {
					}
					inside.Add(-1)
					g.leave()
				}
				cancel()
			}
		})
	}
	all.Wait()
	if most.Load() > limit {
		t.Errorf("%d calls were inside, the limit is %d", most.Load(), limit)
	}
	for range limit {
		if err := g.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := g.calls.Load(); n != limit || g.queue.Len() != 0 {
		t.Errorf("%d calls are counted, %d wait", n, g.queue.Len())
	}
}

// TestWaitsAreSpread: long waits end at different times, and none too late.
func TestWaitsAreSpread(t *testing.T) {
	s := New(Config{MaxDigits: 1})
	low, high := time.Hour, time.Duration(0)
	for range 1000 {
		wait := s.spread(30 * time.Second)
		low, high = min(low, wait), max(high, wait)
	}
	if low < 30*time.Second*7/8 || high > 30*time.Second || high-low < 3*time.Second {
		t.Errorf("waits of 30 s take %v to %v", low, high)
	}
	if wait := s.spread(2 * time.Second); wait != 2*time.Second {
		t.Errorf("a wait of 2 s takes %v", wait)
	}
}

// slowJobs holds each submission for a time, and says of one whose context ends
// meanwhile that its outcome is unknown.
type slowJobs struct {
	fairfactor.Jobs
	takes time.Duration
}

func (j slowJobs) Submit(ctx context.Context, _ string, subs []fairfactor.Submission, into []fairfactor.Receipt) ([]fairfactor.Receipt, error) {
	select {
	case <-time.After(j.takes):
		return append(into, make([]fairfactor.Receipt, len(subs))...), nil
	case <-ctx.Done():
		return nil, fairfactor.ErrUnanswered
	}
}

// TestGateLeavesTimeForTheAnswer: when far more come than can be served in time, the
// others are refused, and never let in so late that their outcome is unknown.
func TestGateLeavesTimeForTheAnswer(t *testing.T) {
	const limit, callers, submit = 2, 200, 4 * time.Second
	g := newGated(slowJobs{takes: submit / 8}, limit, submit)
	var served, refused atomic.Int64
	var all sync.WaitGroup
	ctx, cancel := context.WithTimeout(t.Context(), submit)
	defer cancel()
	for range callers {
		all.Go(func() {
			_, err := g.Submit(ctx, "alice", make([]fairfactor.Submission, 1), nil)
			switch {
			case err == nil:
				served.Add(1)
			case errors.Is(err, fairfactor.ErrUnanswered):
				t.Error("a call was let in too late")
			default:
				refused.Add(1)
			}
		})
	}
	all.Wait()
	if served.Load() < limit || served.Load()+refused.Load() != callers {
		t.Errorf("%d served, %d refused", served.Load(), refused.Load())
	}
}
