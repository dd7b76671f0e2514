package caller

import (
	"time"

	"fairfactor/actors/backlog"
)

// offers is what the caller knows of the scheduler.
type offers struct {
	epoch uint64 // of the scheduler that was heard last
	want  int    // turns it has asked for and not got
	more  bool   // what it was told last: that there are turns it has to ask for
	stale bool   // it should hear from us even without a turn
	again bool   // it may not know what was offered before
	heard time.Time
	quiet time.Duration // silence after which everything is offered again

	// Of the turns up to mark, which were all that had been offered at marked,
	// some have not ended since: after slow everything is offered again.
	mark   uint64
	marked time.Time
	slow   time.Duration
}

const (
	// firstOffer is how many turns a caller that the scheduler takes for empty
	// may offer without being asked.
	firstOffer = 16
	// maxEnding is how many jobs may have ended and wait for the store before no more
	// turns are offered: otherwise fast workers would run away from a slow disk.
	maxEnding = 2048
	// Offers are repeated after a silence of this length, and when a turn has not
	// ended after it, doubling each time.
	minQuiet, maxQuiet = 2 * time.Second, 30 * time.Second
)

// offer sends the scheduler turns: those that it asked for, or the first few when it
// takes this caller for empty.
func (c *Caller) offer() {
	o := &c.offers
	limit := o.want
	if !o.more {
		limit = max(limit, firstOffer-c.backlog.Outstanding())
	}
	limit = min(limit, maxEnding-c.backlog.CountEnding())
	if c.paused || c.leaving {
		limit = 0
	}
	turns := c.turns[:0]
	if o.again {
		turns = c.backlog.Offered(turns)
	}
	known := len(turns)
	turns = c.backlog.Next(turns, limit)
	c.condemnBegun()
	defer func() { clear(turns); c.turns = turns[:0] }()
	more := c.backlog.More() && !c.paused
	asked := o.want > 0 && !more
	if !more && c.backlog.Outstanding() == 0 {
		c.recalled, c.charge = 0, 0 // one that is not in line competes with no one
	}
	owes := c.recalled > 0 || c.charge > 0
	news := c.load.news(c.queued) && more
	if len(turns) == 0 && !o.stale && !asked && !owes && !news && (more == o.more || !more) {
		return
	}
	if len(turns) == 0 && !o.stale && !owes && !news && o.want > 0 && c.backlog.Paging() && !c.paused {
		return // the answer comes with the page
	}
	o.want = max(0, o.want-(len(turns)-known))
	if asked {
		o.want = 0
	}
	c.tell(Offer{
		Group: c.group, Epoch: c.claim.Epoch, Weight: c.weight, Turns: turns, More: more, Again: o.again, Known: c.recalled, Charge: c.charge,
		Oldest: c.backlog.Waits(),
	})
	c.recalled, c.charge = 0, 0
	o.more, o.stale, o.again = more, false, false
}

// tell sends an offer with how much there is to do.
func (c *Caller) tell(o Offer) {
	o.Jobs, o.Work = c.queued, c.load.work(&c.cfg.Counters.costs)
	c.load.told = c.queued
	c.host.Offer(o)
}

// pulled answers the scheduler's wish for turns. A scheduler that is new here hears
// of everything again.
func (c *Caller) pulled(m Pull) {
	o := &c.offers
	switch {
	case m.Claim > c.claim.Epoch:
		c.fenced() // also if that activation died before it wrote anything
		return
	case m.Epoch < o.epoch:
		return
	}
	if m.Epoch > o.epoch {
		o.again = o.epoch != 0 || c.backlog.Outstanding() > 0
		o.epoch = m.Epoch
	}
	c.heard()
	o.want, o.more = max(o.want, m.Want), true // it asks because it takes it that there is more
}

func (c *Caller) heard() { c.offers.heard, c.offers.quiet = c.host.Now(), minQuiet }

// overdue offers everything again when nothing was heard for long, or nothing of
// some turn, however much of others: an offer, a turn or an outcome may have been
// lost. The scheduler leaves out what it has.
func (o *offers) overdue(b *backlog.Backlog, now time.Time) {
	if b.Outstanding() == 0 && !b.More() {
		o.heard, o.quiet, o.mark = now, minQuiet, 0
		return
	}
	o.quiet = max(o.quiet, minQuiet)
	silent := now.Sub(o.heard) >= o.quiet
	if !o.behind(b, now) && !silent {
		return
	}
	o.again, o.stale = true, true
	if silent {
		o.heard, o.quiet = now, min(2*o.quiet, maxQuiet)
	}
}

// behind reports whether a turn has not ended for long.
func (o *offers) behind(b *backlog.Backlog, now time.Time) bool {
	if oldest := b.Oldest(); oldest == 0 || oldest > o.mark {
		o.mark, o.marked, o.slow = b.Offers(), now, minQuiet
		return false
	}
	if now.Sub(o.marked) < o.slow {
		return false
	}
	o.marked, o.slow = now, min(2*o.slow, maxQuiet)
	return true
}

// due is when overdue has to look, zero for never.
func (o *offers) due(b *backlog.Backlog) time.Time {
	if b.Outstanding() == 0 && !b.More() {
		return time.Time{}
	}
	at := o.heard.Add(max(o.quiet, minQuiet))
	if b.Outstanding() > 0 {
		at = earlier(at, o.marked.Add(max(o.slow, minQuiet)))
	}
	return at
}

// outcomes takes in what workers found.
func (c *Caller) outcomes(m *Outcomes) {
	c.heard()
	c.expireDue() // what ends after its deadline has missed it
	now := c.host.Now().UTC().Truncate(time.Microsecond)
	for i := range m.Outcomes {
		out := &m.Outcomes[i]
		if out.Epoch != c.claim.Epoch { // of a turn that an earlier activation offered
			c.cfg.Counters.Moved.Add(int64(out.CPU))
			continue
		}
		if out.Failure != "" {
			c.host.Log().Error("a turn failed", "job", out.Seq, "turn", out.Turn, "err", out.Failure)
		}
		c.spent += out.CPU
		job, withdraw := c.backlog.Outcome(out.Outcome, now)
		if withdraw {
			c.host.Withdraw(out.Seq)
		}
		if job != nil {
			c.end(job, nil)
		} else {
			c.advanced = true
		}
	}
	c.saveRest(nil)
	if vain := c.backlog.TakeVain(); vain != (backlog.Vain{}) {
		c.cfg.Counters.Ended.Add(int64(vain.Ended))
		c.cfg.Counters.Spare.Add(int64(vain.Spare))
	}
}

func (c *Caller) began(m Began) {
	c.heard()
	if m.Epoch == c.claim.Epoch {
		c.backlog.Began(m.Seq, m.Dispatched, m.Started)
		c.advanced = true
	}
}
