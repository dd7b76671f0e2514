package caller

import (
	"cmp"
	"slices"

	"fairfactor"
	"fairfactor/actors/backlog"
)

// Written takes in the results of steps that groups had. If one of them makes it panic, the
// rest keep theirs for the next call, or for Stop.
func (c *Caller) Written() {
	if c.settled == len(c.results) {
		c.results, c.settled = c.steps.results(c.results), 0
	} else {
		c.results = append(c.results, c.steps.results(nil)...)
	}
	for c.settled < len(c.results) {
		p := c.results[c.settled]
		c.results[c.settled] = nil
		c.settled++
		if p.err != nil && isFenced(p.err) {
			c.fenced()
		}
		c.settle(p)
	}
	c.backlog.Reuse()
}

// settle does what follows from the result of a step.
func (c *Caller) settle(p *step) {
	switch p.op {
	case fairfactor.Accept:
		c.settleAccept(p)
	case fairfactor.Finish:
		if !c.settleFinish(p) {
			return // it is on its way again
		}
	case fairfactor.Checkpoint:
		c.settleCheckpoint(p)
		if p.death && !c.settleDeath(p) {
			return // it is on its way again
		}
		c.saveRest(p.err)
	case fairfactor.Requeue:
		c.settleRequeue(p)
	default:
		c.settleSetting(p)
	}
	if !c.stopped {
		p.free()
	}
}

// settleAccept: the job is durable, or never was.
func (c *Caller) settleAccept(p *step) {
	if len(c.accepts) > 0 && c.accepts[0] == p {
		c.accepts[0] = nil
		c.accepts = c.accepts[1:]
	}
	c.cfg.Room.taken.Add(-1)
	if p.err != nil {
		c.dropped(p)
		return
	}
	c.cfg.Counters.Accepted.Add(1)
	if !p.known {
		c.backlog.Accept(p.job, p.admitted)
	}
	receipt := fairfactor.Receipt{Job: *p.job}
	if p.ended != nil {
		c.cfg.Counters.AtOnce.Add(1)
		c.backlog.Committed(p.job.ID.Seq)
		c.ended(p.ended, nil)
		if p.wait || p.known {
			receipt.Job = told(p.ended)
		}
		if p.asker != nil {
			c.answer(p.asker, Jobs{[]fairfactor.Job{told(p.ended)}})
		}
	}
	c.accepted(p, receipt)
}

// dropped forgets a job that the store did not take, with all that was done for it.
func (c *Caller) dropped(p *step) {
	c.unsaved(p)
	c.queued--
	c.load.remove(p.job)
	if !p.known && c.backlog.Drop(p.job, p.admitted) && !c.stopped {
		c.host.Withdraw(p.job.ID.Seq)
	}
	c.unshare(p.job, false, nil)
	for _, q := range c.steps.drop(p.job.ID.Seq) {
		c.answer(q.asker, refusal(p.err))
	}
	c.cfg.Counters.Refused.Add(1)
	c.accepted(p, fairfactor.Receipt{Err: refusal(p.err)})
}

// accepted answers all who submitted a job.
func (c *Caller) accepted(p *step, r fairfactor.Receipt) {
	c.fill(p.to, r)
	if p.job.Key != "" {
		c.resolve(p.job.Key, r)
	}
	c.repeats.resolve(c, p.job.ID.Nonce, r)
}

// refusal is what is said when the store did not take a step.
func refusal(err error) error {
	if isFenced(err) {
		return ErrMoved
	}
	return err
}

// end has the end of a job made durable, however often it takes. asker may be nil.
func (c *Caller) end(job *fairfactor.Job, asker Asker) {
	if p := c.accepting(job); p != nil && c.steps.end(p, job) {
		p.asker = asker
		return
	}
	c.add(step{op: fairfactor.Finish, job: job, asker: asker, many: isMany(asker)})
}

// accepting returns the acceptance of a job that has no result yet, or nil.
func (c *Caller) accepting(job *fairfactor.Job) *step {
	i, _ := slices.BinarySearchFunc(c.accepts, job.ID.Seq, func(p *step, seq uint64) int { return cmp.Compare(p.job.ID.Seq, seq) })
	if i < len(c.accepts) && c.accepts[i].job.ID == job.ID {
		return c.accepts[i]
	}
	return nil
}

