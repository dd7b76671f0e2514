package backlog

import (
	"fmt"
	"slices"
	"time"

	"fairfactor"
	"fairfactor/factor"
)

// Died says that a process died while it had a turn of a job in its hands.
type Died struct {
	Seq, Nonce uint64 // of the job's id
	Process    string
}

// Mourning is what [Backlog.Died] has the caller do.
type Mourning struct {
	Change   *fairfactor.Change // to be made durable; then [Backlog.Mourned]
	Ended    *fairfactor.Job    // or it was the last one: the job is quarantined
	Pending  bool               // it is counted, or the job has ended, and that is not durable yet
	Withdraw bool               // the scheduler may hold turns of the job, which are offered again
}

// Died counts a death, once for each process. The job runs no turn until it is durable.
// It is false for a job that is not in memory.
func (b *Backlog) Died(d Died, now time.Time) (m Mourning, ok bool) {
	if o := b.open[d.Seq]; o != nil && o.job.ID.Nonce == d.Nonce {
		return b.diedOpen(o, d.Process, now), true
	}
	e := b.parking.jobs[d.Seq]
	if e == nil {
		e = b.aside(d.Seq, d.Nonce)
	}
	if end := b.ending[d.Seq]; end != nil && end.job.ID.Nonce == d.Nonce {
		return Mourning{Pending: true}, true // the death may be part of that end
	}
	if e == nil || e.nonce != d.Nonce {
		return m, false
	}
	return b.diedWaiting(e, d.Process, now), true
}

// Mourns reports whether a death of a job that runs was counted, is durable, and the job goes
// on.
func (b *Backlog) Mourns(d Died) bool {
	o := b.open[d.Seq]
	return o != nil && o.job.ID.Nonce == d.Nonce && o.mourning == 0 && o.job.Deaths.Has(d.Process)
}

// diedOpen counts a death of a job that was begun here. All of its turns are taken back.
func (b *Backlog) diedOpen(o *open, process string, now time.Time) (m Mourning) {
	if o.mourning > 0 && o.job.Deaths.Has(process) {
		return Mourning{Pending: true}
	}
	m.Withdraw = true
	b.takeBack(o)
	if o.job.Deaths.Has(process) {
		o.job.Deaths = o.job.Deaths.Again(process) // who tells it again waits to hear of this one
		return m
	}
	o.job.Deaths = o.job.Deaths.With(process, o.job.CPU)
	o.job.Attempts = max(o.job.Attempts, o.job.Deaths.Count()) // two may be told at once
	if d := b.deadly(o.job.Number, o.job.ID.Seq, o.job.Order); d != nil {
		m.Ended, _ = b.condemned(o, d, now)
		return m
	}
	if b.fatal(o.job.Deaths) {
		m.Ended, _ = b.quarantine(o, now)
		return m
	}
	o.mourning++
	change := b.save(o)
	m.Change = &change
	return m
}

// takeBack has all turns of a job that were offered offered once more.
func (b *Backlog) takeBack(o *open) {
	b.outstanding -= len(o.offered)
	for _, t := range o.offered {
		if o.machine != nil {
			o.machine.Return(t.Turn)
		} else {
			o.again = append(o.again, t)
			b.addLong(o)
		}
	}
	o.offered = o.offered[:0]
}

// aside takes a job out of the window. It is parked from then on. Another job may have the
// number of one that a paused activation took and never stored: it stays.
func (b *Backlog) aside(seq, nonce uint64) *entry {
	i := slices.IndexFunc(b.window, func(e entry) bool { return e.seq == seq && e.nonce == nonce })
	if i < 0 || b.ending[seq] != nil {
		return nil
	}
	e := b.window[i]
	b.window = slices.Delete(b.window, i, i+1)
	e.again = true
	return b.setAside(e)
}

