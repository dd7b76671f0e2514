package actors

import (
	"context"
	"sync"
	"time"

	"fairfactor"
)

// inbox brings back into the actor what was begun outside of it: a commit, a
// read. It outlives the actor, because somebody may wait for what comes of it:
// what arrives after the end is run where it arrives, one after the other, and
// finds [caller.stopped] set.
type inbox struct {
	mu     sync.Mutex
	queue  []func() // guarded by mu
	closed bool     // guarded by mu: the actor has stopped
}

// arrived tells the actor that its inbox is not empty.
type arrived struct{}

// put adds f; wake says that the actor has to be told.
func (b *inbox) put(f func()) (wake bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		f()
		return false
	}
	b.queue = append(b.queue, f)
	return len(b.queue) == 1
}

// take empties the inbox.
func (b *inbox) take() []func() {
	b.mu.Lock()
	defer b.mu.Unlock()
	queue := b.queue
	b.queue = nil
	return queue
}

// close runs what is there; from now on nothing waits for the actor.
func (b *inbox) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	for _, f := range b.queue {
		f()
	}
	b.queue = nil
}

// bring has f run in the actor, from any goroutine.
func (a *caller) bring(f func()) {
	if a.inbox.put(f) {
		a.sys.net.System().Root.Send(a.self, arrived{})
	}
}

// outside runs work that may take a while in a goroutine of its own, and what it
// returns in the actor. When the node stops work finds its context ended.
func (a *caller) outside(work func(context.Context) func()) {
	a.sys.background(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, storeLimit)
		defer cancel()
		a.bring(work(ctx))
	})
}

// errMoved is said to those who wait for an actor that stops: what they asked for
// left no trace, and the next activation takes it. The node that asked sees to
// that, so they hear of it only when it takes too long.
var errMoved = &fairfactor.Error{
	Code: fairfactor.Unavailable, Message: "the caller's queue is moving to another node: try again", Retry: time.Second,
}
