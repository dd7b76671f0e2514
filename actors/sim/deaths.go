package sim

import (
	"slices"

	"fairfactor"
	"fairfactor/actors"
)

// maxDeaths is how many processes may die with a job before it is quarantined: few, so that
// it happens.
const maxDeaths = 2

// notes are what the threads of a process run. They outlive it, as a mapped file does.
type notes struct {
	p       *process
	running []*actors.LostTurn // by thread
}

var _ actors.Recorder = (*notes)(nil)

// Begin implements [actors.Recorder]. On one node every death of a job is counted, and
// durable, before the job runs again; one that a client has tried again begins without, and
// a copy of a turn may run when its job has ended, and holds no deaths any more.
func (n *notes) Begin(thread int, caller string, id fairfactor.ID, number string) {
	if n.p.dead {
		return
	}
	n.running[thread] = &actors.LostTurn{Caller: caller, ID: id, Number: number}
	r := n.p.run
	if !r.opts.Embedded || len(r.fatal[id]) == 0 {
		return
	}
	job, err := r.store.Job(ctxNone, id)
	if err != nil || job.Order != id.Seq || job.State.Final() {
		return
	}
	for _, process := range r.fatal[id] {
		if !job.Deaths.Has(process) {
			n.p.w.broke("job %d of %s runs again, and it is not durable that %s died with it: %+v", id.Seq, caller, process, job.Deaths)
		}
	}
}

// End implements [actors.Recorder]. A thread whose process has died comes here too, on its
// way out, and to what it would have run next: that notes nothing.
func (n *notes) End(thread int) {
	if !n.p.dead {
		n.running[thread] = nil
	}
}

// leaveNotes keeps what a process that dies was at for the next one at its place.
func (p *process) leaveNotes() {
	if p.notes == nil {
		return
	}
	o := actors.Obituary{Process: p.id}
	for _, t := range p.notes.running {
		if t != nil {
			o.Turns = append(o.Turns, *t)
			if _, err := p.run.store.Job(ctxNone, t.ID); err == nil { // or it never was
				p.run.fatal[t.ID] = append(p.run.fatal[t.ID], p.id)
			}
		}
	}
	if len(o.Turns) > 0 {
		p.place.lost = append(p.place.lost, o)
	}
}

// obituaries are what processes at this place were at when they died, until all are told.
func (at *place) obituaries() (all []actors.Obituary) {
	for _, o := range at.lost {
		process := o.Process
		o.Told = func() {
			at.lost = slices.DeleteFunc(at.lost, func(l actors.Obituary) bool { return l.Process == process })
		}
		all = append(all, o)
	}
	return all
}

// checkDeaths: what is quarantined had its deaths, each of a process that is dead; what
// ended otherwise has none.
func (r *run) checkDeaths(job *fairfactor.Job, dead func(process string) bool) {
	if job.Deaths.Count() == 0 {
		return
	}
	if !job.Quarantined() || job.Deaths.Count() < maxDeaths {
		r.w.broke("job %d of %s is %v with the deaths %v", job.ID.Seq, job.Caller, job.State, job.Deaths.Processes)
	}
	for i, process := range job.Deaths.Processes {
		if !dead(process) || slices.Contains(job.Deaths.Processes[:i], process) {
			r.w.broke("job %d of %s counts the death of %s, among %v", job.ID.Seq, job.Caller, process, job.Deaths.Processes)
		}
	}
}
