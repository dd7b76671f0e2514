package actors

import (
	"context"
	"sync"
	"time"

	"fairfactor"
	"fairfactor/actors/caller"
)

// Recorder notes what each compute thread runs, so that the next process can tell if this
// one dies, see package flight.
type Recorder interface {
	Begin(thread int, caller string, id fairfactor.ID, number string)
	End(thread int)
}

// Obituary is what a process was at when it died, as its successor found it.
type Obituary struct {
	Process string
	Turns   []LostTurn
	Told    func() // called when all callers concerned have counted the death
}

// LostTurn is a turn that a process ran when it died.
type LostTurn struct {
	Caller string
	ID     fairfactor.ID // of the job
	Number string        // empty if it has many digits
}

// obituaries are those that callers of this node have not counted yet.
type obituaries struct {
	mu    sync.Mutex
	lists map[string][]caller.Died // guarded by mu: by caller
	turns []LostTurn               // guarded by mu: that no scheduler of this process knows of
}

// add takes in what a process was at.
func (o *obituaries) add(all []Obituary) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range all {
		o.turns = append(o.turns, all[i].Turns...)
		for _, t := range all[i].Turns {
			if o.lists == nil {
				o.lists = map[string][]caller.Died{}
			}
			o.lists[t.Caller] = append(o.lists[t.Caller], caller.Died{ID: t.ID, Process: all[i].Process})
		}
	}
}

// of returns what a caller that is activated has to know from the beginning.
func (o *obituaries) of(name string) []caller.Died {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.lists[name]
}

// doubted returns the turns that a scheduler has to know of before it hands out any, the first
// one of this process.
func (o *obituaries) doubted() []LostTurn {
	o.mu.Lock()
	defer o.mu.Unlock()
	turns := o.turns
	o.turns = nil
	return turns
}

// done forgets a death that is counted.
func (o *obituaries) done(name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.lists, name)
}

// deathGrace is how long a job waits after a death if there are other members. A process that
// is started again at once is back by then, and has told what it was at.
const deathGrace = 2 * time.Second

// grace is how long a job waits after a death.
func (s *System) grace() time.Duration {
	if len(s.cfg.Members()) <= 1 {
		return 0
	}
	return deathGrace
}

// tellDeaths tells callers, wherever they live, of the deaths that this node found when it
// started, until each is counted.
func (s *System) tellDeaths(ctx context.Context) {
	for _, o := range s.cfg.Obituaries {
		for _, t := range o.Turns {
			for !s.tellDeath(ctx, t.Caller, caller.Died{ID: t.ID, Process: o.Process}) {
				if !s.run.Pause(ctx, retryAfter) {
					return
				}
			}
		}
		if o.Told != nil {
			o.Told()
		}
	}
	for _, o := range s.cfg.Obituaries {
		for _, t := range o.Turns {
			s.died.done(t.Caller)
		}
	}
}

// tellDeath tells a caller of a death, and reports whether it has counted it.
func (s *System) tellDeath(ctx context.Context, name string, m caller.Died) bool {
	ctx, cancel := s.run.Within(ctx, storeLimit)
	defer cancel()
	_, err := s.Service().askCaller(ctx, name, m)
	return err == nil
}
