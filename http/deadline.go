package http

import (
	"context"
	"sync/atomic"
	"time"
)

// deadlines hands out contexts that end after a time. A context of its own for
// each request would be the most expensive thing about a submission, so those
// of the same second share one: each lives for a second more at the most.
type deadlines struct {
	after   time.Duration
	current atomic.Pointer[sharedDeadline]
}

type sharedDeadline struct {
	ctx   context.Context
	until time.Time // it is handed out before that
}

// next returns a context that ends between after and after + 1 s from now.
func (d *deadlines) next(now time.Time) context.Context {
	if c := d.current.Load(); c != nil && now.Before(c.until) {
		return c.ctx
	}
	ctx, cancel := context.WithDeadline(context.Background(), now.Add(d.after+time.Second))
	context.AfterFunc(ctx, cancel)
	d.current.Store(&sharedDeadline{ctx, now.Add(time.Second)})
	return ctx
}

// bounded is the context of a call of Jobs that should answer at once.
func (s *Server) bounded() context.Context { return s.deadlines.next(s.now()) }
