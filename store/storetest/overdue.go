package storetest

import (
	"cmp"
	"context"
	"slices"
	"time"

	"fairfactor"
)

func (m *model) Overdue(ctx context.Context, before time.Time, after fairfactor.Overdue, limit int) ([]fairfactor.Overdue, error) {
	if err := ended(ctx); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	later := func(a, b fairfactor.Overdue) int {
		return cmp.Or(a.Deadline.Compare(b.Deadline), cmp.Compare(a.ID.Caller, b.ID.Caller), cmp.Compare(a.ID.Seq, b.ID.Seq))
	}
	var list []fairfactor.Overdue
	for _, j := range m.jobs {
		o := fairfactor.Overdue{ID: j.ID, Caller: j.Caller, Deadline: j.Deadline}
		if !j.expired && !j.State.Final() && !j.Deadline.IsZero() && j.Deadline.Before(asStored(before)) && later(o, after) > 0 {
			list = append(list, o)
		}
	}
	slices.SortFunc(list, later)
	return list[:min(len(list), max(limit, 0))], nil
}

// overdue returns all jobs that are overdue at a time, read in pages.
func (w *world) overdue(at time.Time, limit int) (all []fairfactor.Overdue) {
	w.Helper()
	for after := (fairfactor.Overdue{}); ; after = all[len(all)-1] {
		page, err := w.store.Overdue(w.ctx(), at, after, limit)
		if err != nil || len(page) > limit {
			w.Fatalf("%d overdue jobs, at most %d: %v", len(page), limit, err)
		}
		all = append(all, page...)
		if len(page) < limit {
			return all
		}
	}
}

// overdueByTime: unfinished jobs are found by their deadline, whatever became of
// others, and each is listed once.
func overdueByTime(w *world) {
	a, b := w.claim("a"), w.claim("b")
	begin := w.now
	at := func(n int) time.Time { return begin.Add(time.Duration(n) * time.Hour) }
	var want []fairfactor.Overdue
	for i := range 24 {
		by := a
		if i%3 == 1 {
			by = b
		}
		j := by.next()
		j.Deadline = at(20 - i/2) // two jobs have the same one, later jobs an earlier one
		if i%6 == 5 {
			j.Deadline = time.Time{}
		}
		if i%4 == 1 {
			ended := by.ended(j, fairfactor.Cancelled)
			w.must(by.change(fairfactor.AcceptEnded, ended))
			w.same("ended at once", w.job(j.ID), ended)
			continue
		}
		w.must(by.change(fairfactor.Accept, j))
		w.same("accepted", w.job(j.ID), j)
		if i%4 == 2 {
			ended := by.finish(fairfactor.Completed, j)[0]
			w.same("ended", w.job(j.ID), ended)
			continue
		}
		if i%4 == 3 && i%8 == 7 { // failed, and queued again
			j = by.requeued(by.finish(fairfactor.Failed, j)[0])
			if i%16 == 15 {
				j.Deadline = time.Time{}
			}
			w.must(by.change(fairfactor.Requeue, j))
		}
		if i == 3 {
			j.Turns, j.CPU = 1, time.Second
			checkpoint := by.change(fairfactor.Checkpoint, j)
			checkpoint.Checkpoint = []byte("half")
			w.must(checkpoint)
		}
		if !j.Deadline.IsZero() {
			want = append(want, fairfactor.Overdue{ID: j.ID, Caller: by.name, Deadline: j.Deadline})
		}
	}
	slices.SortFunc(want, func(x, y fairfactor.Overdue) int {
		return cmp.Or(x.Deadline.Compare(y.Deadline), cmp.Compare(x.ID.Caller, y.ID.Caller), cmp.Compare(x.ID.Seq, y.ID.Seq))
	})
	for again := 0; again < 2; again++ {
		for _, limit := range []int{1, 3, 100} {
			w.same("all", w.overdue(at(1000), limit), want)
		}
		for n := range 22 {
			var due []fairfactor.Overdue
			for _, o := range want {
				if o.Deadline.Before(at(n)) {
					due = append(due, o)
				}
			}
			w.same("some", w.overdue(at(n), 5), due)
		}
		if !w.suite.forgetful {
			w.reopen()
		}
	}
	waiting := w.backlog(a.claim.Number, 0, 100)
	for _, x := range waiting {
		w.same("in the backlog", x.Job, w.job(x.Job.ID))
	}
	for _, o := range want {
		j := w.job(o.ID)
		by := map[string]*writer{"a": a, "b": b}[o.Caller]
		by.finish(fairfactor.Cancelled, j)
	}
	if left := w.overdue(at(1000), 10); len(left) > 0 {
		w.Errorf("all have ended, overdue are %v", left)
	}
}

func (p *pair) compareOverdue() {
	for range 4 {
		before, after, limit := p.moment(), fairfactor.Overdue{Deadline: p.moment()}, p.rng.IntN(20)
		if p.oneIn(2) {
			after = fairfactor.Overdue{}
		}
		if p.oneIn(2) {
			before = p.now.Add(time.Hour)
		}
		got, err := p.store.Overdue(p.ctx(), before, after, limit)
		want, _ := p.twin.Overdue(p.ctx(), before, after, limit)
		if err != nil {
			p.Fatalf("overdue: %v", err)
		}
		if len(got)+len(want) > 0 {
			p.same("overdue", got, want)
		}
	}
}
