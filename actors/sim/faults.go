package sim

import (
	"time"

	"fairfactor/actors"
)

// inject has the faults of a run happen.
func (r *run) inject() {
	for _, f := range r.opts.Faults {
		if f.Kind == Back {
			r.w.after(f.At-f.For/10, nil, func() { r.standby = r.store.Copy() })
		}
		r.w.after(f.At, nil, func() { r.begin(f) })
	}
	r.w.after(faultsUntil, nil, r.heal)
}

// begin has a fault begin, and end after its time.
func (r *run) begin(f Fault) {
	at, other := r.c.places[f.Node], r.c.places[f.Other]
	r.w.say("fault: %v", f)
	var undo func()
	switch f.Kind {
	case Crash:
		if at.proc != nil {
			at.proc.die()
		}
		undo = func() { r.reboot(at) }
	case Pause:
		p := at.proc
		if p == nil {
			return
		}
		p.pause()
		undo = p.resume
	case Cut:
		r.c.cut[[2]*place{at, other}] = true
		if !f.OneWay {
			r.c.cut[[2]*place{other, at}] = true
		}
		undo = func() {
			delete(r.c.cut, [2]*place{at, other})
			delete(r.c.cut, [2]*place{other, at})
		}
	case Loose:
		at.loose = true
		undo = func() { at.loose = false }
	case Down:
		for _, p := range r.c.places {
			p.loose = true
		}
		undo = func() {
			for _, p := range r.c.places {
				p.loose = false
			}
		}
	case Slow:
		at.lag = r.w.between(0, 4*time.Second)
		undo = func() { at.lag = 0 }
	case Failing:
		r.failing = f.Fraction
		undo = func() { r.failing = 0 }
	case Rough:
		r.c.rough = true
		undo = func() { r.c.rough = false }
	case Clock:
		at.ahead += f.Jump
		return
	case Back:
		r.goBack()
		return
	case Leave:
		if p := at.proc; p != nil && p.started && !p.paused {
			r.w.start(0, p, p.leave)
		}
		leaving := at.proc
		undo = func() { r.follows(at, leaving) }
	case Busy:
		at.slow = 50
		undo = func() { at.slow = 1 }
	}
	r.w.after(f.For, nil, undo)
}

// goBack has the store lose what it acknowledged since the standby had its last
// copy. Processes find out when they reach it again, and stop their callers.
func (r *run) goBack() {
	if r.standby == nil {
		return
	}
	r.since, r.standby = r.store.GoBack(r.standby), nil
	r.went = true
	clear(r.ends)
	r.unfinished = 0
	for _, job := range r.stored() {
		if !job.State.Final() {
			r.unfinished++
		}
	}
	for _, at := range r.c.places {
		if p := at.proc; p != nil {
			r.w.after(r.w.between(0, time.Second), p, func() {
				for _, k := range p.activations() {
					if k.kind == actors.CallerKind {
						p.live[k].stop()
					}
				}
			})
		}
	}
}

// follows starts a process at a place where one leaves, at once or when that has gone: it may
// be slow, or paused.
func (r *run) follows(at *place, leaving *process) {
	if leaving != nil && at.proc == leaving && leaving.closing {
		leaving.then = func() { r.reboot(at) }
		return
	}
	r.reboot(at)
}

func (r *run) reboot(at *place) {
	if at.proc == nil && !r.over {
		r.c.boot(at)
	}
}

// heal ends all faults.
func (r *run) heal() {
	r.w.say("all faults have ended")
	r.c.rough, r.failing = false, 0
	clear(r.c.cut)
	for _, at := range r.c.places {
		at.loose, at.lag, at.slow = false, 0, 1
		if at.proc != nil {
			at.proc.resume()
		}
		r.reboot(at)
	}
}
