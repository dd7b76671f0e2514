package cluster

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"fairfactor"
)

// lease is this node's entry in the table of members. It renews it from a
// goroutine of its own, which waits for nothing but the table, and knows until
// when the node may act: four fifths of a lease after the begin of the last
// renewal that went well. The table takes a member out no earlier than a whole
// lease after that, so that a node which can't renew has stopped before anybody
// takes over.
//
// The time is read from the monotonic clock, which goes on while the process is
// stopped. It doesn't while the whole machine is suspended; then the table tells
// that this node is no member any more, and until it has, the epochs in the store
// hold off what this node writes.
type lease struct {
	table  fairfactor.MemberTable
	self   fairfactor.Member
	timing Timing
	log    *slog.Logger
	fatal  func(error)

	changed chan struct{} // holds one: the roll has changed, or fenced has
	poked   chan struct{} // holds one: the roll may have changed
	halt    context.CancelFunc
	tasks   sync.WaitGroup

	base    time.Time     // what until counts from
	until   atomic.Int64  // ns after base
	fenced  atomic.Bool   // the node must not act
	removed chan struct{} // closed when it never will again

	mu   sync.Mutex
	roll fairfactor.Roll // guarded by mu
	dead []string        // guarded by mu: reported with each renewal
}

// fenceAt is the part of a lease after which a node that could not renew it
// stops acting. The rest is for what was under way, and for clocks that don't go
// at the same speed.
const fenceAt = 0.8

func newLease(cfg Config) *lease {
	return &lease{
		table: cfg.Table, timing: cfg.Timing, log: cfg.Logger, fatal: cfg.Fatal,
		changed: make(chan struct{}, 1), poked: make(chan struct{}, 1),
		removed: make(chan struct{}), base: time.Now(),
	}
}

// join enters the node. It tries again until ctx ends while the table can't be
// reached.
func (l *lease) join(ctx context.Context, self fairfactor.Member) error {
	l.self = self
	for tries := 0; ; tries++ {
		begin := time.Now()
		roll, err := l.call(ctx, func(ctx context.Context) (fairfactor.Roll, error) {
			return l.table.Join(ctx, self, l.timing.Lease)
		})
		if fairfactor.CodeOf(err) == fairfactor.Conflict && tries > 0 { // an earlier try came through and its answer did not
			roll, err = l.call(ctx, func(ctx context.Context) (fairfactor.Roll, error) {
				return l.table.Renew(ctx, self.ID, nil, l.timing.Lease)
			})
		}
		if err == nil {
			l.renewed(begin, roll)
			return nil
		}
		if fairfactor.CodeOf(err) != fairfactor.Unavailable {
			return err
		}
		select {
		case <-ctx.Done():
			return fairfactor.Wrap(fairfactor.Unavailable, err, "the table of members can't be reached: see that the store is up")
		case <-time.After(l.retry()):
		}
	}
}

// start renews the lease from now on, until stop.
func (l *lease) start() {
	ctx, cancel := context.WithCancel(context.Background())
	l.halt = cancel
	l.tasks.Go(func() { l.keep(ctx) })
	l.tasks.Go(func() { l.watch(ctx) })
}

// stop ends the renewing and takes the node out of the table, if it was in.
func (l *lease) stop(ctx context.Context) {
	if l.halt == nil {
		return
	}
	l.halt()
	l.tasks.Wait()
	l.halt = nil
	ctx, cancel := context.WithTimeout(ctx, leaveTimeout)
	defer cancel()
	if err := l.table.Leave(ctx, l.self.ID); err != nil {
		l.log.Warn("the table of members can't be told that this node goes", "err", err)
	}
}

// every is the time between renewals: four fit in before the fence.
func (l *lease) every() time.Duration { return l.timing.Lease / 5 }

// retry is the pause after a renewal that failed.
func (l *lease) retry() time.Duration { return l.timing.Lease / 20 }

