package actors

import (
	"context"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"fairfactor"
	"fairfactor/actors/actorspb"
	"fairfactor/actors/dispatch"
)

// scheduler is the shell around dispatch.Machine: one virtual actor for the
// cluster. It owns no state that callers and workers could not tell it again.
type scheduler struct {
	sys      *System
	self     *actor.PID
	machine  *dispatch.Machine // nil until the epoch is claimed
	start    time.Time
	epoch    uint64
	flushing bool
	stash    []*actorspb.Envelope
	asking   []*actor.PID // those who asked for a report before the epoch was claimed
	members  []string
	wakeAt   time.Duration // when callers with unfinished jobs are woken again
	waking   *atomic.Bool  // they are being woken
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
		a.sys.tick.Store(a.self, nil)
		a.sys.schedulerHere.Store(a.self)
		a.claim(0)
	case *actor.Stopping, *actor.Restarting:
		a.sys.tick.Delete(a.self)
		a.sys.schedulerHere.CompareAndSwap(a.self, (*actor.PID)(nil))
	case claimedScheduler:
		a.claimed(m)
	case *actorspb.Envelope:
		a.receive(ctx, m)
	case flush:
		a.flush()
	case tick:
		if a.machine != nil {
			a.machine.Tick(a.elapsed())
			if a.elapsed() >= a.wakeAt {
				a.wake(1)
			}
			a.dirty()
		}
	case membersAre:
		if a.machine != nil {
			a.machine.KeepWorkers(a.elapsed(), m.ids)
			if !slices.Equal(a.members, m.ids) {
				a.members = m.ids
				a.wake(1)
				a.wakeAt = a.elapsed() + dispatch.Lost // members hear of each other at different times
			}
			a.dirty()
		}
	}
}

func (a *scheduler) elapsed() time.Duration { return a.sys.now().Sub(a.start) }

// claim opens a new epoch in the store.
func (a *scheduler) claim(wait time.Duration) {
	sys, self := a.sys, a.self
	sys.background(func(ctx context.Context) {
		if !pause(ctx, wait) {
			return
		}
		ctx, cancel := context.WithTimeout(ctx, storeLimit)
		defer cancel()
		claim, err := sys.cfg.Store.ClaimScheduler(ctx)
		sys.net.System().Root.Send(self, claimedScheduler{claim, err})
	})
}

// pause waits; it is false if ctx has ended.
func pause(ctx context.Context, wait time.Duration) bool {
	if wait == 0 {
		return ctx.Err() == nil
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(wait):
		return true
	}
}

func (a *scheduler) claimed(m claimedScheduler) {
	if m.err != nil {
		a.sys.log.Error("the scheduler can't claim its epoch, trying again", "err", m.err)
		a.claim(retryAfter)
		return
	}
	a.epoch = m.claim.Epoch
	a.machine = dispatch.New(dispatch.Config{Quantum: a.sys.cfg.Quantum, Epoch: a.epoch, Dispatched: m.claim.Place})
	a.sys.log.Info("scheduler active", "epoch", a.epoch)
	for _, e := range a.stash {
		a.event(e)
	}
	a.stash = nil
	for _, sender := range a.asking {
		a.sys.net.System().Root.Send(sender, reportToPB(a.machine.Report()))
	}
	a.asking = nil
	a.dirty()
	a.waking = new(atomic.Bool)
	a.wake(dispatch.Window)
}

// wakeEvery is how often callers with unfinished jobs are woken though nothing
// seems to have happened.
const wakeEvery = 30 * time.Second

// wake has a turn, or want of them, pulled from all callers that have unfinished
// jobs. It finds those that the scheduler can't know of: whose node died between
// an outcome and the commit of it, or between the commit of a job and the offer.
func (a *scheduler) wake(want int) {
	sys, epoch, waking := a.sys, a.epoch, a.waking
	a.wakeAt = a.elapsed() + wakeEvery
	if !waking.Swap(true) {
		sys.background(func(ctx context.Context) {
			defer waking.Store(false)
			sys.wakeCallers(ctx, epoch, want)
		})
	}
}

