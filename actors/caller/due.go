package caller

import (
	"time"

	"fairfactor"
)

// earlier is the earlier of two times; zero is never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// NextDue is when [Caller.Due] has something to do, zero for never: only messages
// and results bring the caller on then.
func (c *Caller) NextDue() time.Time {
	if c.stopped || c.backlog == nil && (c.claiming || len(c.stash) > 0) {
		return time.Time{}
	}
	at := c.idleUntil()
	if c.backlog == nil {
		return at
	}
	if len(c.again) > 0 || c.unpaged || c.unloaded {
		at = earlier(at, c.retryAt)
	}
	if c.backlog.Long() {
		at = earlier(at, c.saved.Add(checkpointEvery))
	}
	if c.advanced || c.showing {
		at = earlier(at, c.shown.Add(progressEvery))
	}
	if len(c.repeats.young)+len(c.repeats.old) > 0 {
		at = earlier(at, c.repeats.turned.Add(memory))
	}
	at = earlier(at, c.deadline)
	if len(c.graces) > 0 {
		at = earlier(at, c.graces[0].until)
	}
	if len(c.shares) > 0 {
		at = earlier(at, c.wantsDue())
	}
	if len(c.left) > 0 {
		at = earlier(at, c.leftDue())
	}
	if c.waiting > 0 {
		at = earlier(at, c.firstDeadline())
	}
	if c.paused {
		return at
	}
	return earlier(at, c.offers.due(c.backlog))
}

// idleUntil is when the activation stops if nothing comes, zero while it has
// something in memory that the store does not have.
func (c *Caller) idleUntil() time.Time {
	if c.busy() {
		return time.Time{}
	}
	return c.idle.Add(c.cfg.Idle())
}

// busy reports whether there is more in memory than the store has, or a request
// waits. Jobs that wait are in the store, and the scheduler knows of them.
func (c *Caller) busy() bool {
	if c.reads > 0 || len(c.keys) > 0 || c.waiting > 0 || len(c.again) > 0 || len(c.overtaken) > 0 || len(c.shares) > 0 {
		return true
	}
	return c.backlog != nil && (!c.backlog.Resting() || c.backlog.More() && !c.offers.more && !c.paused || c.steps.count() > 0)
}

// firstDeadline is that of the long poll that runs out first.
func (c *Caller) firstDeadline() (first time.Time) {
	for _, waiters := range c.waiters {
		for _, w := range waiters {
			first = earlier(first, w.deadline)
		}
	}
	return first
}

// Passed reports whether the caller came for the first time, with one submission, and has
// nothing left to do here. One that has come before is likely to come again: it stays.
func (c *Caller) Passed() bool {
	return c.backlog != nil && !c.stopped && c.claim.Last == 0 && c.visits <= 1 && c.queued == 0 && !c.busy()
}

// Touch notes that there was something to do.
func (c *Caller) Touch() { c.idle = c.host.Now() }

// Due does the housekeeping whose time has come: checkpoints, lost offers, long polls
// that ran out, what failed and is tried again. It reports whether the activation has
// been idle for so long that it should stop.
func (c *Caller) Due() (stop bool) {
	now := c.host.Now()
	if at := c.idleUntil(); !c.stopped && !c.claiming && !at.IsZero() && !now.Before(at) {
		return true
	}
	if c.backlog == nil || c.stopped {
		return false
	}
	if now.Sub(c.saved) >= checkpointEvery {
		c.saved = now
		c.checkpoint()
	}
	if len(c.again) > 0 && !now.Before(c.retryAt) {
		c.host.Log().Error("ends of jobs can't be stored, trying again", "jobs", len(c.again), "err", c.failure)
		for _, p := range c.again {
			p.taken, p.err = false, nil
		}
		c.steps.add(c.again...)
		c.again = nil
	}
	if c.unpaged && !now.Before(c.retryAt) {
		c.unpaged = false
		c.backlog.Unpaged() // the next flush asks again
	}
	if c.unloaded && !now.Before(c.retryAt) {
		c.unloaded = false
		c.backlog.Unloaded()
	}
	c.expireDue()
	c.release(now)
	c.repeats.turn(now)
	c.repeatWants(now)
	c.dropLeft(now)
	if !c.paused {
		c.offers.overdue(c.backlog, now)
	}
	c.dropWaiters(now)
	c.show(true)
	return false
}

// show tells the host what long jobs are doing, now and then.
func (c *Caller) show(due bool) {
	if !c.advanced && !(due && c.showing) {
		return
	}
	now := c.host.Now()
	if now.Sub(c.shown) < progressEvery && c.showing {
		return
	}
	c.advanced, c.shown = false, now
	running := c.backlog.Running(fairfactor.MaxPage)
	if len(running) == 0 && !c.showing {
		return
	}
	c.showing = len(running) > 0
	cpu, turns := c.backlog.Unbooked()
	c.host.Progress(running, cpu, turns)
}