// keep renews the lease in time, and earlier when somebody pokes.
func (l *lease) keep(ctx context.Context) {
	timer := time.NewTimer(l.every())
	defer timer.Stop()
	reachable := true
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-l.poked:
		}
		err := l.renew(ctx)
		switch {
		case ctx.Err() != nil || l.gone():
			return
		case err != nil && reachable:
			l.log.Warn("the table of members can't be reached, trying again", "err", err)
		case err == nil && !reachable:
			l.log.Info("the table of members is reached again")
		}
		reachable = err == nil
		wait := l.every()
		if !reachable {
			wait = l.retry()
		}
		timer.Reset(wait)
		select { // however often it is poked
		case <-ctx.Done():
		case <-time.After(min(wait, l.timing.Spread/4)):
		}
	}
}

func (l *lease) renew(ctx context.Context) error {
	l.mu.Lock()
	dead := l.dead
	l.mu.Unlock()
	begin := time.Now()
	roll, err := l.call(ctx, func(ctx context.Context) (fairfactor.Roll, error) {
		return l.table.Renew(ctx, l.self.ID, dead, l.timing.Lease)
	})
	switch {
	case err == nil:
		l.renewed(begin, roll)
	case fairfactor.CodeOf(err) == fairfactor.Conflict:
		close(l.removed)
		l.fence()
		l.fatal(fairfactor.Wrap(fairfactor.Unavailable, err,
			"the other nodes took this one for dead and have taken over: start it again"))
	}
	return err
}

// call makes one call to the table, which may take no longer than the time
// between two of them.
func (l *lease) call(ctx context.Context, do func(context.Context) (fairfactor.Roll, error)) (fairfactor.Roll, error) {
	ctx, cancel := context.WithTimeout(ctx, l.every())
	defer cancel()
	return do(ctx)
}

// renewed notes a call that began then and went well.
func (l *lease) renewed(begin time.Time, roll fairfactor.Roll) {
	l.until.Store(int64(begin.Sub(l.base) + time.Duration(fenceAt*float64(l.timing.Lease))))
	l.mu.Lock()
	news := roll.Version != l.roll.Version
	l.roll = roll
	l.mu.Unlock()
	if news || l.fenced.Load() {
		l.signal()
	}
}

// members returns the roll.
func (l *lease) members() fairfactor.Roll {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.roll
}

// report has dead told to the table.
func (l *lease) report(dead []string) {
	l.mu.Lock()
	l.dead = dead
	l.mu.Unlock()
	l.poke()
}

// poke has the lease renewed soon, and the roll read with it.
func (l *lease) poke() {
	if l == nil {
		return
	}
	select {
	case l.poked <- struct{}{}:
	default:
	}
}

func (l *lease) signal() {
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

// left is how long the node may still act.
func (l *lease) left() time.Duration {
	return time.Duration(l.until.Load()) - time.Since(l.base)
}

// watch fences the node when its time is over, also while a renewal hangs.
func (l *lease) watch(ctx context.Context) {
	for {
		wait := l.left()
		if wait <= 0 {
			l.fence()
			wait = l.retry()
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// lapsed tells whether the node must not act. It is asked for each message: a
// process that was stopped and goes on has to notice before anything else.
func (l *lease) lapsed() bool {
	switch {
	case l == nil:
		return false
	case l.fenced.Load():
		return true
	case l.left() > 0:
		return false
	}
	l.fence()
	return true
}

// fence stops the node from acting, until lift.
func (l *lease) fence() {
	if !l.fenced.Swap(true) {
		l.signal()
	}
}

// gone tells whether the node was taken out of the table.
func (l *lease) gone() bool {
	select {
	case <-l.removed:
		return true
	default:
		return false
	}
}

// lift lets the node act again if it is a member.
func (l *lease) lift() bool {
	if l.gone() || l.left() <= 0 {
		return false
	}
	l.fenced.Store(false)
	return true
}
