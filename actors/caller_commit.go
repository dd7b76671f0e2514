package actors

import (
	"slices"

	"fairfactor"
)

// commit is one change on its way to the disk and what follows from it. then
// runs in the actor.
type commit struct {
	change fairfactor.Change
	then   func(err error)
}

// durable adds a change to the next group.
func (a *caller) durable(change fairfactor.Change, then func(error)) {
	if a.stopped {
		then(errMoved)
		return
	}
	change.Caller, change.Number, change.Epoch = a.name, a.claim.Number, a.claim.Epoch
	a.batch = append(a.batch, commit{change, then})
}

// maxSubmission is how many changes are handed over at once. A submission is
// written whole in one group, and a store refuses groups that are too large.
const maxSubmission = 1000

// commit hands the gathered changes to the node's committer, in their order.
func (a *caller) commit() {
	batch := a.batch
	a.batch = nil
	for items := range slices.Chunk(batch, maxSubmission) {
		changes := make([]fairfactor.Change, len(items))
		for i := range items {
			changes[i] = items[i].change
		}
		a.inFlight += len(items)
		a.sys.cfg.Committer.Submit(changes, func(errs []error, err error) {
			a.bring(func() { a.committed(items, errs, err) })
		})
	}
}

func (a *caller) committed(items []commit, errs []error, err error) {
	a.inFlight -= len(items)
	for i, item := range items {
		own := err
		if own == nil && errs != nil {
			own = errs[i]
		}
		if isFenced(own) {
			a.fenced()
		}
		item.then(own)
	}
}

// finish makes the end of a job durable, however often it takes, and tells
// those who wait for it. after may be nil.
func (a *caller) finish(job *fairfactor.Job, after func(error)) {
	var then func(error)
	change := fairfactor.Change{Op: fairfactor.Finish, Job: job}
	then = func(err error) {
		switch fairfactor.CodeOf(err) {
		case "", fairfactor.Conflict, fairfactor.NotFound: // durable, or ended or gone without us
		default:
			if a.stopped {
				break
			}
			a.failure = err
			change.Caller, change.Number, change.Epoch = a.name, a.claim.Number, a.claim.Epoch
			a.failed = append(a.failed, commit{change, then})
			return
		}
		a.backlog.Committed(job.ID.Seq)
		switch {
		case err == nil:
			a.queued--
			a.count(job.State)
			a.wake(job)
		case !a.stopped:
			a.wakeIfEnded(job.ID)
		}
		if after != nil {
			after(err)
		}
	}
	a.durable(change, then)
}

func (a *caller) count(s fairfactor.State) {
	switch s {
	case fairfactor.Completed:
		a.sys.Counters.Completed.Add(1)
	case fairfactor.Failed:
		a.sys.Counters.Failed.Add(1)
	case fairfactor.Cancelled:
		a.sys.Counters.Cancelled.Add(1)
	}
}

// checkpoint saves the progress of long jobs.
func (a *caller) checkpoint() {
	for _, change := range a.backlog.Checkpoints() {
		a.durable(change, func(err error) {
			if err == nil {
				a.backlog.Booked(change.Job)
			} else if !isFenced(err) {
				a.backlog.Unsaved(change.Job.ID.Seq)
				a.log.Warn("a checkpoint can't be stored", "job", change.Job.ID.String(), "err", err)
			}
		})
	}
}
