package actors

import (
	"context"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"fairfactor"
	"fairfactor/actors/actorspb"
)

// look answers with unfinished jobs as they are now.
func (a *caller) look(m *actorspb.Look, sender *actor.PID) {
	if m.Seq == 0 {
		a.respond(sender, jobStateEnvelope(a.backlog.Running(fairfactor.MaxPage)...))
		return
	}
	if job, ok := a.backlog.Look(m.Seq); ok {
		a.respond(sender, jobStateEnvelope(job))
		return
	}
	a.respond(sender, jobStateEnvelope())
}

// await keeps the sender until the job ends. A job that is not in memory may
// have ended: the store knows.
func (a *caller) await(m *actorspb.Await, sender *actor.PID) {
	id := idFromPB(m.Id)
	if a.waits >= maxWaiters {
		a.respond(sender, problemEnvelope(fairfactor.Errorf(fairfactor.Limit, "too many requests wait for jobs of caller %s", a.name)))
		return
	}
	a.wait[id.Seq] = append(a.wait[id.Seq], waiter{sender, fromMicros(m.DeadlineUs)})
	a.waits++
	if _, ok := a.backlog.Look(id.Seq); ok {
		return
	}
	a.wakeIfEnded(id)
}

// wakeIfEnded answers those who wait for a job if the store has its end.
func (a *caller) wakeIfEnded(id fairfactor.ID) {
	a.read(id, func(job fairfactor.Job, err error) {
		if err == nil && job.State.Final() {
			a.wake(&job)
		}
	})
}

// read gets a job from the store.
func (a *caller) read(id fairfactor.ID, then func(fairfactor.Job, error)) {
	a.outside(func(ctx context.Context) func() {
		job, err := a.sys.cfg.Store.Job(ctx, id)
		return func() { then(job, err) }
	})
}

// wake answers those who wait for a job that has ended.
func (a *caller) wake(job *fairfactor.Job) {
	waiters := a.wait[job.ID.Seq]
	if len(waiters) == 0 {
		return
	}
	delete(a.wait, job.ID.Seq)
	a.waits -= len(waiters)
	answer := jobStateEnvelope(*job)
	for _, w := range waiters {
		a.respond(w.sender, answer)
	}
}

// dropWaiters forgets those whose time is over.
func (a *caller) dropWaiters(now time.Time) {
	for seq, waiters := range a.wait {
		kept := waiters[:0]
		for _, w := range waiters {
			if now.Before(w.deadline) {
				kept = append(kept, w)
			}
		}
		a.waits -= len(waiters) - len(kept)
		if len(kept) == 0 {
			delete(a.wait, seq)
		} else {
			a.wait[seq] = kept
		}
	}
}

// sendWaitersAway has those who wait look for the next activation.
func (a *caller) sendWaitersAway() {
	answer := problemEnvelope(errMoved)
	for _, waiters := range a.wait {
		for _, w := range waiters {
			a.respond(w.sender, answer)
		}
	}
	a.wait, a.waits = map[uint64][]waiter{}, 0
}

// cancel ends an unfinished job.
func (a *caller) cancel(id fairfactor.ID, sender *actor.PID) {
	if a.backlog.Ending(id.Seq) {
		a.respond(sender, problemEnvelope(ended(id)))
		return
	}
	if job, withdraw, ok := a.backlog.Cancel(id.Seq, a.sys.now()); ok {
		if withdraw {
			a.withdraw(id.Seq)
		}
		a.cancelled(job, sender)
		return
	}
	a.read(id, func(job fairfactor.Job, err error) {
		switch {
		case err != nil:
			a.respond(sender, problemEnvelope(err))
		case job.State.Final():
			a.respond(sender, problemEnvelope(ended(id)))
		default:
			if job, ok := a.backlog.Expel(job, a.sys.now()); ok {
				a.cancelled(job, sender)
			} else {
				a.cancel(id, sender)
			}
		}
	})
}

func (a *caller) cancelled(job *fairfactor.Job, sender *actor.PID) {
	a.finish(job, func(err error) {
		if err != nil {
			a.respond(sender, problemEnvelope(refusal(err)))
			return
		}
		a.respond(sender, jobStateEnvelope(*job))
	})
}

func ended(id fairfactor.ID) error {
	return fairfactor.Errorf(fairfactor.Conflict, "job %s has ended already", id)
}

// retry puts a failed job back at the end of the queue.
func (a *caller) retry(id fairfactor.ID, sender *actor.PID) {
	a.read(id, func(job fairfactor.Job, err error) {
		if err == nil && job.State != fairfactor.Failed {
			err = fairfactor.Errorf(fairfactor.Conflict, "job %s is %s: only a failed job can be retried", id, job.State)
		}
		if err == nil {
			err = a.room()
		}
		if err != nil {
			a.respond(sender, problemEnvelope(err))
			return
		}
		a.last++
		a.queued++
		again := &fairfactor.Job{
			ID: job.ID, Caller: job.Caller, Number: job.Number, Key: job.Key, Order: a.last, State: fairfactor.Pending,
			Submitted: job.Submitted, Attempts: job.Attempts,
		}
		a.durable(fairfactor.Change{Op: fairfactor.Requeue, Job: again}, func(err error) {
			if err != nil {
				a.queued--
				a.respond(sender, problemEnvelope(refusal(err)))
				return
			}
			a.backlog.Accept(again)
			a.respond(sender, jobStateEnvelope(*again))
		})
	})
}

// weigh changes the caller's share.
func (a *caller) weigh(weight int, sender *actor.PID) {
	a.durable(fairfactor.Change{Op: fairfactor.Weigh, Weight: weight}, func(err error) {
		if err != nil {
			a.respond(sender, problemEnvelope(refusal(err)))
			return
		}
		a.weight = weight
		a.offers.stale = true
		a.account(sender)
	})
}

// account tells what the store can't know.
func (a *caller) account(sender *actor.PID) {
	cpu, turns := a.backlog.Unbooked()
	a.respond(sender, &actorspb.Envelope{Body: &actorspb.Envelope_AccountState{AccountState: &actorspb.AccountState{
		Name: a.name, Weight: int32(a.weight), Running: a.backlog.CountRunning(), CpuNs: int64(cpu), Turns: turns,
	}}})
}
