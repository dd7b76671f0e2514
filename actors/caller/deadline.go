package caller

import (
	"time"

	"fairfactor"
)

// A job that has not ended at its deadline is cancelled. Of the jobs in memory the
// caller knows the first deadline and has itself woken then; no turn of a job is
// offered, and no outcome counts, after it. Those in the store only are found by the
// store's index, whose reader sends [Expire].

// expect notes the deadline of a job that came into memory, zero for none.
func (c *Caller) expect(deadline time.Time) { c.deadline = earlier(c.deadline, deadline) }

// expireDue cancels the jobs in memory whose deadline has passed.
func (c *Caller) expireDue() {
	if c.deadline.IsZero() || c.stopped {
		return
	}
	now := c.host.Now()
	if now.Before(c.deadline) {
		return
	}
	overdue, next := c.backlog.Overdue(now)
	c.deadline = next
	for i := range overdue {
		c.miss(&overdue[i], nil)
	}
}

// miss cancels a job in memory. It is false if the job is not there.
func (c *Caller) miss(job *fairfactor.Job, asker Asker) bool {
	ended, withdraw, ok := c.backlog.Cancel(job.ID.Seq, fairfactor.Missed(job.Deadline), c.host.Now())
	if !ok {
		return false
	}
	if withdraw {
		c.host.Withdraw(job.ID.Seq)
	}
	c.cfg.Counters.Missed.Add(1)
	c.end(ended, asker)
	return true
}

// expire ends a job that the store's index says is overdue.
func (c *Caller) expire(asker Asker, id fairfactor.ID) {
	if c.backlog.Ending(id.Seq) {
		c.answer(asker, Jobs{})
		return
	}
	c.readJob(id, toExpire, asker)
}

func (c *Caller) expireRead(r *Read) {
	job := &r.Job
	switch {
	case c.stopped:
		c.answer(r.asker, ErrMoved)
	case r.Err != nil:
		c.answer(r.asker, r.Err)
	case job.State.Final() || job.Deadline.IsZero() || job.Deadline.After(c.host.Now()) || c.backlog.Ending(job.ID.Seq):
		c.answer(r.asker, Jobs{})
	case c.miss(job, r.asker):
	default:
		c.expel(job, r.asker)
	}
}

// expel cancels an overdue job that is in the store only.
func (c *Caller) expel(job *fairfactor.Job, asker Asker) {
	if ended, ok := c.backlog.Expel(*job, fairfactor.Missed(job.Deadline), c.host.Now()); ok {
		c.cfg.Counters.Missed.Add(1)
		c.end(ended, asker)
		return
	}
	c.answer(asker, Jobs{})
}

// owedAgain is the callback of a job that is queued again.
func owedAgain(c *fairfactor.Callback) *fairfactor.Callback {
	if c == nil {
		return nil
	}
	return &fairfactor.Callback{URL: c.URL}
}
