// Package group gathers the changes of everybody on a node into groups, each
// made durable by one call of the store: one sync of the disk, or one
// transaction, for all who wait. It uses no timer: a group is whatever waited
// while the group before it was written.
//
// A [Committer] owns the queue of what waits; it knows nothing of jobs. Start
// reading at [Committer.Submit].
package group

import (
	"context"
	"sync"
	"time"

	"fairfactor"
)

// Applier is the part of a store that is needed here.
type Applier interface {
	Apply(ctx context.Context, changes []fairfactor.Change) ([]error, error)
}

// Options of a committer; zero values are the defaults.
type Options struct {
	MaxChanges int // changes in one group, default 4096
	MaxBytes   int // estimated bytes in one group, default 4 MiB
	MaxWaiting int // changes that may wait, default 65,536
}

// Committer writes changes to a store, one group after the other, in the
// order of their submission.
type Committer struct {
	store Applier
	opts  Options

	mu      sync.Mutex // guards the fields below
	queue   []submission
	waiting int           // changes in queue
	wake    chan struct{} // tells the loop that queue or closed has changed
	closed  bool
	stopped chan struct{} // closed when the loop has ended
}

// submission is what one Submit brought.
type submission struct {
	changes []fairfactor.Change
	bytes   int
	done    func(errs []error, err error)
}

// New returns a committer and starts its goroutine, which [Committer.Close]
// ends.
func New(store Applier, opts Options) *Committer {
	if opts.MaxChanges <= 0 {
		opts.MaxChanges = 4096
	}
	if opts.MaxBytes <= 0 {
		opts.MaxBytes = 4 << 20
	}
	if opts.MaxWaiting <= 0 {
		opts.MaxWaiting = 1 << 16
	}
	c := &Committer{store: store, opts: opts, wake: make(chan struct{}, 1), stopped: make(chan struct{})}
	go c.loop()
	return c
}

// Submit hands changes over and returns at once. When they are durable, or
// refused, done is called on the committer's goroutine with the results of
// [fairfactor.Store] Apply for these changes alone; it must be quick and must
// not wait for another submission. When too much waits, or after Close, done is
// called with unavailable before Submit returns. The changes belong to the
// committer until then.
//
// Submissions of one goroutine are written in their order, each whole in one
// group.
func (c *Committer) Submit(changes []fairfactor.Change, done func(errs []error, err error)) {
	s := submission{changes: changes, bytes: size(changes), done: done}
	c.mu.Lock()
	err := c.refusal(len(changes))
	if err == nil {
		c.queue = append(c.queue, s)
		c.waiting += len(changes)
	}
	c.mu.Unlock()
	if err != nil {
		done(nil, err)
		return
	}
	c.signal()
}

// retryAfter is when a refused submission may come again: some groups later.
const retryAfter = time.Second

// refusal says why n more changes can't wait, nil if they can. c.mu is held.
func (c *Committer) refusal(n int) error {
	switch {
	case c.closed:
		return fairfactor.Errorf(fairfactor.Unavailable, "this node is stopping: try again on another one")
	case c.waiting > 0 && c.waiting+n > c.opts.MaxWaiting:
		return &fairfactor.Error{
			Code: fairfactor.Unavailable, Retry: retryAfter,
			Message: "too many changes are waiting to be written: try again in a moment",
		}
	}
	return nil
}

// Close takes nothing more, waits until everything that was submitted is done,
// or ctx ends, and leaves the store open.
func (c *Committer) Close(ctx context.Context) error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.signal()
	select {
	case <-c.stopped:
		return nil
	case <-ctx.Done():
		return fairfactor.Wrap(fairfactor.Unavailable, ctx.Err(), "changes are still waiting to be written")
	}
}

func (c *Committer) signal() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// loop writes groups until the committer is closed and nothing waits.
func (c *Committer) loop() {
	defer close(c.stopped)
	var taken []submission
	var changes []fairfactor.Change
	for {
		var end bool
		taken, end = c.take(taken[:0])
		if len(taken) == 0 {
			if end {
				return
			}
			<-c.wake
			continue
		}
		changes = changes[:0]
		for _, s := range taken {
			changes = append(changes, s.changes...)
		}
		errs, err := c.store.Apply(context.Background(), changes)
		answer(taken, errs, err)
		clear(taken)
		clear(changes)
	}
}

// take moves the next group from the queue to group. end is set when no more
// will come.
func (c *Committer) take(group []submission) (taken []submission, end bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, bytes := 0, 0
	for i := range c.queue {
		s := &c.queue[i]
		if i > 0 && (n+len(s.changes) > c.opts.MaxChanges || bytes+s.bytes > c.opts.MaxBytes) {
			break
		}
		n += len(s.changes)
		bytes += s.bytes
		group = append(group, *s)
	}
	rest := copy(c.queue, c.queue[len(group):])
	clear(c.queue[rest:])
	c.queue = c.queue[:rest]
	c.waiting -= n
	return group, c.closed
}

// answer gives each submission of a group its own part of the results.
func answer(group []submission, errs []error, err error) {
	for _, s := range group {
		var own []error
		if errs != nil {
			own, errs = errs[:len(s.changes)], errs[len(s.changes):]
		}
		if !refused(own) {
			own = nil
		}
		s.done(own, err)
	}
}

func refused(errs []error) bool {
	for _, err := range errs {
		if err != nil {
			return true
		}
	}
	return false
}

// size estimates the bytes of changes in the store's log; 64 stands for keys,
// times and counters.
func size(changes []fairfactor.Change) int {
	n := 0
	for i := range changes {
		n += 64 + len(changes[i].Checkpoint)
		for _, p := range changes[i].Pieces {
			n += 64 + len(p.Data)
		}
		if j := changes[i].Job; j != nil {
			n += len(j.Number) + len(j.Key) + len(j.Reason)
			for _, f := range j.Factors {
				n += len(f.Prime)
			}
		}
	}
	return n
}