// settleFinish: the end is durable, or the job has ended or gone without us. It
// reports false if the step goes on.
func (c *Caller) settleFinish(p *step) bool {
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
	left := c.backlog.Left(p.job.ID.Seq)
	if p.err != nil {
		c.unsaved(p)
	}
	c.backlog.Committed(p.job.ID.Seq)
	if p.err != nil {
		c.unshare(p.job, false, nil)
	}
	switch {
	case p.err == nil:
		c.ended(p.job, left)
	case isFenced(p.err) || c.stopped:
		c.overtake(p.job.ID.Seq, ErrMoved)
	default:
		c.overtake(p.job.ID.Seq, hasEnded(p.job.ID))
		c.wakeIfEnded(p.job.ID)
	}
	if p.asker != nil {
		c.answerStep(p)
	}
	return true
}

// unsaved counts the CPU of a job that the store did not take: its turns run again, if
// the job is somewhere else by now.
func (c *Caller) unsaved(p *step) {
	c.cfg.Counters.Unsaved.Add(int64(c.backlog.UnbookedOf(p.job.ID.Seq)))
}

// told is a job as others get it: they may have it for longer than the backlog has its
// factors, see [backlog.Backlog.Reuse].
func told(job *fairfactor.Job) fairfactor.Job {
	j := *job
	j.Factors = slices.Clone(j.Factors)
	return j
}

// answerStep answers who asked for a step that changes a job.
func (c *Caller) answerStep(p *step) {
	if p.err != nil {
		c.answer(p.asker, refusal(p.err))
		return
	}
	c.answer(p.asker, Jobs{[]fairfactor.Job{told(p.job)}})
}

// ended tells of a job whose end is durable, and of what it has left of its work, which
// may be nil.
func (c *Caller) ended(job *fairfactor.Job, left *backlog.Left) {
	c.queued--
	c.load.remove(job)
	c.cfg.Counters.Times.observe(job)
	c.cfg.Counters.costs.learn(job)
	switch job.State {
	case fairfactor.Completed:
		c.cfg.Counters.Completed.Add(1)
	case fairfactor.Failed:
		c.cfg.Counters.Failed.Add(1)
		if job.Quarantined() {
			c.cfg.Counters.Quarantined.Add(1)
		}
	case fairfactor.Cancelled:
		c.cfg.Counters.Cancelled.Add(1)
	}
	if job.Trace != nil && c.cfg.Ended != nil {
		c.cfg.Ended(job, c.host.Now())
	}
	c.judge(job)
	c.divisors.learn(job)
	c.unshare(job, job.State == fairfactor.Completed, left)
	c.wake(job)
	if len(c.overtaken) > 0 {
		c.overtake(job.ID.Seq, hasEnded(job.ID))
	}
}

// checkpoint saves the progress of long jobs.
func (c *Caller) checkpoint() {
	for _, ch := range c.backlog.Checkpoints() {
		c.add(step{op: fairfactor.Checkpoint, job: ch.Job, checkpoint: ch.Checkpoint, pieces: ch.Pieces})
	}
}

func (c *Caller) settleCheckpoint(p *step) {
	if p.err == nil {
		c.backlog.Booked(p.job)
		return
	}
	if c.parted {
		c.cfg.Counters.Unsaved.Add(int64(c.backlog.Behind(p.job)))
	}
	c.backlog.Unsaved(p.job.ID.Seq)
	if !c.stopped {
		c.host.Log().Warn("a checkpoint can't be stored", "job", p.job.ID.String(), "err", p.err)
	}
}

func (c *Caller) settleRequeue(p *step) {
	if p.err != nil {
		c.queued--
		c.load.remove(p.job)
		c.backlog.Drop(p.job, false)
	} else {
		c.backlog.Accept(p.job, false)
	}
	c.answerStep(p)
}

// settleSetting: the weight, the group or the bounds of the caller, or whether it is paused.
func (c *Caller) settleSetting(p *step) {
	if p.op == fairfactor.Bound {
		c.settleBounds(p)
	}
	if p.err != nil {
		c.answer(p.asker, refusal(p.err))
		return
	}
	switch p.op {
	case fairfactor.Weigh:
		c.weight = p.weight
	case fairfactor.Regroup:
		c.group = p.group
	case fairfactor.Pause:
		c.settlePause(p.paused)
	}
	c.offers.stale = true
	if p.asker != nil {
		c.account(p.asker)
	}
}
