package actors

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"fairfactor"
	"fairfactor/actors/caller"
	"fairfactor/actors/dispatch"
)

// scheduler is the shell around dispatch.Machine: one virtual actor for the
// cluster. It owns no state that callers, workers and the store could not tell it
// again.
type scheduler struct {
	sys       *System
	self      *actor.PID
	machine   *dispatch.Machine // nil until the epoch is claimed
	start     time.Time
	epoch     uint64
	flushing  bool
	stash     []any
	asking    []*actor.PID // those who asked for a report before the epoch was claimed
	members   []string
	index     index
	greet     []string // workers that have not heard of this scheduler
	operating bool     // operations are being worked on
}

// claimedScheduler brings the epoch.
type claimedScheduler struct {
	claim fairfactor.SchedulerClaim
	err   error
}

// membersAre tells the scheduler which members live.
type membersAre struct{ ids []string }

// retryAfter is how long an actor waits before it asks the store again.
const retryAfter = 200 * time.Millisecond

func (a *scheduler) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		<-a.sys.bound
		a.self, a.start = ctx.Self(), a.sys.now()
		a.sys.schedulerHere.Store(a.self)
		a.claim(0)
	case *actor.Stopping, *actor.Restarting:
		a.sys.schedulerHere.CompareAndSwap(a.self, (*actor.PID)(nil))
	case claimedScheduler:
		a.claimed(m)
	case indexPage:
		if a.machine != nil { // or it is of a scheduler that panicked
			a.paged(m)
		}
	case countedPage:
		if a.machine != nil {
			a.counted(m)
		}
	case flush:
		a.flush()
	case operated:
		a.operating = false
	case tick:
		if a.machine != nil {
			a.machine.Tick(a.elapsed())
			a.index.ticked = true
			a.operate()
			a.dirty()
		}
	case membersAre:
		if a.machine != nil {
			a.machine.KeepWorkers(a.elapsed(), m.ids)
			if !slices.Equal(a.members, m.ids) {
				if a.members != nil {
					a.index.again(a.elapsed())
				}
				a.members = m.ids
			}
			a.dirty()
		}
	case actor.AutoReceiveMessage, actor.SystemMessage: // such as that it has stopped
	default:
		a.receive(ctx, opened(m))
	}
}

func (a *scheduler) elapsed() time.Duration { return a.sys.now().Sub(a.start) }

// claim opens a new epoch in the store.
func (a *scheduler) claim(wait time.Duration) {
	sys, self := a.sys, a.self
	sys.background(func(ctx context.Context) {
		if !sys.run.Pause(ctx, wait) {
			return
		}
		ctx, cancel := sys.run.Within(ctx, storeLimit)
		defer cancel()
		claim, err := sys.cfg.Store.ClaimScheduler(ctx)
		sys.send(self, claimedScheduler{claim, err})
	})
}

func (a *scheduler) claimed(m claimedScheduler) {
	if a.machine != nil && (m.err != nil || m.claim.Epoch <= a.epoch) {
		return // it is of a scheduler that panicked
	}
	if m.err != nil {
		a.sys.log.Error("the scheduler can't claim its epoch, trying again", "err", m.err)
		a.claim(retryAfter)
		return
	}
	a.epoch = m.claim.Epoch
	a.machine = dispatch.New(dispatch.Config{
		Quantum: a.sys.cfg.Quantum, Epoch: a.epoch, Dispatched: m.claim.Dispatched, Self: a.sys.net.ID(), Members: len(a.sys.cfg.Members()),
		Number: func(body any) string { return body.(*turn).number }, Deadly: func(number string) bool { return a.sys.deadly.Of(number) != nil },
	})
	for name, weight := range m.claim.Groups {
		a.machine.WeighGroup(name, weight)
	}
	for _, t := range a.sys.died.doubted() {
		a.machine.Doubt(a.elapsed(), t.Caller, t.ID.Seq, t.Number)
	}
	a.sys.log.Info("scheduler active", "epoch", a.epoch)
	for _, m := range a.stash {
		a.event(m)
	}
	a.stash = nil
	for _, sender := range a.asking {
		a.sys.answer(sender, fairness{report(a.machine.Report())})
	}
	a.asking = nil
	a.dirty()
}

