package http

import (
	"container/list"
	"context"
	"sync"
	"sync/atomic"
	"time"

	"fairfactor"
)

// gate lets a bounded number of calls into the service at once, and the others
// in the order in which they came. Without it, thousands of requests would run
// in whatever order the Go scheduler picks: the slowest of 10,000 would take
// several times as long as the mean. A connection has one request at a time, so
// the limit of connections is the limit of those that wait here.
//
// While there is room, which is nearly always, it costs two atomic additions.
type gate struct {
	limit    int64
	patience time.Duration // longest wait here, 0 for that of the call's context
	calls    atomic.Int64  // inside, waiting, and given up but still in the queue

	mu     sync.Mutex // guards what follows
	queue  list.List  // of *waiter, the first come first
	passes int        // for calls that are counted and not in the queue yet
}

// waiter is a call that waits.
type waiter struct {
	state atomic.Int32 // zero, admitted or gone
	open  chan struct{}
}

const (
	admitted = 1
	gone     = 2
)

// enter waits for a place. It gives up when the call is given up, or when patience
// is over: a call that is let in late would have no time left for its answer, and
// it would not be known what became of it.
func (g *gate) enter(ctx context.Context) error {
	if g.calls.Add(1) <= g.limit {
		return nil
	}
	g.mu.Lock()
	if g.passes > 0 {
		g.passes--
		g.mu.Unlock()
		return nil
	}
	w := &waiter{open: make(chan struct{})}
	g.queue.PushBack(w)
	g.mu.Unlock()
	var over <-chan time.Time
	if g.patience > 0 {
		timer := time.NewTimer(g.patience)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-w.open:
		return nil
	case <-ctx.Done():
	case <-over:
	}
	if !w.state.CompareAndSwap(0, gone) {
		return nil // it was admitted at the last moment
	}
	return &fairfactor.Error{Code: fairfactor.Unavailable, Message: "too many requests wait for this node: try again", Retry: time.Second}
}

// waiting returns how many calls wait, or have given up and are still counted.
func (g *gate) waiting() float64 { return float64(max(g.calls.Load()-g.limit, 0)) }

// leave gives the place to the call that has waited longest. Those that have
// given up pass it on.
func (g *gate) leave() {
	for g.calls.Add(-1) >= g.limit && !g.admit() {
	}
}

// admit lets the next call in. It is false if that one has given up.
func (g *gate) admit() bool {
	g.mu.Lock()
	first := g.queue.Front()
	if first == nil {
		g.passes++
		g.mu.Unlock()
		return true
	}
	w := g.queue.Remove(first).(*waiter)
	g.mu.Unlock()
	if !w.state.CompareAndSwap(0, admitted) {
		return false
	}
	close(w.open)
	return true
}

// gated is the service behind two gates, so that reads go on while a slow disk
// holds up all writes. Waits pass by them: they would hold a place for a minute.
type gated struct {
	fairfactor.Jobs
	writes, reads *gate
}

// newGated has calls wait for at most half of the time that they have in all: the
// other half is for the answer.
func newGated(jobs fairfactor.Jobs, calls int, submit time.Duration) gated {
	return gated{jobs, &gate{limit: int64(calls), patience: submit / 2}, &gate{limit: int64(calls), patience: submit / 2}}
}

func (j gated) Submit(ctx context.Context, caller string, subs []fairfactor.Submission, into []fairfactor.Receipt) ([]fairfactor.Receipt, error) {
	if err := j.writes.enter(ctx); err != nil {
		return nil, err
	}
	defer j.writes.leave()
	return j.Jobs.Submit(ctx, caller, subs, into)
}

func (j gated) Job(ctx context.Context, id fairfactor.ID) (fairfactor.Job, error) {
	if err := j.reads.enter(ctx); err != nil {
		return fairfactor.Job{}, err
	}
	defer j.reads.leave()
	return j.Jobs.Job(ctx, id)
}

func (j gated) Get(ctx context.Context, ids []fairfactor.ID) ([]fairfactor.Job, error) {
	if err := j.reads.enter(ctx); err != nil {
		return nil, err
	}
	defer j.reads.leave()
	return j.Jobs.Get(ctx, ids)
}

func (j gated) List(ctx context.Context, q fairfactor.Query) (fairfactor.Page, error) {
	if err := j.reads.enter(ctx); err != nil {
		return fairfactor.Page{}, err
	}
	defer j.reads.leave()
	return j.Jobs.List(ctx, q)
}

func (j gated) Cancel(ctx context.Context, id fairfactor.ID) (fairfactor.Job, error) {
	if err := j.writes.enter(ctx); err != nil {
		return fairfactor.Job{}, err
	}
	defer j.writes.leave()
	return j.Jobs.Cancel(ctx, id)
}

func (j gated) Retry(ctx context.Context, id fairfactor.ID) (fairfactor.Job, error) {
	if err := j.writes.enter(ctx); err != nil {
		return fairfactor.Job{}, err
	}
	defer j.writes.leave()
	return j.Jobs.Retry(ctx, id)
}

func (j gated) Callers(ctx context.Context, after string, limit int) ([]fairfactor.Caller, error) {
	if err := j.reads.enter(ctx); err != nil {
		return nil, err
	}
	defer j.reads.leave()
	return j.Jobs.Callers(ctx, after, limit)
}

func (j gated) RankedCallers(ctx context.Context, q fairfactor.CallerQuery) (fairfactor.CallerPage, error) {
	if err := j.reads.enter(ctx); err != nil {
		return fairfactor.CallerPage{}, err
	}
	defer j.reads.leave()
	return j.Jobs.RankedCallers(ctx, q)
}
