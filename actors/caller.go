package actors

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"fairfactor"
	"fairfactor/actors/actorspb"
	"fairfactor/actors/backlog"
)

// caller is the shell around backlog.Backlog: the virtual actor that owns the
// jobs of one caller. It claims an epoch in the store when it starts; as soon
// as a write is refused because a newer activation exists, it stops.
type caller struct {
	sys      *System
	identity func(actor.Context) string
	self     *actor.PID
	name     string
	log      *slog.Logger

	claim     fairfactor.Claim
	claimedAt time.Time
	backlog   *backlog.Backlog // nil until the claim is there
	stash     []stashed        // messages that came before
	stopped   bool             // nothing may be written any more
	inbox     inbox

	last    uint64 // highest sequence or order number given
	queued  uint64 // unfinished jobs, those on their way to the disk included
	weight  int
	keys    map[string]*keyed // idempotency keys on their way to the disk
	repeats repeats
	wait    map[uint64][]waiter // long polls, by sequence number
	waits   int

	batch    []commit // to be made durable with the next flush
	inFlight int      // commits handed to the committer
	failed   []commit // ends of jobs that the store could not take yet
	failure  error    // why the last of them
	flushing bool

	offers  offers
	unpaged bool      // a page, or a piece of a checkpoint, could not be read
	idle    time.Time // since when there was nothing to do
	saved   time.Time // last checkpoint
}

// stashed is a message that waits for the claim.
type stashed struct {
	envelope *actorspb.Envelope
	sender   *actor.PID
}

// waiter is somebody who waits for a job to end.
type waiter struct {
	sender   *actor.PID
	deadline time.Time
}

// checkpointEvery is how often the progress of long jobs is saved: what a crash
// costs at most.
const checkpointEvery = 10 * time.Second

func (a *caller) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		a.started(ctx)
	case *actor.Stopping, *actor.Restarting:
		a.stopping()
	case *actorspb.Envelope:
		a.receive(m, ctx.Sender())
	case arrived:
		for _, f := range a.inbox.take() {
			f()
		}
		a.settle(ctx)
	case flush:
		a.flush()
	case tick:
		a.tick(ctx)
	}
}

func (a *caller) started(ctx actor.Context) {
	<-a.sys.bound
	a.self, a.name = ctx.Self(), a.identity(ctx)
	a.log = a.sys.log.With("caller", a.name)
	a.keys, a.wait = map[string]*keyed{}, map[uint64][]waiter{}
	a.sys.tick.Store(a.self, nil)
	a.sys.Counters.Callers.Add(1)
	a.sys.Counters.Activations.Add(1)
	a.claimEpoch(0)
}

// stopping answers all that wait here. What is on its way to the disk is answered
// when it is known whether it got there.
func (a *caller) stopping() {
	a.sys.tick.Delete(a.self)
	a.sys.Counters.Callers.Add(-1)
	a.stopped = true
	for _, s := range a.stash {
		a.respond(s.sender, problemEnvelope(errMoved))
	}
	batch := append(a.batch, a.failed...)
	a.stash, a.batch, a.failed = nil, nil, nil
	for _, c := range batch {
		c.then(errMoved)
	}
	a.sendWaitersAway()
	a.inbox.close()
}

// settle follows what came in: the actor stops if it was fenced, and if not its
// commits and offers are looked after.
func (a *caller) settle(ctx actor.Context) {
	if a.stopped {
		ctx.Stop(a.self)
		return
	}
	a.dirty()
}

// claimEpoch makes this activation the only one that may write.
func (a *caller) claimEpoch(wait time.Duration) {
	a.outside(func(ctx context.Context) func() {
		pause(ctx, wait)
		claim, err := a.sys.cfg.Store.ClaimCaller(ctx, a.name, "")
		return func() { a.claimed(claim, err) }
	})
}

func (a *caller) claimed(claim fairfactor.Claim, err error) {
	if a.stopped {
		return
	}
	stash := a.stash
	a.stash = nil
	if err != nil {
		a.log.Error("a caller's epoch can't be claimed, trying again", "err", err)
		for _, s := range stash {
			a.respond(s.sender, problemEnvelope(err))
		}
		a.claimEpoch(retryAfter)
		return
	}
	a.claim, a.last, a.queued, a.weight = claim, claim.Last, claim.Caller.Queued, max(claim.Caller.Weight, 1)
	a.backlog = backlog.New(backlog.Config{Caller: a.name, MaxCPU: a.sys.cfg.MaxCPU}, claim)
	a.claimedAt, a.idle, a.saved = a.sys.now(), a.sys.now(), a.sys.now()
	a.offers.heard = a.sys.now()
	for _, s := range stash {
		a.receive(s.envelope, s.sender)
	}
}