func (a *scheduler) receive(ctx actor.Context, m any) {
	switch m := m.(type) {
	case askReport:
		a.report(ctx)
		return
	case weighGroup:
		if a.machine != nil { // or the claim brings it
			a.machine.WeighGroup(m.group, m.weight)
		}
		a.report(ctx)
		return
	}
	if a.machine == nil {
		if len(a.stash) < maxStash {
			a.stash = append(a.stash, m)
		}
		return
	}
	if b, ok := m.(*beat); ok && b.epoch > a.epoch {
		a.sys.log.Warn("a newer scheduler exists, stopping", "epoch", a.epoch, "newest", b.epoch)
		ctx.Stop(a.self)
		return
	}
	a.event(m)
	a.dirty()
}

func (a *scheduler) report(ctx actor.Context) {
	switch {
	case ctx.Sender() == nil:
	case a.machine != nil:
		a.sys.answer(ctx.Sender(), fairness{report(a.machine.Report())})
	case len(a.asking) < maxStash:
		a.asking = append(a.asking, ctx.Sender())
	default:
		a.sys.answer(ctx.Sender(), failure{fairfactor.Errorf(fairfactor.Unavailable, "the scheduler is starting: try again")})
	}
}

func (a *scheduler) event(m any) {
	now := a.elapsed()
	switch m := m.(type) {
	case *offer:
		a.machine.Offer(now, m.Offer)
		m.free()
	case *ended:
		for _, e := range m.ends {
			body := a.machine.End(now, e.dispatched, time.Duration(e.cpu))
			if t, ok := body.(*turn); ok && t.dispatched == e.dispatched { // no other hand-out has it
				*t = turn{}
				spareTurns.Put(t)
			}
		}
		m.free()
	case withdraw:
		halts := map[string][]uint64{}
		for _, h := range a.machine.Withdraw(now, m.caller, m.seq, m.epoch) {
			halts[h.Worker] = append(halts[h.Worker], h.Dispatched)
		}
		for member, dispatched := range halts {
			a.sys.net.TellMember(member, workerName, halt{dispatched})
		}
	case *beat:
		if m.slots == 0 { // draining
			a.machine.WorkerLeft(now, m.member)
			return
		}
		a.machine.Beat(now, m.member, m.slots, m.open)
		if m.epoch < a.epoch {
			a.greet = append(a.greet, m.member)
		}
	default:
		a.sys.log.Warn("the scheduler got a message it does not know", slog.Any("message", m))
	}
}

// dirty has the machine looked at once all waiting messages are in.
func (a *scheduler) dirty() {
	if !a.flushing {
		a.flushing = true
		a.sys.send(a.self, flush{})
	}
}

// flush hands out all that can be handed out.
func (a *scheduler) flush() {
	a.flushing = false
	if a.machine == nil {
		return // it is of a scheduler that panicked
	}
	runs, pulls := a.machine.Dispatch(a.elapsed())
	for i := range runs {
		a.sys.net.TellMember(runs[i].Worker, workerName, a.run(runs[i].Turns))
	}
	for _, d := range a.machine.Deaths() {
		a.sys.tellCaller(d.Caller, toCaller{caller.Died{ID: fairfactor.ID{Nonce: d.Nonce, Seq: d.Seq}, Process: d.Process}})
	}
	for _, p := range pulls {
		a.sys.tellCaller(p.Caller, toCaller{caller.Pull{Epoch: a.epoch, Want: p.Want, Claim: p.Claim}})
	}
	if a.index.begun { // work is being handed out
		for _, member := range a.greet {
			a.sys.net.TellMember(member, workerName, &run{epoch: a.epoch})
		}
		a.greet = a.greet[:0]
	}
	a.lookUp()
}

// run is a hand-out. A turn that was handed out before is copied: the earlier message
// may still be read.
func (a *scheduler) run(turns []dispatch.Turn) *run {
	m := spareRuns.Get().(*run)
	m.epoch = a.epoch
	for i := range turns {
		t := turns[i].Body.(*turn)
		if t.dispatched != 0 {
			again := *t
			t = &again
		}
		t.dispatched = turns[i].Dispatched
		m.turns = append(m.turns, t)
	}
	return m
}
