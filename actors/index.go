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
	ahead   ahead
}

// ahead is what the scheduler knows of callers that it has not come to in the first pass,
// which takes as long as there is work for: how many jobs they have in all, so that its
// report does not lack them. It counts them once, page after page.
type ahead struct {
	read    uint64 // number of the last caller that was read, in any pass
	jobs    uint64 // of those after it that were counted
	counted uint64 // number of the last caller that was counted
	over    bool   // all were read, or are known not to be many
}

// countedPage brings a page of the index whose jobs are only counted.
type countedPage struct {
	callers []fairfactor.Backlogged
	err     error
}

// count reads the next page ahead.
func (a *scheduler) count() {
	sys, self, after := a.sys, a.self, a.index.ahead.counted
	sys.background(func(ctx context.Context) {
		ctx, cancel := sys.run.Within(ctx, storeLimit)
		defer cancel()
		callers, err := sys.cfg.Store.Backlogged(ctx, after, fairfactor.MaxPage)
		sys.send(self, countedPage{callers, err})
	})
}

// counted takes in what was read ahead.
func (a *scheduler) counted(p countedPage) {
	x := &a.index.ahead
	if x.over || p.err != nil {
		return // the report lacks the rest until that is read
	}
	for i := range p.callers {
		if c := &p.callers[i]; c.Number > x.read && !c.Paused {
			x.jobs += c.Queued
		}
	}
	a.machine.Unread(x.jobs)
	if n := len(p.callers); n > 0 {
		x.counted = p.callers[n-1].Number
	}
	if len(p.callers) == fairfactor.MaxPage {
		a.count()
	}
}

// come takes in a page that was read, and whether it is the last one.
func (x *ahead) come(callers []fairfactor.Backlogged, last bool) {
	for i := range callers {
		if c := &callers[i]; c.Number > x.read && c.Number <= x.counted && !c.Paused {
			x.jobs -= min(c.Queued, x.jobs)
		}
	}
	if n := len(callers); n > 0 {
		x.read = max(x.read, callers[n-1].Number)
	}
	if last {
		x.jobs, x.over = 0, true
	}
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
	x.ahead.come(p.callers, len(p.callers) < p.limit)
	if a.machine.Unread(x.ahead.jobs); !x.begun && !x.ahead.over {
		x.ahead.counted = x.ahead.read
		a.count()
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