func (a *caller) receive(e *actorspb.Envelope, sender *actor.PID) {
	if a.backlog == nil {
		if len(a.stash) >= maxStash {
			a.respond(sender, problemEnvelope(fairfactor.Errorf(fairfactor.Unavailable, "the caller's queue is being loaded: try again")))
			return
		}
		a.stash = append(a.stash, stashed{e, sender})
		return
	}
	switch m := e.Body.(type) {
	case *actorspb.Envelope_Submit:
		a.submit(m.Submit, sender)
	case *actorspb.Envelope_Outcomes:
		a.outcomes(m.Outcomes)
	case *actorspb.Envelope_Began:
		a.began(m.Began)
	case *actorspb.Envelope_Pull:
		a.pulled(m.Pull)
	case *actorspb.Envelope_Look:
		a.look(m.Look, sender)
	case *actorspb.Envelope_Await:
		a.await(m.Await, sender)
	case *actorspb.Envelope_Cancel:
		a.cancel(idFromPB(m.Cancel.Id), sender)
	case *actorspb.Envelope_Retry:
		a.retry(idFromPB(m.Retry.Id), sender)
	case *actorspb.Envelope_Weigh:
		a.weigh(int(m.Weigh.Weight), sender)
	case *actorspb.Envelope_Account:
		a.account(sender)
	default:
		a.log.Warn("a caller got a message it does not know", slog.Any("message", e))
		return
	}
	a.dirty()
}

func (a *caller) respond(to *actor.PID, m *actorspb.Envelope) {
	if to != nil {
		a.sys.net.System().Root.Send(to, m)
	}
}

// dirty has commits, offers and pages looked after once all waiting messages
// are in.
func (a *caller) dirty() {
	if !a.flushing && !a.stopped {
		a.flushing = true
		a.sys.net.System().Root.Send(a.self, flush{})
	}
}

func (a *caller) flush() {
	a.flushing = false
	if a.backlog == nil || a.stopped {
		return
	}
	a.commit()
	a.offer()
	if after, ok := a.backlog.NeedPage(); ok {
		a.readPage(after)
	}
	if order, number, ok := a.backlog.NeedPiece(); ok {
		a.readPiece(order, number)
	}
}

func (a *caller) readPage(after uint64) {
	a.outside(func(ctx context.Context) func() {
		page, err := a.sys.cfg.Store.Backlog(ctx, a.claim.Number, after, backlog.Page)
		return func() { a.paged(page, err) }
	})
}

func (a *caller) paged(page []fairfactor.Waiting, err error) {
	switch {
	case err == nil:
		a.backlog.Paged(page)
	case !a.stopped:
		a.log.Error("a page of the backlog can't be read, trying again", "err", err)
		a.unpaged = true
	}
}

// readPiece reads a piece of the checkpoint of a job that has begun again.
func (a *caller) readPiece(order uint64, number int) {
	a.outside(func(ctx context.Context) func() {
		data, err := a.sys.cfg.Store.Piece(ctx, a.claim.Number, order, uint32(number))
		return func() { a.pieceRead(order, number, data, err) }
	})
}

func (a *caller) pieceRead(order uint64, number int, data []byte, err error) {
	switch {
	case a.stopped:
	case fairfactor.CodeOf(err) == fairfactor.Unavailable:
		a.log.Error("a piece of a checkpoint can't be read, trying again", "err", err)
		a.unpaged = true
	default: // one that is lost or damaged costs the work in it
		if lost := a.backlog.Loaded(order, number, data); lost != nil || err != nil {
			a.log.Error("a piece of a checkpoint is lost", "order", order, "piece", number, "err", errors.Join(err, lost))
		}
	}
}

// tick does the housekeeping: checkpoints, lost offers, long polls that ran
// out, passivation.
func (a *caller) tick(ctx actor.Context) {
	if a.backlog == nil {
		return
	}
	now := a.sys.now()
	if now.Sub(a.saved) >= checkpointEvery {
		a.saved = now
		a.checkpoint()
	}
	if len(a.failed) > 0 {
		a.log.Error("ends of jobs can't be stored, trying again", "jobs", len(a.failed), "err", a.failure)
		a.batch, a.failed = append(a.batch, a.failed...), nil
	}
	if a.unpaged {
		a.unpaged = false
		a.backlog.Unpaged() // the next flush asks again
		a.backlog.Unloaded()
	}
	a.repeats.turn(now)
	a.offers.overdue(a, now)
	a.dropWaiters(now)
	a.dirty()
	busy := !a.backlog.Empty() || len(a.batch) > 0 || a.inFlight > 0 || len(a.keys) > 0 || a.waits > 0
	if busy {
		a.idle = now
	} else if now.Sub(a.idle) >= a.sys.cfg.Passivate {
		ctx.Stop(a.self)
	}
}

// fenced ends this activation: a newer one owns the caller.
func (a *caller) fenced() {
	if !a.stopped {
		a.stopped = true
		a.sys.Counters.Fenced.Add(1)
		a.log.Warn("a newer activation of this caller exists, stopping", "epoch", a.claim.Epoch)
	}
}

func isFenced(err error) bool { return errors.Is(err, fairfactor.ErrFenced) }
