package actors

import (
	"time"

	"fairfactor/actors/actorspb"
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
	// maxEnding is how many jobs may have ended and wait for the disk before no more
	// turns are offered: otherwise fast workers would run away from a slow disk.
	maxEnding = 2048
	// Offers are repeated after a silence of this length, and when a turn has not
	// ended after it, doubling each time.
	minQuiet, maxQuiet = 2 * time.Second, 30 * time.Second
)

// offer sends the scheduler turns: those that it asked for, or the first few
// when it takes this caller for empty.
func (a *caller) offer() {
	o := &a.offers
	limit := o.want
	if !o.more {
		limit = max(limit, firstOffer-a.backlog.Outstanding())
	}
	limit = min(limit, maxEnding-a.backlog.CountEnding())
	var turns []backlog.Turn
	if o.again {
		turns = a.backlog.Offered()
	}
	fresh := a.backlog.Next(limit)
	turns = append(turns, fresh...)
	more := a.backlog.More()
	asked := o.want > 0 && !more
	if len(turns) == 0 && !o.stale && !asked && (more == o.more || !more) {
		return
	}
	o.want = max(0, o.want-len(fresh))
	if asked {
		o.want = 0
	}
	a.sys.tellScheduler(&actorspb.Envelope{Body: &actorspb.Envelope_Offer{Offer: &actorspb.Offer{
		Caller: a.name, Epoch: a.claim.Epoch, Weight: int32(a.weight),
		Turns: turnsToPB(a.name, a.claim.Epoch, turns), More: more, Again: o.again,
	}}})
	o.more, o.stale, o.again = more, false, false
}

// pulled answers the scheduler's wish for turns. A scheduler that is new here
// hears of everything again.
func (a *caller) pulled(m *actorspb.Pull) {
	o := &a.offers
	if m.Epoch < o.epoch {
		return
	}
	if m.Epoch > o.epoch {
		o.again = o.epoch != 0 || a.backlog.Outstanding() > 0
		o.epoch = m.Epoch
	}
	a.heard()
	o.want = max(o.want, int(m.Want))
}

func (a *caller) heard() {
	a.offers.heard, a.offers.quiet = a.sys.now(), minQuiet
}

// overdue offers everything again when nothing was heard for long, or nothing of
// some turn, however much of others: an offer, a turn or an outcome may have been
// lost. The scheduler leaves out what it has.
func (o *offers) overdue(a *caller, now time.Time) {
	if a.backlog.Outstanding() == 0 && !a.backlog.More() {
		o.heard, o.quiet, o.mark = now, minQuiet, 0
		return
	}
	if o.quiet == 0 {
		o.quiet = minQuiet
	}
	silent := now.Sub(o.heard) >= o.quiet
	if !o.behind(a.backlog, now) && !silent {
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

// outcomes takes in what workers found.
func (a *caller) outcomes(m *actorspb.Outcomes) {
	a.heard()
	now := a.sys.now().UTC().Truncate(time.Microsecond)
	for _, pb := range m.Outcomes {
		if pb.Epoch != a.claim.Epoch {
			continue // of a turn that an earlier activation offered
		}
		if pb.Failure != "" {
			a.log.Error("a turn failed", "job", pb.Seq, "turn", pb.Turn, "err", pb.Failure)
		}
		job, withdraw := a.backlog.Outcome(outcomeFromPB(pb), now)
		if withdraw {
			a.withdraw(pb.Seq)
		}
		if job != nil {
			a.finish(job, nil)
		}
	}
}

func (a *caller) began(m *actorspb.Began) {
	a.heard()
	if m.Epoch == a.claim.Epoch {
		a.backlog.Began(m.Seq, m.Place, fromMicros(m.StartedUs))
	}
}

// withdraw takes a job's turns back from the scheduler.
func (a *caller) withdraw(seq uint64) {
	a.sys.tellScheduler(&actorspb.Envelope{Body: &actorspb.Envelope_Withdraw{Withdraw: &actorspb.Withdraw{Caller: a.name, Seq: seq}}})
}
