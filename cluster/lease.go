package cluster

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"fairfactor"
)

// lease is this node's entry in the table of members. A goroutine that waits for
// nothing but the table renews it. The lease knows until when the node may act:
// four fifths of a lease after the last successful renewal began. The table removes
// a member no earlier than a whole lease after that, so a node that can't renew has
// stopped before another takes over.
//
// The time is read from the monotonic clock, which goes on while the process is
// stopped, but not while the whole machine is suspended. In that case the table
// reports that this node is no longer a member, and until then the epochs in the
// store refuse what this node writes.
type lease struct {
	table  fairfactor.MemberTable
	self   fairfactor.Member
	timing Timing
	log    *slog.Logger
	fatal  func(error)

	changed chan struct{} // holds one: list or fenced has changed
	poked   chan struct{} // holds one: the table may have changed
	halt    context.CancelFunc
	tasks   sync.WaitGroup

	base    time.Time     // what until counts from
	until   atomic.Int64  // ns after base
	fenced  atomic.Bool   // the node must not act
	removed chan struct{} // closed when it never may act again

	mu   sync.Mutex
	list fairfactor.MemberList // guarded by mu
	dead []string              // guarded by mu: reported with each renewal
}

// fenceAt is the part of a lease after which a node that could not renew it is
// fenced. The rest covers work in progress and clocks that run at different speeds.
const fenceAt = 0.8

func newLease(cfg Config) *lease {
	return &lease{
		table: cfg.Table, timing: cfg.Timing, log: cfg.Logger, fatal: cfg.Fatal,
		changed: make(chan struct{}, 1), poked: make(chan struct{}, 1),
		removed: make(chan struct{}), base: time.Now(),
	}
}

// join enters the node.
func (l *lease) join(ctx context.Context, self fairfactor.Member) error {
	l.self = self
	return l.insist(ctx, func(ctx context.Context, again bool) error {
		begin := time.Now()
		list, err := l.table.Join(ctx, self, l.timing.Lease)
		if fairfactor.CodeOf(err) == fairfactor.Conflict && again { // an earlier try succeeded and its answer was lost
			list, err = l.table.Renew(ctx, self.ID, nil, l.timing.Lease)
		}
		if err == nil {
			l.renewed(begin, list)
		}
		return err
	})
}

// insist calls the table, and again while it can't be reached, for at most
// [Timing].Join.
func (l *lease) insist(ctx context.Context, do func(ctx context.Context, again bool) error) error {
	ctx, cancel := context.WithTimeout(ctx, l.timing.Join)
	defer cancel()
	for again := false; ; again = true {
		try, cancel := context.WithTimeout(ctx, l.every())
		err := do(try, again)
		cancel()
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

// start begins to renew the lease, until stop.
func (l *lease) start() {
	ctx, cancel := context.WithCancel(context.Background())
	l.halt = cancel
	l.tasks.Go(func() { l.keep(ctx) })
	l.tasks.Go(func() { l.watch(ctx) })
}

// stop ends the renewals and removes the node from the table.
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
		l.log.Warn("this node could not remove itself from the table of members", "err", err)
	}
}

// every is the time between renewals: four fit in before the fence.
func (l *lease) every() time.Duration { return l.timing.Lease / 5 }

// retry is the pause after a renewal that failed.
func (l *lease) retry() time.Duration { return l.timing.Lease / 20 }

// keep renews the lease in time, and earlier after poke.
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
			l.log.Warn("the table of members can't be reached, retrying", "err", err)
		case err == nil && !reachable:
			l.log.Info("the table of members can be reached again")
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
	list, err := l.call(ctx, func(ctx context.Context) (fairfactor.MemberList, error) {
		return l.table.Renew(ctx, l.self.ID, dead, l.timing.Lease)
	})
	switch {
	case err == nil:
		l.renewed(begin, list)
	case fairfactor.CodeOf(err) == fairfactor.Conflict:
		close(l.removed)
		l.fence()
		l.fatal(fairfactor.Wrap(fairfactor.Unavailable, err,
			"the other nodes removed this one as dead and have taken over: start it again"))
	}
	return err
}

// call makes one call to the table, which may take no longer than the time between
// renewals.
func (l *lease) call(ctx context.Context, do func(context.Context) (fairfactor.MemberList, error)) (fairfactor.MemberList, error) {
	ctx, cancel := context.WithTimeout(ctx, l.every())
	defer cancel()
	return do(ctx)
}

// renewed records a successful call that began at begin.
func (l *lease) renewed(begin time.Time, list fairfactor.MemberList) {
	l.until.Store(int64(begin.Sub(l.base) + time.Duration(fenceAt*float64(l.timing.Lease))))
	l.mu.Lock()
	news := list.Version != l.list.Version
	l.list = list
	l.mu.Unlock()
	if news || l.fenced.Load() {
		l.signal()
	}
}

// members returns the members as the table had them last.
func (l *lease) members() fairfactor.MemberList {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.list
}

// report sets the members to report dead to the table.
func (l *lease) report(dead []string) {
	l.mu.Lock()
	l.dead = dead
	l.mu.Unlock()
	l.poke()
}

// poke renews the lease soon, which also reads the members.
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

// watch fences the node when its time is over, even while a renewal hangs.
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

// lapsed tells whether the node must not act. It is called for each message,
// because a process that was paused must notice before it does anything else.
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

// gone tells whether the node was removed from the table.
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
