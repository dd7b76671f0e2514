package actors

import (
	"context"
	"time"

	"fairfactor"
	"fairfactor/actors/dispatch"
)

// index is how far the scheduler is in the store's index of callers with unfinished
// jobs. The first time it goes through as fast as the workers use what is found.
// After that it looks at one page a second: for callers that the scheduler can't
// know of, because a node died between the commit of a job and its offer, or between an
// outcome and the commit of that.
type index struct {
	after   uint64 // number of the last caller that was read
	begun   bool   // the first page was read
	through bool   // the end was reached once since again
	reading bool
	pass    int           // counts the calls of again
	ticked  bool          // a second has passed since the last page
	next    time.Duration // before it no new pass is begun
	hurry   time.Duration // a pass that begins before it is not paced: members have changed
}

// passEvery is how often the index is gone through though nothing seems to have
// happened.
const passEvery = 30 * time.Second

// indexPage brings a page of the index.
type indexPage struct {
	callers []fairfactor.Backlogged
	limit   int
	pass    int
	err     error
}

// again has the index gone through quickly, and once more when all members have
// heard of each other.
func (x *index) again(now time.Duration) {
	x.through, x.after, x.next = false, 0, 0
	x.pass++ // a page on its way does not move this one on
	x.hurry = now + dispatch.Lost
}

// lookUp reads the next page of the index if it is time.
func (a *scheduler) lookUp() {
	x := &a.index
	if x.reading {
		return
	}
	now, limit := a.elapsed(), fairfactor.MaxPage
	switch hurry := now < x.hurry && x.begun; {
	case !x.through && !hurry:
		if limit = min(limit, a.machine.Wants()); limit == 0 {
			return
		}
	case x.through && (!x.ticked || now < x.next):
		return
	}
	x.reading, x.ticked = true, false
	sys, self, after, pass := a.sys, a.self, x.after, x.pass
	sys.background(func(ctx context.Context) {
		ctx, cancel := sys.run.Within(ctx, storeLimit)
		defer cancel()
		callers, err := sys.cfg.Store.Backlogged(ctx, after, limit)
		sys.send(self, indexPage{callers, limit, pass, err})
	})
}

// paged takes in a page of the index.
func (a *scheduler) paged(p indexPage) {
	x := &a.index
	x.reading = false
	if p.err != nil {
		a.sys.log.Error("the scheduler can't list callers, trying again", "err", p.err)
		return // with the next tick, or before
	}
	x.begun = true
	known := make([]dispatch.Known, 0, len(p.callers))
	for i := range p.callers {
		if c := &p.callers[i]; !c.Paused {
			known = append(known, dispatch.Known{Caller: c.Name, Group: c.Group, Weight: c.Weight, Jobs: c.Queued})
		}
	}
	a.machine.Backlogged(a.elapsed(), known)
	if p.pass != x.pass {
		a.dirty()
		return
	}
	if n := len(p.callers); n > 0 {
		x.after = p.callers[n-1].Number
	}
	if len(p.callers) < p.limit {
		x.after, x.through = 0, true
		if x.next = a.elapsed() + passEvery; a.elapsed() < x.hurry {
			x.next = x.hurry
		}
	}
	a.dirty()
}
