package http

import (
	"context"
	"time"

	"fairfactor"
)

// gate lets a bounded number of calls into the service at once, and the others
// in the order in which they came. Without it, thousands of requests would run
// in whatever order the Go scheduler picks: the slowest of 10,000 would take
// several times as long as the mean. A connection has one request at a time, so
// the limit of connections is the limit of those that wait here.
type gate chan struct{}

// enter waits for a place. It gives up when the call is given up.
func (g gate) enter(ctx context.Context) error {
	select {
	case g <- struct{}{}:
		return nil
	default:
	}
	select {
	case g <- struct{}{}: // the runtime serves senders in their order
		return nil
	case <-ctx.Done():
		return &fairfactor.Error{Code: fairfactor.Unavailable, Message: "too many requests wait for this node: try again", Retry: time.Second}
	}
}

func (g gate) leave() { <-g }

// gated is the service behind a gate. Waits pass by it: they would hold a place
// for a minute.
type gated struct {
	fairfactor.Jobs
	gate gate
}

func (j gated) Submit(ctx context.Context, caller string, subs []fairfactor.Submission) ([]fairfactor.Receipt, error) {
	if err := j.gate.enter(ctx); err != nil {
		return nil, err
	}
	defer j.gate.leave()
	return j.Jobs.Submit(ctx, caller, subs)
}

func (j gated) Job(ctx context.Context, id fairfactor.ID) (fairfactor.Job, error) {
	if err := j.gate.enter(ctx); err != nil {
		return fairfactor.Job{}, err
	}
	defer j.gate.leave()
	return j.Jobs.Job(ctx, id)
}

func (j gated) List(ctx context.Context, q fairfactor.Query) (fairfactor.Page, error) {
	if err := j.gate.enter(ctx); err != nil {
		return fairfactor.Page{}, err
	}
	defer j.gate.leave()
	return j.Jobs.List(ctx, q)
}

func (j gated) Cancel(ctx context.Context, id fairfactor.ID) (fairfactor.Job, error) {
	if err := j.gate.enter(ctx); err != nil {
		return fairfactor.Job{}, err
	}
	defer j.gate.leave()
	return j.Jobs.Cancel(ctx, id)
}

func (j gated) Retry(ctx context.Context, id fairfactor.ID) (fairfactor.Job, error) {
	if err := j.gate.enter(ctx); err != nil {
		return fairfactor.Job{}, err
	}
	defer j.gate.leave()
	return j.Jobs.Retry(ctx, id)
}

func (j gated) Callers(ctx context.Context, after string, limit int) ([]fairfactor.Caller, error) {
	if err := j.gate.enter(ctx); err != nil {
		return nil, err
	}
	defer j.gate.leave()
	return j.Jobs.Callers(ctx, after, limit)
}
