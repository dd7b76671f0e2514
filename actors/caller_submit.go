package actors

import (
	"context"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"fairfactor"
	"fairfactor/actors/actorspb"
)

// submission is one Submit message on its way: it is answered when the last of
// its receipts is there.
type submission struct {
	sender   *actor.PID
	receipts []*actorspb.Receipt
	missing  int
}

// keyed is an idempotency key whose job is not durable yet, with those who sent
// it again meanwhile.
type keyed struct {
	number  string
	waiting []func(*actorspb.Receipt)
}

func (a *caller) submit(m *actorspb.Submit, sender *actor.PID) {
	s := &submission{sender: sender, receipts: make([]*actorspb.Receipt, len(m.Submissions)), missing: len(m.Submissions)}
	for i, sub := range m.Submissions {
		done := func(r *actorspb.Receipt) {
			s.receipts[i] = r
			if s.missing--; s.missing == 0 {
				a.respond(s.sender, &actorspb.Envelope{Body: &actorspb.Envelope_Receipts{Receipts: &actorspb.Receipts{Receipts: s.receipts}}})
			}
		}
		switch {
		case sub.Key != "":
			a.acceptKeyed(sub, done)
		case m.Again || a.repeats.find(sub.Nonce) != nil: // the first copy can come last
			a.acceptAgain(sub, done)
		case sender.GetAddress() != a.self.Address: // its answer may get lost
			a.acceptFar(sub, done)
		default:
			a.accept(sub, done)
		}
	}
	if len(m.Submissions) == 0 {
		a.respond(sender, &actorspb.Envelope{Body: &actorspb.Envelope_Receipts{Receipts: &actorspb.Receipts{}}})
	}
}

// refuse answers a submission that left no trace.
func (a *caller) refuse(err error, done func(*actorspb.Receipt)) {
	a.sys.Counters.Refused.Add(1)
	done(&actorspb.Receipt{Problem: problemOf(err)})
}

// accept gives a job its place in the queue and makes it durable.
func (a *caller) accept(sub *actorspb.Submission, done func(*actorspb.Receipt)) {
	if err := a.room(); err != nil {
		a.refuse(err, done)
		return
	}
	a.last++
	a.queued++
	job := &fairfactor.Job{
		ID:     fairfactor.ID{Nonce: sub.Nonce, Caller: a.claim.Number, Seq: a.last},
		Caller: a.name, Number: sub.Number, Key: sub.Key, Order: a.last,
		State: fairfactor.Pending, Submitted: a.sys.now().UTC().Truncate(time.Microsecond),
	}
	a.durable(fairfactor.Change{Op: fairfactor.Accept, Job: job}, func(err error) {
		if err != nil {
			a.queued--
			a.refuse(refusal(err), done)
			return
		}
		a.sys.Counters.Accepted.Add(1)
		a.backlog.Accept(job)
		done(&actorspb.Receipt{Job: jobToPB(job)})
	})
}

// refusal is what a submitter is told when the store did not take its job.
func refusal(err error) error {
	if isFenced(err) {
		return errMoved
	}
	return err
}

// room refuses a job when the caller's queue is full.
func (a *caller) room() error {
	if a.queued >= a.sys.cfg.MaxQueue {
		e := fairfactor.Errorf(fairfactor.Limit, "the queue of caller %s is full with %d unfinished jobs: wait until some are done", a.name, a.queued)
		e.Retry = time.Second
		return e
	}
	if len(a.batch)+a.inFlight >= maxUncommitted {
		return a.tooFast()
	}
	return nil
}

func (a *caller) tooFast() error {
	e := fairfactor.Errorf(fairfactor.Limit, "caller %s submits faster than jobs can be stored: slow down", a.name)
	e.Retry = time.Second
	return e
}

// acceptKeyed gives the job that was submitted with the same key before, or
// accepts a new one.
func (a *caller) acceptKeyed(sub *actorspb.Submission, done func(*actorspb.Receipt)) {
	if k := a.keys[sub.Key]; k != nil {
		if k.number != sub.Number {
			a.refuse(keyConflict(sub.Key, k.number), done)
			return
		}
		k.waiting = append(k.waiting, done)
		return
	}
	if len(a.keys) >= maxUncommitted {
		a.refuse(a.tooFast(), done)
		return
	}
	k := &keyed{number: sub.Number}
	a.keys[sub.Key] = k
	resolve := func(r *actorspb.Receipt) {
		delete(a.keys, sub.Key)
		done(r)
		for _, again := range k.waiting {
			again(&actorspb.Receipt{Job: r.Job, Replay: r.Job != nil, Problem: r.Problem})
		}
	}
	since := a.sys.now().Add(-fairfactor.KeyLife)
	a.outside(func(ctx context.Context) func() {
		job, found, err := findKey(ctx, a.sys.cfg.Store, a.claim.Number, sub.Key, since)
		return func() {
			switch {
			case err != nil:
				a.refuse(err, resolve)
			case !found:
				a.accept(sub, resolve)
			case job.Number != sub.Number:
				a.refuse(keyConflict(sub.Key, job.Number), resolve)
			default:
				resolve(&actorspb.Receipt{Job: jobToPB(&job), Replay: true})
			}
		}
	})
}

func findKey(ctx context.Context, store fairfactor.Store, number uint64, key string, since time.Time) (fairfactor.Job, bool, error) {
	id, found, err := store.Key(ctx, number, key, since)
	if err != nil || !found {
		return fairfactor.Job{}, false, err
	}
	job, err := store.Job(ctx, id)
	if fairfactor.CodeOf(err) == fairfactor.NotFound {
		return fairfactor.Job{}, false, nil
	}
	return job, err == nil, err
}

func keyConflict(key, number string) error {
	return fairfactor.Errorf(fairfactor.Invalid, "the idempotency key %q was used for the number %.40s before: use a new key for another number", key, number)
}