// diedWaiting counts a death of a job that an earlier activation had begun.
func (b *Backlog) diedWaiting(e *entry, process string, now time.Time) (m Mourning) {
	job := b.job(e)
	if job.Deaths.Has(process) {
		if e.deaths = job.Deaths.Again(process); e.saved != nil {
			e.saved.job.Deaths = e.deaths
		}
		b.resume(e)
		return Mourning{Pending: e.mourning > 0}
	}
	job.Deaths = job.Deaths.With(process, job.CPU)
	job.Attempts++
	if d := b.deadly(job.Number, e.seq, e.order); d != nil {
		delete(b.parking.jobs, e.seq)
		m.Ended, _ = b.condemned(b.opened(job), d, now)
		return m
	}
	if b.fatal(job.Deaths) {
		delete(b.parking.jobs, e.seq)
		m.Ended, _ = b.quarantine(b.opened(job), now)
		return m
	}
	change := fairfactor.Change{Op: fairfactor.Checkpoint, Job: &job}
	if e.saved != nil {
		e.saved.job = job
		change.Checkpoint = e.saved.checkpoint
	}
	e.attempts, e.deaths = int32(job.Attempts), job.Deaths
	e.mourning++
	m.Change = &change
	return m
}

// Mourned says that a death which was counted is durable: once all are, the job goes on.
func (b *Backlog) Mourned(seq uint64) {
	if o := b.open[seq]; o != nil && o.mourning > 0 {
		if o.mourning--; o.mourning == 0 {
			o.job.Attempts++
		}
		return
	}
	if e := b.parking.jobs[seq]; e != nil && e.mourning > 0 {
		e.mourning--
		b.resume(e)
	}
}

// resume lets a job go on that was taken out of the window.
func (b *Backlog) resume(e *entry) {
	if !e.again || e.mourning > 0 {
		return
	}
	e.again = false
	if b.shares(e.number) {
		b.parking.fresh = append(b.parking.fresh, ParkedJob{e.seq, e.number})
	} else {
		b.parking.ready = append(b.parking.ready, e.seq)
	}
}

// fatal reports whether a job with these deaths is to be tried no more.
func (b *Backlog) fatal(d *fairfactor.Deaths) bool {
	return b.cfg.MaxDeaths > 0 && d.Count() >= b.cfg.MaxDeaths
}

// quarantine ends a job that may be what kills processes.
func (b *Backlog) quarantine(o *open, now time.Time) (*fairfactor.Job, bool) {
	deaths := o.job.Deaths
	job, withdraw := b.end(o, fairfactor.Failed, fmt.Sprintf(
		"quarantined: %d processes died while they worked on this job, the last one was node %s; retry it by its id when the cause is known",
		deaths.Count(), deaths.Last()), now)
	job.Deaths = deaths
	return job, withdraw
}

// Remember keeps a death of a job that is not in memory until a page brings the job, see
// [Backlog.Found].
func (b *Backlog) Remember(d Died) {
	if b.died == nil {
		b.died = map[uint64][]Died{}
	}
	if !slices.Contains(b.died[d.Seq], d) {
		b.died[d.Seq] = append(b.died[d.Seq], d)
	}
}

// Forget drops what was remembered of a job that has ended, or never was.
func (b *Backlog) Forget(d Died) {
	rest := slices.DeleteFunc(b.died[d.Seq], func(r Died) bool { return r.Nonce == d.Nonce })
	if len(rest) == 0 {
		delete(b.died, d.Seq)
		return
	}
	b.died[d.Seq] = rest
}

// Found returns deaths that were remembered and whose jobs are in memory now.
func (b *Backlog) Found() []Died {
	found := b.found
	b.found = nil
	return found
}

// find notes that a job has come into memory.
func (b *Backlog) find(seq uint64) {
	if deaths := b.died[seq]; deaths != nil {
		b.found = append(b.found, deaths...)
		delete(b.died, seq)
	}
}

// suspect reports whether a job may be what killed a process: only one turn of it runs at
// a time.
func (o *open) suspect() bool { return o.job.Deaths != nil && o.job.Deaths.Suspect(o.job.CPU) }

// firstTurn is the turn that a number begins with.
func (o *open) firstTurn() Turn {
	return Turn{ID: o.job.ID, Number: o.number(), Predict: factor.Predict(len(o.number())), Suspect: o.suspect(), Mourned: o.job.Deaths.Last()}
}
