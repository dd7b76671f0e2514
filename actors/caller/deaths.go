package caller

import (
	"time"

	"fairfactor"
	"fairfactor/actors/backlog"
)

// A process died while it had turns of the caller's jobs in its hands: who knows says so.
// Each death is durable before a turn of the job runs again.

// Died says that a process died with a turn of a job in its hands. It is answered with
// [Jobs] when that is durable, or does not matter any more, or with an error.
type Died struct {
	ID      fairfactor.ID // without the caller's number
	Process string
}

func (c *Caller) died(asker Asker, m Died) {
	if c.stopped {
		c.answer(asker, ErrMoved)
		return
	}
	d := backlog.Died{Seq: m.ID.Seq, Nonce: m.ID.Nonce, Process: m.Process}
	if asker != nil && c.backlog.Mourns(d) {
		// The process's successor tells it once more. Only the scheduler's word says that turns
		// which were offered since then have to be offered again.
		c.answer(asker, Jobs{})
		return
	}
	mourning, ok := c.backlog.Died(d, c.host.Now())
	if !ok { // it is in the store only, or has ended
		c.read(Read{Kind: ReadJob, Job: fairfactor.Job{ID: fairfactor.ID{Nonce: d.Nonce, Caller: c.claim.Number, Seq: d.Seq}}, purpose: toMourn, asker: asker, died: d})
		return
	}
	if mourning.Withdraw {
		c.host.Withdraw(d.Seq)
	}
	switch {
	case mourning.Ended != nil:
		c.host.Log().Error("a job is quarantined: processes died with it", "job", mourning.Ended.ID.String(), "number", mourning.Ended.Number,
			"deaths", mourning.Ended.Deaths.Count(), "node", d.Process)
		c.judge(mourning.Ended)
		c.end(mourning.Ended, asker)
		c.backlog.CondemnOpen(mourning.Ended.Number)
		c.condemnBegun()
	case mourning.Change != nil:
		job := mourning.Change.Job
		c.host.Log().Warn("a process died with a job", "job", job.ID.String(), "deaths", job.Deaths.Count(), "node", d.Process)
		c.cfg.Counters.Deaths.Add(1)
		c.add(step{op: fairfactor.Checkpoint, job: job, checkpoint: mourning.Change.Checkpoint, pieces: mourning.Change.Pieces, death: true, asker: asker})
	case mourning.Pending:
		c.answer(asker, fairfactor.Errorf(fairfactor.Unavailable, "the death is on its way to the store: ask again"))
	default:
		c.answer(asker, Jobs{})
	}
}

// mournRead goes on with a death of a job that was not in memory: a page brings the job
// if it waits.
func (c *Caller) mournRead(r *Read) {
	switch {
	case c.stopped:
		c.answer(r.asker, ErrMoved)
	case fairfactor.CodeOf(r.Err) == fairfactor.NotFound:
		c.wary = true // it is sent again, perhaps
		c.backlog.Forget(r.died)
		c.answer(r.asker, Jobs{})
	case r.Err == nil && r.Job.State.Final():
		c.backlog.Forget(r.died)
		c.answer(r.asker, Jobs{})
	case r.Err != nil:
		c.answer(r.asker, r.Err)
	default:
		if _, here := c.backlog.Look(r.died.Seq); here {
			c.died(r.asker, Died{ID: r.Job.ID, Process: r.died.Process})
			return
		}
		c.backlog.Remember(r.died)
		c.answer(r.asker, fairfactor.Errorf(fairfactor.Unavailable, "job %s is not in memory yet: try again", r.Job.ID))
	}
}

// mourn counts the deaths of jobs that a page has brought.
func (c *Caller) mourn() {
	for _, d := range c.backlog.Found() {
		c.died(nil, Died{ID: fairfactor.ID{Nonce: d.Nonce, Seq: d.Seq}, Process: d.Process})
	}
}

// settleDeath lets a job go on when its death is durable. It reports false if the step
// goes on.
func (c *Caller) settleDeath(p *step) bool {
	switch fairfactor.CodeOf(p.err) {
	case "", fairfactor.Conflict, fairfactor.NotFound:
	default:
		if !c.stopped {
			c.failure = p.err
			c.again = append(c.again, p)
			c.retryLater()
			return false
		}
	}
	if !isFenced(p.err) {
		c.graces = append(c.graces, grace{p.job.ID.Seq, c.host.Now().Add(c.cfg.Grace())})
		c.release(c.host.Now())
	}
	if p.asker != nil {
		c.answerStep(p)
	}
	return true
}

// grace is a job that waits after a death: the process that died may have been the one
// that would have told of another death. It often comes back at once, and tells.
type grace struct {
	seq   uint64
	until time.Time
}

// release lets jobs go on whose time has come.
func (c *Caller) release(now time.Time) {
	for len(c.graces) > 0 && !now.Before(c.graces[0].until) {
		c.backlog.Mourned(c.graces[0].seq)
		c.graces = c.graces[1:]
	}
}
