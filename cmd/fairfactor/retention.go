package main

import (
	"context"
	"time"
)

// clockGap is how far the clock may run ahead of the newest job that the embedded
// store had at the start, besides the time that has passed since. A node that was
// off for longer keeps finished jobs that much longer; one whose clock is set wrong
// deletes nothing that is less old than it looks by more than this.
const clockGap = 24 * time.Hour

// jobClock tells the time for retention.
type jobClock struct {
	newest time.Time // job at the start, or the start if there was none; zero to believe the clock
	start  time.Time // with its monotonic reading
}

// now returns the time to reckon with, and how far the clock is ahead of it.
func (c jobClock) now(clock time.Time) (now time.Time, ahead time.Duration) {
	if c.newest.IsZero() {
		return clock, 0
	}
	latest := c.newest.Add(clockGap + clock.Sub(c.start))
	if clock.After(latest) {
		return latest, clock.Sub(latest)
	}
	return clock, 0
}

// expire deletes finished jobs when their retention is over, then forgets callers that have
// no job left, and the numbers that are deadly when they have not been used for as long.
func (n *node) expire(ctx context.Context) {
	const every, batch = time.Minute, 10_000
	if _, ahead := n.clock.now(time.Now()); ahead > 0 {
		n.log.Warn("the clock is far ahead of the newest job, finished jobs are kept longer by that", "newest", n.clock.newest, "ahead", ahead.Round(time.Second))
	}
	for {
		now, _ := n.clock.now(time.Now())
		deleted, err := n.store.Expire(ctx, now.Add(-n.cfg.retention), batch)
		if err != nil && ctx.Err() == nil {
			n.log.Error("finished jobs can't be deleted", "err", err)
		}
		if e := n.store.TrimDeadly(ctx, now.Add(-n.cfg.retention)); e != nil && ctx.Err() == nil {
			n.log.Error("deadly numbers can't be forgotten", "err", e)
		}
		forgotten, forgetErr := n.store.Forget(ctx, now.Add(-n.cfg.retention), batch)
		if forgetErr != nil && ctx.Err() == nil {
			n.log.Error("callers without jobs can't be forgotten", "err", forgetErr)
		}
		n.countAccounts(ctx)
		wait := every
		if err == nil && deleted == batch || forgetErr == nil && forgotten == batch {
			wait = 10 * time.Millisecond
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// countAccounts notes how many accounts there are, for the metrics.
func (n *node) countAccounts(ctx context.Context) {
	a, err := n.store.Accounts(ctx)
	switch {
	case err == nil:
		n.accounts.Store(&a)
	case ctx.Err() == nil:
		n.log.Error("accounts can't be counted", "err", err)
	}
}