// wakeCallers pulls from all callers that have unfinished jobs, which activates
// those that are not active.
func (s *System) wakeCallers(ctx context.Context, epoch uint64, want int) {
	after, woken := "", 0
	for {
		callers, err := s.queuedCallers(ctx, after)
		if err != nil {
			s.log.Error("the scheduler can't list callers, trying again", "err", err)
			if !pause(ctx, retryAfter) {
				return
			}
			continue
		}
		for i := range callers {
			s.tellCaller(callers[i].Name, pullEnvelope(epoch, want))
			after, woken = callers[i].Name, woken+1
		}
		if len(callers) < fairfactor.MaxPage {
			break
		}
	}
	if woken > 0 {
		s.log.Debug("callers with unfinished jobs found", "callers", woken)
	}
}

func (s *System) queuedCallers(ctx context.Context, after string) ([]fairfactor.Caller, error) {
	ctx, cancel := context.WithTimeout(ctx, storeLimit)
	defer cancel()
	return s.cfg.Store.Callers(ctx, after, fairfactor.MaxPage, true)
}

func pullEnvelope(epoch uint64, want int) *actorspb.Envelope {
	return &actorspb.Envelope{Body: &actorspb.Envelope_Pull{Pull: &actorspb.Pull{Epoch: epoch, Want: int32(want)}}}
}

func (a *scheduler) receive(ctx actor.Context, e *actorspb.Envelope) {
	if _, ok := e.Body.(*actorspb.Envelope_Report); ok {
		a.report(ctx)
		return
	}
	if a.machine == nil {
		if len(a.stash) < maxStash {
			a.stash = append(a.stash, e)
		}
		return
	}
	if newest := e.GetBeat().GetEpoch(); newest > a.epoch {
		a.sys.log.Warn("a newer scheduler exists, stopping", "epoch", a.epoch, "newest", newest)
		ctx.Stop(a.self)
		return
	}
	a.event(e)
	a.dirty()
}

func (a *scheduler) report(ctx actor.Context) {
	switch {
	case a.machine != nil:
		ctx.Respond(reportToPB(a.machine.Report()))
	case len(a.asking) < maxStash && ctx.Sender() != nil:
		a.asking = append(a.asking, ctx.Sender())
	default:
		ctx.Respond(problemEnvelope(fairfactor.Errorf(fairfactor.Unavailable, "the scheduler is starting: try again")))
	}
}

func (a *scheduler) event(e *actorspb.Envelope) {
	now := a.elapsed()
	switch m := e.Body.(type) {
	case *actorspb.Envelope_Offer:
		o := m.Offer
		a.machine.Offer(now, dispatch.Offer{
			Caller: o.Caller, Epoch: o.Epoch, Weight: int(o.Weight),
			Turns: dispatchTurns(o.Turns, true), More: o.More, Again: o.Again,
		})
	case *actorspb.Envelope_Ended:
		for _, end := range m.Ended.Ends {
			a.machine.End(now, end.Place, time.Duration(end.CpuNs))
		}
	case *actorspb.Envelope_Withdraw:
		halts := map[string][]uint64{}
		for _, h := range a.machine.Withdraw(now, m.Withdraw.Caller, m.Withdraw.Seq) {
			halts[h.Worker] = append(halts[h.Worker], h.Dispatched)
		}
		for member, places := range halts {
			a.sys.net.TellMember(member, workerName, &actorspb.Envelope{Body: &actorspb.Envelope_Halt{Halt: &actorspb.Halt{Places: places}}})
		}
	case *actorspb.Envelope_Beat:
		if m.Beat.Slots == 0 { // draining
			a.machine.WorkerLeft(now, m.Beat.Member)
			return
		}
		a.machine.Beat(now, m.Beat.Member, int(m.Beat.Slots), dispatchTurns(m.Beat.Open, false))
	default:
		a.sys.log.Warn("the scheduler got a message it does not know", slog.Any("message", e))
	}
}

// dirty has the machine looked at once all waiting messages are in.
func (a *scheduler) dirty() {
	if !a.flushing {
		a.flushing = true
		a.sys.net.System().Root.Send(a.self, flush{})
	}
}

// flush hands out all that can be handed out.
func (a *scheduler) flush() {
	a.flushing = false
	runs, pulls := a.machine.Dispatch(a.elapsed())
	for i := range runs {
		a.sys.net.TellMember(runs[i].Worker, workerName, runToPB(a.epoch, runs[i].Turns))
	}
	for _, p := range pulls {
		a.sys.tellCaller(p.Caller, pullEnvelope(a.epoch, p.Want))
	}
}
