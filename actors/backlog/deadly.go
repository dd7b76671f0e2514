package backlog

import (
	"fmt"
	"slices"
	"time"

	"fairfactor"
)

// deadly returns what is known of a job's number if that is deadly and the job is not to
// run therefore. A job that was tried again runs: a person wanted that.
func (b *Backlog) deadly(number string, seq, order uint64) *fairfactor.Deadly {
	if b.cfg.Deadly == nil || order != seq {
		return nil
	}
	return b.cfg.Deadly(number)
}

// Condemn makes of a job one that is quarantined because its number is deadly.
func Condemn(job *fairfactor.Job, d *fairfactor.Deadly) {
	where := "for another caller; an operator finds that job in the list of those that are quarantined"
	if d.Caller == job.Caller {
		where = fmt.Sprintf("in job %s", d.Job)
	}
	job.State, job.Deaths, job.Progress = fairfactor.Failed, &d.Deaths, nil
	job.Reason = fmt.Sprintf("quarantined: %d processes died while they worked on this number, %s; retry this job by its id when the cause is known",
		d.Deaths.Count(), where)
}

// condemned ends a job that was begun, or would have been.
func (b *Backlog) condemned(o *open, d *fairfactor.Deadly, now time.Time) (*fairfactor.Job, bool) {
	job, withdraw := b.end(o, fairfactor.Failed, "", now)
	Condemn(job, d)
	return job, withdraw
}

// condemn notes that a job that is open is not to get a turn.
func (b *Backlog) condemn(o *open, d *fairfactor.Deadly) {
	o.deadly = d
	b.doomed = append(b.doomed, o.job.ID.Seq)
}

// CondemnOpen has all open jobs for a number that is deadly end with [Backlog.Condemned]: their
// turns may be about to run.
func (b *Backlog) CondemnOpen(number string) {
	for seq, o := range b.open {
		if o.job.Number != number || o.deadly != nil {
			continue
		}
		if d := b.deadly(number, seq, o.job.Order); d != nil {
			b.condemn(o, d)
		}
	}
	slices.Sort(b.doomed)
}

// Condemned ends a job that [Backlog.Next] has not given turns because its number is deadly,
// or that [Backlog.CondemnOpen] has met; ended is nil if there is no such job. It is called after
// each of the two until then.
func (b *Backlog) Condemned(now time.Time) (ended *fairfactor.Job, withdraw bool) {
	for len(b.doomed) > 0 {
		o := b.open[b.doomed[0]]
		if b.doomed = b.doomed[1:]; o != nil && o.deadly != nil {
			return b.condemned(o, o.deadly, now)
		}
	}
	b.doomed = nil
	return nil, false
}

// CondemnParked ends a parked job whose number is deadly. It returns nil if the job is not
// parked, or was tried again.
func (b *Backlog) CondemnParked(seq uint64, d *fairfactor.Deadly, now time.Time) *fairfactor.Job {
	e := b.parking.jobs[seq]
	if e == nil || e.order != e.seq {
		return nil
	}
	delete(b.parking.jobs, seq)
	job, _ := b.condemned(b.opened(b.job(e)), d, now)
	return job
}
