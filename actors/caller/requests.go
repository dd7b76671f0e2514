package caller

import (
	"errors"
	"time"

	"fairfactor"
)

// Messages to a caller, besides [*Submit].
type (
	// Look asks for an unfinished job as it is now, by its sequence number. It is
	// answered with [Jobs].
	Look struct{ Seq uint64 }
	// Await is answered with [Jobs] when the job has ended, and not at all after the
	// deadline.
	Await struct {
		ID       fairfactor.ID
		Deadline time.Time
	}
	// Cancel ends an unfinished job. It is answered with [Jobs], or with an error.
	Cancel struct{ ID fairfactor.ID }
	// Expire ends an unfinished job if its deadline has passed. It is answered with
	// [Jobs], none if nothing came of it, or with an error.
	Expire struct{ ID fairfactor.ID }
	// Retry puts a failed job back at the end of the queue. It is answered with
	// [Jobs], or with an error.
	Retry struct{ ID fairfactor.ID }
	// Weigh and Regroup change a setting of the caller. They are answered with
	// [Account], or with an error.
	Weigh   struct{ Weight int }
	Regroup struct{ Group string }
	// Pause keeps the caller from getting turns, or lets it get them again. It is
	// answered with [Account], or with an error.
	Pause struct{ Paused bool }
	// AskAccount is answered with [Account].
	AskAccount struct{}
	// AskLeft asks what a job that ended has left of its work on a number: the
	// checkpoint, with Piece -1, or one of the pieces that go with it. It is answered with
	// [LeftWork].
	AskLeft struct {
		Number string
		Piece  int
	}
	// Pull is the scheduler's wish for up to Want turns more.
	Pull struct {
		Epoch uint64 // of the scheduler
		Want  int
		Claim uint64 // the latest epoch of this caller's activations that it has heard of
	}
	// Began says that a long turn runs.
	Began struct {
		Epoch, Seq, Nonce, Dispatched uint64
		Started                       time.Time
	}
)

func isFenced(err error) bool { return errors.Is(err, fairfactor.ErrFenced) }

func (c *Caller) look(asker Asker, m Look) {
	if job, ok := c.backlog.Look(m.Seq); ok {
		c.answer(asker, Jobs{[]fairfactor.Job{job}})
		return
	}
	c.answer(asker, Jobs{})
}

// await keeps the asker until the job ends. A job that is not in memory may have
// ended: the store knows.
func (c *Caller) await(asker Asker, m Await) {
	if c.waiting >= MaxWaiters {
		c.answer(asker, fairfactor.Errorf(fairfactor.Limit, "too many requests wait for jobs of caller %s", c.cfg.Name))
		return
	}
	if c.waiters == nil {
		c.waiters = map[uint64][]waiter{}
	}
	c.waiters[m.ID.Seq] = append(c.waiters[m.ID.Seq], waiter{asker, m.Deadline})
	c.waiting++
	if _, ok := c.backlog.Look(m.ID.Seq); !ok {
		c.wakeIfEnded(m.ID)
	}
}

// wakeIfEnded answers those who wait for a job if the store has its end.
func (c *Caller) wakeIfEnded(id fairfactor.ID) {
	if len(c.waiters[id.Seq]) > 0 {
		c.readJob(id, toWake, nil)
	}
}

func (c *Caller) readJob(id fairfactor.ID, what purpose, asker Asker) {
	c.read(Read{Kind: ReadJob, Job: fairfactor.Job{ID: id}, purpose: what, asker: asker})
}

func (c *Caller) jobRead(r *Read) {
	switch r.purpose {
	case toWake:
		if r.Err == nil && r.Job.State.Final() {
			c.wake(&r.Job)
		}
	case toCancel:
		c.cancelRead(r)
	case toRetry:
		c.retryRead(r)
	case toExpire:
		c.expireRead(r)
	case toMourn:
		c.mournRead(r)
	}
}

// wake answers those who wait for a job that has ended.
func (c *Caller) wake(job *fairfactor.Job) {
	waiters := c.waiters[job.ID.Seq]
	if len(waiters) == 0 {
		return
	}
	delete(c.waiters, job.ID.Seq)
	c.waiting -= len(waiters)
	answer := Jobs{[]fairfactor.Job{told(job)}}
	for _, w := range waiters {
		c.answer(w.asker, answer)
	}
}

