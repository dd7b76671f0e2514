package caller

import (
	"errors"
	"time"

	"fairfactor"
)

// Many cancels or retries many jobs of the caller, for an operation. It is answered
// with [Changed], or with an error if some of them may or may not have been changed.
type Many struct {
	IDs     []fairfactor.ID
	Orders  []uint64 // of each job when it was listed; none from an earlier version
	Retry   bool
	Waiting bool      // those that run are left alone
	Again   bool      // it may have been done already
	Since   time.Time // when the operation was accepted
}

// Changed says how many jobs were changed, and how many were not.
type Changed struct{ Done, Skipped uint64 }

// tally counts what becomes of the jobs of a [Many]. It is the asker for each of them.
type tally struct {
	asker Asker
	Changed
	left int   // that are on their way to the store, and one until all are
	err  error // of a job that may or may not have been changed
}

// isMany reports whether one asks for many jobs at once.
func isMany(asker Asker) bool {
	_, many := asker.(*tally)
	return many
}

func (c *Caller) manyRead(r *Read) {
	if c.stopped {
		r.Err = ErrMoved
	}
	if r.Err != nil {
		c.answer(r.asker, r.Err)
		return
	}
	t, now := &tally{asker: r.asker, left: 1}, c.host.Now()
	again := r.Many.Again || c.activated.After(r.Many.Since) // an activation that died may have done a part
	for i := range r.Jobs {
		t.left++
		switch job := &r.Jobs[i]; {
		case again && r.Many.was(i, job):
			c.count(t, Jobs{})
		case r.Many.Retry && job.Quarantined(): // that needs a person who knows why
			c.count(t, fairfactor.Errorf(fairfactor.Conflict, "job %s is quarantined: retry it by its id", job.ID))
		case r.Many.Retry:
			c.retryRead(&Read{Job: *job, Err: missing(job), asker: t})
		case !job.State.Final() && c.backlog.Ending(job.ID.Seq) && again:
			c.count(t, ErrMoved) // its end is on its way, and may be ours: it is asked for again
		case !job.State.Final() && c.backlog.Ending(job.ID.Seq):
			c.awaitEnd(job.ID.Seq, t)
		default:
			c.cancelStored(r.Many, job, t, now)
		}
	}
	c.counted(t)
}

// was reports whether the operation has changed its i-th job before, if it may have. A job
// that was put back since it was listed is not put back once more, though it may have failed
// again.
func (m *Many) was(i int, job *fairfactor.Job) bool {
	switch {
	case job.State == 0:
		return false
	case m.Retry:
		return i < len(m.Orders) && job.Order != m.Orders[i]
	}
	return job.State == fairfactor.Cancelled && !job.Finished.Before(m.Since.Truncate(time.Microsecond))
}

// missing is the error of a job that is gone.
func missing(job *fairfactor.Job) error {
	if job.State == 0 {
		return fairfactor.Errorf(fairfactor.NotFound, "the job is gone")
	}
	return nil
}

// cancelStored cancels a job that was read from the store.
func (c *Caller) cancelStored(m *Many, job *fairfactor.Job, t *tally, now time.Time) {
	if job.State != 0 && !job.State.Final() && !(m.Waiting && c.backlog.Runs(job.ID.Seq)) {
		if ended, withdraw, ok := c.backlog.CancelStored(*job, now); ok {
			if withdraw {
				c.host.Withdraw(job.ID.Seq)
			}
			c.end(ended, t)
			return
		}
	}
	c.count(t, hasEnded(job.ID))
}

// count takes in what became of one job.
func (c *Caller) count(t *tally, answer any) {
	err, failed := answer.(error)
	switch {
	case !failed:
		t.Done++
	case errors.Is(err, ErrMoved) || fairfactor.CodeOf(err) == fairfactor.Unavailable:
		t.err = err
	default:
		t.Skipped++
	}
	c.counted(t)
}

// counted answers who asked when the last job is counted.
func (c *Caller) counted(t *tally) {
	if t.left--; t.left > 0 {
		return
	}
	if t.err != nil {
		c.answer(t.asker, t.err)
		return
	}
	c.answer(t.asker, t.Changed)
}

// settlePause: the caller gets no turns from now on, or gets them again. What it shares
// with other callers is left to them meanwhile.
func (c *Caller) settlePause(paused bool) {
	if c.paused == paused {
		return
	}
	c.paused = paused
	if !paused {
		c.shareAgain()
		return
	}
	for _, seq := range c.backlog.WithdrawAll() {
		c.host.Withdraw(seq)
	}
	c.offers.want = 0
	for _, s := range c.shares {
		c.aside = append(c.aside, s)
		c.unwanted(s, false, len(s.jobs), 0)
	}
}

// shareAgain asks for the numbers that were left to others.
func (c *Caller) shareAgain() {
	for _, s := range c.aside {
		s.state, s.sent, s.heard = asking, time.Time{}, c.host.Now()
		if _, here := c.backlog.Look(s.runner); s.runner != 0 && here {
			s.state = running
		} else {
			s.runner = 0
		}
		if c.shares == nil {
			c.shares = map[string]*numberShare{}
		}
		c.shares[s.number] = s
		c.want(s)
	}
	c.aside = nil
}
