package caller

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"fairfactor"
)

// step is one change on its way to the store, and whom to tell when it is there.
// Its fields belong to the actor, but for those that [Steps] guards.
type step struct {
	op         fairfactor.Op
	job        *fairfactor.Job // not changed while the step exists
	checkpoint []byte
	pieces     []fairfactor.Piece
	weight     int
	group      string
	enrol      bool // Regroup: the group of the first submission
	paused     bool
	bounds     *fairfactor.Bounds

	admitted bool  // Accept: its turns are offered already
	known    bool  // Accept: it ended with what is known of its number, factors or deaths, and never was in the backlog
	death    bool  // Checkpoint: a process died with the job, which waits for it
	wait     bool  // Accept: who submitted waits for the end
	many     bool  // Finish and Requeue: for an operation on many jobs
	to       slot  // Accept: where the receipt goes
	asker    Asker // Finish, Requeue and settings: who asked for it

	ended    *fairfactor.Job // guarded by Steps.mu: Accept: the job has ended before a group took it
	taken    bool            // guarded by Steps.mu: a group has it
	released bool            // guarded by Steps.mu: it was held for long enough
	err      error           // what became of it

	own fairfactor.Job // Accept: the job
}

// spareSteps are steps that can be used again, by any caller.
var spareSteps = sync.Pool{New: func() any { return new(step) }}

// newStep returns an empty step.
func newStep() *step { return spareSteps.Get().(*step) }

// free has a step used again that is in no list any more.
func (p *step) free() {
	*p = step{}
	spareSteps.Put(p)
}

// maxUncommitted bounds the steps of one caller on their way to the store.
const maxUncommitted = 10_000

// Steps are the changes of one activation on their way to the store, in the order
// in which they take effect. It is the [commit.Source] of its caller.
type Steps struct {
	host   Host
	caller string
	number uint64
	epoch  uint64
	hold   time.Duration // that an acceptance may stay while its job runs
	learns bool          // what took long is made known

	mu      sync.Mutex
	waiting []*step     // guarded by mu: no group has them
	taken   []*step     // guarded by mu: a group has them
	done    []*step     // guarded by mu: their results are there
	busy    bool        // guarded by mu: the committer has us in its line or in a group
	held    bool        // guarded by mu: Release is to be called
	closed  bool        // guarded by mu: nothing more will be taken
	bulk    atomic.Bool // what waits first is for an operation on many jobs; set while busy is
}

// holdWaiting is how long an acceptance whose submitter waits for the end of the job
// may stay before a group takes it: a quick job is written once then.
const holdWaiting = 2 * time.Millisecond

// add puts steps at the end.
func (s *Steps) add(steps ...*step) {
	s.mu.Lock()
	s.waiting = append(s.waiting, steps...)
	s.mu.Unlock()
}

// ready has the committer come for what waits, unless it does already, or later
// when everything that waits is better written with the end of its job.
func (s *Steps) ready() {
	s.mu.Lock()
	idle := len(s.waiting) > 0 && !s.busy && !s.closed
	var hold time.Duration
	if idle {
		hold = s.wish()
	}
	arm := hold > 0 && !s.held
	s.held = s.held || arm
	call := idle && hold == 0
	s.busy = s.busy || call
	if call {
		s.sort()
	}
	s.mu.Unlock()
	switch {
	case call:
		s.host.Commit(s)
	case arm:
		s.host.Hold(s, hold)
	}
}

// wish is how long what waits should stay: zero unless all of it are acceptances of
// jobs that run. s.mu is held.
func (s *Steps) wish() time.Duration {
	hold := holdWaiting
	for _, p := range s.waiting {
		if !p.admitted || p.ended != nil || p.released {
			return 0
		}
		if !p.wait {
			hold = min(hold, s.hold)
		}
	}
	return hold
}

// Release ends a hold. It may be called from any goroutine.
func (s *Steps) Release() {
	s.mu.Lock()
	s.held = false
	for _, p := range s.waiting {
		p.released = true
	}
	s.mu.Unlock()
	s.ready()
}

// count is the number of steps whose results are not there.
func (s *Steps) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.waiting) + len(s.taken)
}