// dropWaiters forgets those whose time is over.
func (c *Caller) dropWaiters(now time.Time) {
	for seq, waiters := range c.waiters {
		kept := waiters[:0]
		for _, w := range waiters {
			if now.Before(w.deadline) {
				kept = append(kept, w)
			}
		}
		c.waiting -= len(waiters) - len(kept)
		if len(kept) == 0 {
			delete(c.waiters, seq)
		} else {
			c.waiters[seq] = kept
		}
	}
}

// sendWaitersAway has those who wait look for the next activation.
func (c *Caller) sendWaitersAway() {
	for _, waiters := range c.waiters {
		for _, w := range waiters {
			c.answer(w.asker, ErrMoved)
		}
	}
	c.waiters, c.waiting = nil, 0
}

// cancel ends an unfinished job.
func (c *Caller) cancel(asker Asker, id fairfactor.ID) {
	if c.backlog.Ending(id.Seq) {
		c.awaitEnd(id.Seq, asker)
		return
	}
	if job, withdraw, ok := c.backlog.Cancel(id.Seq, "", c.host.Now()); ok {
		if withdraw {
			c.host.Withdraw(id.Seq)
		}
		c.end(job, asker)
		return
	}
	c.readJob(id, toCancel, asker)
}

func (c *Caller) cancelRead(r *Read) {
	id := r.Job.ID
	switch {
	case c.stopped:
		c.answer(r.asker, ErrMoved)
	case r.Err != nil:
		c.answer(r.asker, r.Err)
	case r.Job.State.Final():
		c.answer(r.asker, hasEnded(id))
	default:
		if job, ok := c.backlog.Expel(r.Job, "", c.host.Now()); ok {
			c.end(job, r.asker)
		} else {
			c.cancel(r.asker, id)
		}
	}
}

// awaitEnd has one who would cancel a job hear that it has ended when that is durable.
func (c *Caller) awaitEnd(seq uint64, asker Asker) {
	if c.overtaken == nil {
		c.overtaken = map[uint64][]Asker{}
	}
	c.overtaken[seq] = append(c.overtaken[seq], asker)
}

// overtake answers those whom the end of a job has overtaken.
func (c *Caller) overtake(seq uint64, err error) {
	for _, asker := range c.overtaken[seq] {
		c.answer(asker, err)
	}
	delete(c.overtaken, seq)
}

func hasEnded(id fairfactor.ID) error {
	return fairfactor.Errorf(fairfactor.Conflict, "job %s has ended already", id)
}

// retry puts a failed job back at the end of the queue.
func (c *Caller) retry(asker Asker, id fairfactor.ID) { c.readJob(id, toRetry, asker) }

func (c *Caller) retryRead(r *Read) {
	job, err := &r.Job, r.Err
	if err == nil && job.State != fairfactor.Failed {
		err = fairfactor.Errorf(fairfactor.Conflict, "job %s is %s: only a failed job can be retried", job.ID, job.State)
	}
	if err == nil {
		err = c.room()
	}
	if err == nil {
		err = c.withinDay()
	}
	if err != nil {
		c.answer(r.asker, err)
		return
	}
	c.last++
	c.queued++
	c.backlog.Defer()
	deadline := job.Deadline
	if !deadline.After(c.host.Now()) {
		deadline = time.Time{} // who tries a job again waits for it again
	}
	c.expect(deadline)
	again := &fairfactor.Job{
		ID: job.ID, Caller: job.Caller, Number: job.Number, Key: job.Key, Order: c.last, State: fairfactor.Pending,
		Submitted: job.Submitted, Attempts: job.Attempts, Factors: job.Factors, Curves: job.Curves, Deadline: deadline, Callback: owedAgain(job.Callback), Trace: job.Trace,
	}
	c.load.add(again)
	c.add(step{op: fairfactor.Requeue, asker: r.asker, many: isMany(r.asker), job: again})
}

// change has a setting of the caller made durable.
func (c *Caller) change(asker Asker, s step) {
	s.asker = asker
	c.add(s)
}

// account tells what the store can't know.
func (c *Caller) account(asker Asker) {
	cpu, turns := c.backlog.Unbooked()
	c.answer(asker, Account{Weight: c.weight, Group: c.group, Running: c.backlog.CountRunning(), CPU: cpu, Turns: turns})
}
