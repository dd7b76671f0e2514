package actors

import (
	"context"
	"time"

	"fairfactor"
	"fairfactor/actors/actorspb"
)

// A submission that went to another node may have been accepted there though its
// answer got lost, with the connection or with the node. Then it is sent again,
// marked as such, with the same nonces: the random part of the ids that its jobs
// get is chosen by who submits. The caller's actor looks for jobs with these
// nonces before it accepts any: among those that it has taken itself lately, and
// the first time in the store, among those that earlier activations took. None of
// them can take one any more, because their epochs are over.
//
// So a job isn't accepted twice, and nobody pays for that but those who repeat.

// Bounds of what a caller's actor remembers of submissions from other nodes. An
// answer that got lost is missed within the seconds that it takes to notice that
// a connection broke.
const (
	memory    = 20 * time.Second // at least
	maxMemory = 20_000           // nonces, of which it keeps twice that many
	// earlierJobs is how many of a caller's newest jobs are looked at in the store,
	// and earlierSpan how old the oldest of them was when this activation began,
	// by the clocks of two nodes.
	earlierJobs = 20 * fairfactor.MaxPage
	earlierSpan = 2 * time.Minute
)

// repeats remembers submissions from other nodes, in two generations.
type repeats struct {
	young, old map[uint64]*taken // by nonce
	turned     time.Time         // when young was begun
	earlier    map[uint64]*fairfactor.Job
	asking     []func(error) // wait for earlier to be read
}

// taken is a submission and what came of it.
type taken struct {
	receipt *actorspb.Receipt // nil while it is on its way to the disk
	waiting []func(*actorspb.Receipt)
}

func (r *repeats) find(nonce uint64) *taken {
	if t := r.young[nonce]; t != nil {
		return t
	}
	return r.old[nonce]
}

func (r *repeats) note(nonce uint64, t *taken, now time.Time) {
	r.turn(now)
	if r.young == nil {
		r.young = make(map[uint64]*taken)
	}
	r.young[nonce] = t
}

// turn forgets what is old.
func (r *repeats) turn(now time.Time) {
	if now.Sub(r.turned) >= memory || len(r.young) >= maxMemory {
		r.young, r.old, r.turned = nil, r.young, now
	}
}

func (r *repeats) forget(nonce uint64) {
	delete(r.young, nonce)
	delete(r.old, nonce)
}

// acceptFar accepts a submission from another node and remembers it.
func (a *caller) acceptFar(sub *actorspb.Submission, done func(*actorspb.Receipt)) {
	t := &taken{}
	a.repeats.note(sub.Nonce, t, a.sys.now())
	a.accept(sub, func(r *actorspb.Receipt) {
		if r.Job == nil {
			a.repeats.forget(sub.Nonce)
		}
		t.receipt = r
		done(r)
		for _, again := range t.waiting {
			again(r)
		}
		t.waiting = nil
	})
}

// acceptAgain gives the job that an earlier try was accepted as, or accepts it.
func (a *caller) acceptAgain(sub *actorspb.Submission, done func(*actorspb.Receipt)) {
	if t := a.repeats.find(sub.Nonce); t != nil {
		if t.receipt != nil {
			done(t.receipt)
		} else {
			t.waiting = append(t.waiting, done)
		}
		return
	}
	if a.repeats.earlier == nil {
		a.afterEarlier(func(err error) {
			if err != nil { // it may have been accepted, so this is no refusal
				a.log.Warn("earlier jobs of a caller can't be read, trying again", "err", err)
				a.refuse(errMoved, done)
				return
			}
			a.acceptAgain(sub, done)
		}, func() { a.refuse(errMoved, done) })
		return
	}
	if job := a.repeats.earlier[sub.Nonce]; job != nil && job.Number == sub.Number {
		done(&actorspb.Receipt{Job: jobToPB(job)})
		return
	}
	a.acceptFar(sub, done)
}

// afterEarlier calls then when the newest jobs of earlier activations have been
// read, full if too many wait for that.
func (a *caller) afterEarlier(then func(error), full func()) {
	if len(a.repeats.asking) >= maxUncommitted {
		full()
		return
	}
	a.repeats.asking = append(a.repeats.asking, then)
	if len(a.repeats.asking) > 1 {
		return
	}
	a.outside(func(ctx context.Context) func() {
		jobs, err := a.readEarlier(ctx)
		return func() {
			asking := a.repeats.asking
			a.repeats.asking = nil
			if err == nil {
				a.repeats.earlier = jobs
			}
			for _, then := range asking {
				then(err)
			}
		}
	})
}

// readEarlier reads the newest jobs from the store, by nonce. Those of this
// activation are among them, which does no harm.
func (a *caller) readEarlier(ctx context.Context) (map[uint64]*fairfactor.Job, error) {
	jobs := make(map[uint64]*fairfactor.Job)
	q := fairfactor.Query{Caller: a.name, Limit: fairfactor.MaxPage}
	since := a.claimedAt.Add(-earlierSpan)
	for seen := 0; seen < earlierJobs; seen += fairfactor.MaxPage {
		page, err := a.sys.cfg.Store.List(ctx, q)
		if err != nil {
			return nil, err
		}
		for i := range page.Jobs {
			job := &page.Jobs[i]
			if job.Submitted.Before(since) {
				return jobs, nil
			}
			jobs[job.ID.Nonce] = &fairfactor.Job{
				ID: job.ID, Caller: job.Caller, Number: job.Number, Order: job.Order, State: fairfactor.Pending, Submitted: job.Submitted,
			}
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			break
		}
	}
	return jobs, nil
}
