package backlog

import (
	"cmp"
	"slices"
	"time"

	"fairfactor"
)

func microsOf(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// Overdue returns the jobs in memory whose deadline is not after now, in their order, and
// the earliest deadline of the others, zero if they have none. It looks at each job.
func (b *Backlog) Overdue(now time.Time) (overdue []fairfactor.Job, next time.Time) {
	look := func(deadline time.Time, job func() fairfactor.Job) {
		switch {
		case deadline.IsZero():
		case !deadline.After(now):
			overdue = append(overdue, job())
		case next.IsZero() || deadline.Before(next):
			next = deadline
		}
	}
	for _, o := range b.open {
		look(o.job.Deadline, func() fairfactor.Job { return o.job })
	}
	for _, e := range b.parking.jobs {
		look(fromMicros(e.deadline), func() fairfactor.Job { return b.job(e) })
	}
	for i := range b.window {
		e := &b.window[i]
		if b.open[e.seq] == nil && b.ending[e.seq] == nil {
			look(fromMicros(e.deadline), func() fairfactor.Job { return b.job(e) })
		}
	}
	slices.SortFunc(overdue, func(a, b fairfactor.Job) int { return cmp.Compare(a.Order, b.Order) })
	return overdue, next
}