// end has an acceptance write the job's end too. It is false if a group has it
// already: then the end is a step of its own.
func (s *Steps) end(accept *step, ended *fairfactor.Job) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if accept.taken {
		return false
	}
	accept.ended = ended
	return true
}

// Take implements [commit.Source].
func (s *Steps) Take(group []fairfactor.Change, limit int) []fairfactor.Change {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := min(limit, len(s.waiting))
	for _, p := range s.waiting[:n] {
		p.taken = true
		group = append(group, s.change(p))
	}
	s.taken = append(s.taken, s.waiting[:n]...)
	rest := copy(s.waiting, s.waiting[n:])
	clear(s.waiting[rest:])
	s.waiting = s.waiting[:rest]
	return group
}

// change is a step as the store gets it.
func (s *Steps) change(p *step) fairfactor.Change {
	ch := fairfactor.Change{
		Op: p.op, Caller: s.caller, Number: s.number, Epoch: s.epoch, Job: p.job,
		Checkpoint: p.checkpoint, Pieces: p.pieces, Weight: p.weight, Group: p.group, Enrol: p.enrol, Paused: p.paused, Bounds: p.bounds,
	}
	if p.ended != nil {
		ch.Op, ch.Job = fairfactor.AcceptEnded, p.ended
	}
	ch.Learn = s.learns && worthKnowing(ch.Job)
	return ch
}

// Written implements [commit.Source].
func (s *Steps) Written(errs []error, err error) (more bool) {
	s.mu.Lock()
	for i, p := range s.taken {
		if p.err = err; err == nil && errs != nil {
			p.err = errs[i]
		}
	}
	first := len(s.done) == 0
	s.done = append(s.done, s.taken...)
	arrived := first && len(s.done) > 0
	clear(s.taken)
	s.taken = s.taken[:0]
	more = len(s.waiting) > 0 && !s.closed
	s.busy = more
	if more {
		s.sort()
	}
	s.mu.Unlock()
	if arrived {
		s.host.Arrived()
	}
	return more
}

// sort notes whether the next steps are in bulk. s.mu is held.
func (s *Steps) sort() {
	if many := s.waiting[0].many; many != s.bulk.Load() {
		s.bulk.Store(many)
	}
}

// Bulk implements [commit.Source].
func (s *Steps) Bulk() bool { return s.bulk.Load() }

// results returns the steps whose results are there; into is reused for those that
// come next.
func (s *Steps) results(into []*step) []*step {
	s.mu.Lock()
	defer s.mu.Unlock()
	done := s.done
	s.done = into[:0]
	return done
}

// close takes back what no group has and lets nothing more be taken.
func (s *Steps) close() (back []*step) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	back, s.waiting = s.waiting, nil
	return back
}

// drop takes back the steps of a job that no group has.
func (s *Steps) drop(seq uint64) (back []*step) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := s.waiting[:0]
	for _, p := range s.waiting {
		if p.job != nil && p.job.ID.Seq == seq {
			back = append(back, p)
		} else {
			kept = append(kept, p)
		}
	}
	clear(s.waiting[len(kept):])
	s.waiting = kept
	return back
}

// Pending prints the steps on their way to the store, a line each.
func (s *Steps) Pending() (lines []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, list := range []struct {
		name  string
		steps []*step
	}{{"done", s.done}, {"taken", s.taken}, {"waiting", s.waiting}} {
		for _, p := range list.steps {
			lines = append(lines, list.name+" "+p.String())
		}
	}
	return lines
}

var opNames = [...]string{
	fairfactor.Accept: "accept", fairfactor.Finish: "finish", fairfactor.Checkpoint: "checkpoint",
	fairfactor.Requeue: "requeue", fairfactor.Weigh: "weigh", fairfactor.Regroup: "regroup",
	fairfactor.Pause: "pause", fairfactor.Bound: "bound",
}

// String is the step for a person.
func (p *step) String() string {
	text := opNames[p.op]
	switch {
	case p.ended != nil:
		text += fmt.Sprintf(" %d, ended %s", p.job.ID.Seq, p.ended.State)
	case p.job != nil:
		text += fmt.Sprintf(" %d", p.job.ID.Seq)
	}
	return text
}
