package actors

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"fairfactor"
	"fairfactor/actors/backlog"
	"fairfactor/actors/caller"
	"fairfactor/actors/dispatch"
	"fairfactor/actors/share"
)

// callerActor is the shell of a [caller.Caller]: it turns messages into calls, and
// is its [caller.Host].
type callerActor struct {
	sys      *System
	identity func(actor.Context) string
	self     *actor.PID
	name     string
	log      *slog.Logger // nil until it is needed
	caller   *caller.Caller
	inbox    inbox
	claim    *caller.Read // that was made on the spot and is to be taken in, nil for none
	alarm    alarm
	flushing bool
	retiring bool // it stops once all is saved
}

var _ caller.Host = (*callerActor)(nil)

// arrived tells an actor that its inbox is not empty, flush is sent by an actor to
// itself, behind all messages that arrived meanwhile; tick says that an alarm rang, hurry
// that turns were waited for long enough.
type (
	arrived struct{}
	flush   struct{}
	tick    struct{}
	hurry   struct{}
)

// Retire tells the actor of a caller that another node will have the caller: it saves the
// progress of its long jobs and stops.
type Retire struct{}

// lastTurns is how long an actor that leaves waits for turns that others run: most take 20 ms
// of CPU.
const lastTurns = 500 * time.Millisecond

func (a *callerActor) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		a.started(ctx)
	case *actor.Stopping, *actor.Restarting:
		a.stopping()
	case arrived:
		a.arrived()
		a.settle(ctx)
	case flush:
		a.flush(ctx)
	case tick:
		if a.caller.Due() {
			ctx.Stop(a.self)
			return
		}
		a.settle(ctx)
	case Retire:
		a.retiring = true
		if a.caller.Leave(); !a.caller.Left() {
			a.hurryLater()
		}
		a.settle(ctx)
	case hurry:
		a.caller.Hurry()
		a.settle(ctx)
	case actor.AutoReceiveMessage, actor.SystemMessage: // such as that it has stopped
	default:
		a.receive(opened(m), ctx.Sender())
		a.settle(ctx)
	}
}

func (a *callerActor) started(ctx actor.Context) {
	<-a.sys.bound
	a.self, a.name = ctx.Self(), a.identity(ctx)
	a.alarm.pid = a.self
	a.sys.Counters.Callers.Add(1)
	a.sys.Counters.Activations.Add(1)
	a.caller = caller.New(a, caller.Config{
		Name: a.name, MaxQueue: a.sys.cfg.MaxQueue, MaxCPU: a.sys.cfg.MaxCPU,
		Idle: a.sys.idleTime, Retry: retryAfter, Hold: a.sys.cfg.Hold, Learns: a.sys.cfg.KnownSize > 0, Counters: &a.sys.Counters.Counters, Room: &a.sys.room,
		MaxDeaths: a.sys.cfg.MaxDeaths, Died: a.sys.died.of(a.name), Deadly: &a.sys.deadly, Grace: a.sys.grace, Ended: a.sys.cfg.Ended, Memory: a.memory(),
	})
}

// memory is what the jobs of this caller hold, see [caller.Config].
func (a *callerActor) memory() func(share string) caller.Memory {
	ledger := a.sys.memory
	if ledger == nil {
		return nil
	}
	return func(share string) caller.Memory {
		return ledger.Holder(share, func() { a.sys.send(a.self, arrived{}) })
	}
}

// stopping answers all that wait here. What is on its way to the store is answered
// when it is known whether it got there.
func (a *callerActor) stopping() {
	a.sys.alarms.cancel(&a.alarm)
	a.sys.Counters.Callers.Add(-1)
	a.caller.Stop()
	a.inbox.close(a.caller)
}

func (a *callerActor) receive(m any, sender *actor.PID) {
	var asker caller.Asker
	if sender != nil {
		asker = sender
	}
	known := true
	switch m := m.(type) {
	case *submit:
		a.caller.Receive(asker, &m.Submit)
	case *outcomes:
		a.caller.Receive(asker, &m.Outcomes)
		m.free()
	case toCaller:
		known = a.caller.Receive(asker, m.message)
		if _, saves := m.message.(caller.Save); saves {
			a.hurryLater()
		}
	default:
		known = m == nil
	}
	if !known {
		a.Log().Warn("a caller got a message it does not know", slog.Any("message", m))
		return
	}
	if r := a.claim; r != nil {
		a.claim = nil
		a.caller.Done(r)
	}
	a.caller.Touch()
}

// arrived takes in what came back from the store.
func (a *callerActor) arrived() {
	reads, written := a.inbox.take()
	if written {
		a.caller.Written()
	}
	for _, r := range reads {
		a.caller.Done(r)
	}
	a.caller.Touch()
}

// hurryLater has the caller wait for turns no longer than lastTurns.
func (a *callerActor) hurryLater() {
	a.sys.run.After(lastTurns, func() { a.sys.send(a.self, hurry{}) })
}

// settle follows what came in: the actor stops if it was fenced or has retired, and if not
// its steps and offers are looked after.
func (a *callerActor) settle(ctx actor.Context) {
	if a.caller.Stopped() || a.retiring && a.caller.Left() {
		ctx.Stop(a.self)
		return
	}
	a.dirty()
}

// dirty has steps, offers and pages looked after once all waiting messages are in.
func (a *callerActor) dirty() {
	if !a.flushing {
		a.flushing = true
		a.sys.send(a.self, flush{})
	}
}

func (a *callerActor) flush(ctx actor.Context) {
	a.flushing = false
	a.caller.Flush()
	if a.sys.crowded() && a.caller.Passed() {
		ctx.Stop(a.self)
		return
	}
	a.sys.alarms.set(&a.alarm, a.caller.NextDue())
}

// Now implements [caller.Host], as all that follow.
func (a *callerActor) Now() time.Time { return a.sys.now() }

// Log implements [caller.Host].
func (a *callerActor) Log() *slog.Logger {
	if a.log == nil {
		a.log = a.sys.log.With("caller", a.name)
	}
	return a.log
}

// Offer implements [caller.Host].
func (a *callerActor) Offer(o caller.Offer) {
	m := spareOffers.Get().(*offer)
	m.Offer = dispatch.Offer{
		Caller: a.name, Group: o.Group, Home: a.sys.net.ID(), Epoch: o.Epoch, Weight: o.Weight, More: o.More, Again: o.Again,
		Charge: o.Charge, Known: o.Known, Jobs: o.Jobs, Work: o.Work, Oldest: micros(o.Oldest), Turns: m.Turns,
	}
	for i := range o.Turns { // each gets the address of its outcome
		t := spareTurns.Get().(*turn)
		*t = turnOf(a.name, o.Epoch, &o.Turns[i])
		offered := t.offered()
		offered.Waits = o.Turns[i].Waits
		m.Turns = append(m.Turns, offered)
	}
	a.sys.tellScheduler(m)
}

func turnOf(name string, epoch uint64, t *backlog.Turn) turn {
	return turn{id: t.ID, caller: name, epoch: epoch, turn: t.Turn, number: t.Number, payload: t.Payload, predict: int64(t.Predict), suspect: t.Suspect, mourned: t.Mourned}
}

// Withdraw implements [caller.Host].
func (a *callerActor) Withdraw(seq uint64) {
	a.sys.tellScheduler(withdraw{a.name, seq, a.caller.Epoch()})
}

// Answer implements [caller.Host].
func (a *callerActor) Answer(to caller.Asker, answer any) {
	switch answer := answer.(type) {
	case *caller.Receipts:
		a.sys.answer(to.(*actor.PID), (*receipts)(answer))
	case caller.Jobs:
		a.sys.answer(to.(*actor.PID), jobs(answer))
	case caller.Account:
		a.sys.answer(to.(*actor.PID), account(answer))
	case caller.Changed:
		a.sys.answer(to.(*actor.PID), changed(answer))
	case caller.LeftWork:
		a.sys.answer(to.(*actor.PID), leftWork(answer))
	case error:
		a.sys.answer(to.(*actor.PID), failure{answer})
	}
}

// Want implements [caller.Host].
func (a *callerActor) Want(w share.Want) { a.sys.tellNumber(w) }

// Commit implements [caller.Host].
func (a *callerActor) Commit(s *caller.Steps) { a.sys.cfg.Committer.Ready(s) }

// Hold implements [caller.Host].
func (a *callerActor) Hold(s *caller.Steps, d time.Duration) { a.sys.run.After(d, s.Release) }

// Arrived implements [caller.Host].
func (a *callerActor) Arrived() {
	if a.inbox.put(nil, a.caller) {
		a.sys.send(a.self, arrived{})
	}
}

// Progress implements [caller.Host].
func (a *callerActor) Progress(running []fairfactor.Job, cpu time.Duration, turns uint64) {
	a.sys.live.set(liveCaller{a.name, running, cpu, turns})
}

// Read implements [caller.Host]. When the node stops the read finds its context
// ended. Before the claim there is nothing that the actor could do: it may wait for one
// that takes a moment.
func (a *callerActor) Read(r *caller.Read) {
	if r.Kind == caller.ReadClaim && r.Wait == 0 && a.sys.cfg.LocalStore {
		a.sys.read(a.sys.running, a.name, a.caller, r)
		a.claim = r
		return
	}
	a.sys.background(func(ctx context.Context) {
		ctx, cancel := a.sys.run.Within(ctx, storeLimit)
		defer cancel()
		a.sys.read(ctx, a.name, a.caller, r)
		if a.inbox.put(r, a.caller) {
			a.sys.send(a.self, arrived{})
		}
	})
}

// inbox brings back into the actor what was begun outside of it. It outlives the
// actor, because those who asked wait for what comes of it: what arrives after the
// end is handled where it arrives, one after the other, by the caller as it
// stopped.
type inbox struct {
	mu      sync.Mutex
	reads   []*caller.Read // guarded by mu
	written bool           // guarded by mu: results of steps are there
	told    bool           // guarded by mu: the actor will look
	closed  bool           // guarded by mu: the actor has stopped
}

// put adds a read, or nil for results of steps; wake says that the actor has to be
// told.
func (b *inbox) put(r *caller.Read, c *caller.Caller) (wake bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		deliver(c, r)
		return false
	}
	if r == nil {
		b.written = true
	} else {
		b.reads = append(b.reads, r)
	}
	wake = !b.told
	b.told = true
	return wake
}

func deliver(c *caller.Caller, r *caller.Read) {
	if r == nil {
		c.Written()
	} else {
		c.Done(r)
	}
}

// take empties the inbox.
func (b *inbox) take() (reads []*caller.Read, written bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	reads, written = b.reads, b.written
	b.reads, b.written, b.told = nil, false, false
	return reads, written
}

// close handles what is there; from now on nothing waits for the actor.
func (b *inbox) close(c *caller.Caller) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	if b.written {
		c.Written()
	}
	for _, r := range b.reads {
		c.Done(r)
	}
	b.reads, b.written = nil, false
}
