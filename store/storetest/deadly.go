package storetest

import (
	"fmt"
	"slices"
	"time"

	"fairfactor"
)

// killed returns the end of a job that so many processes died with.
func (a *writer) killed(j fairfactor.Job, processes ...string) fairfactor.Change {
	j = a.ended(j, fairfactor.Failed)
	j.Deaths = &fairfactor.Deaths{Processes: processes, CPU: time.Second}
	return a.change(fairfactor.Finish, j)
}

// condemned returns a new job that is quarantined at once, because its number is deadly.
func (a *writer) condemned(number string, at time.Time, processes ...string) fairfactor.Change {
	j := a.next()
	j.Number, j.State, j.Finished, j.Reason = number, fairfactor.Failed, at, "the number is deadly"
	j.Deaths = &fairfactor.Deaths{Processes: processes, CPU: time.Second}
	return a.change(fairfactor.AcceptEnded, j)
}

func (w *world) deadly() []fairfactor.Deadly {
	w.Helper()
	all, err := w.store.Deadly(w.ctx())
	if err != nil {
		w.Fatalf("deadly: %v", err)
	}
	return all
}

// deadlyOf is the record of the number whose job ended with a change.
func deadlyOf(ch fairfactor.Change, used time.Time) fairfactor.Deadly {
	j := ch.Job
	return fairfactor.Deadly{Number: j.Number, Deaths: *j.Deaths, Job: j.ID, Caller: j.Caller, Since: j.Finished, Used: used}
}

// quarantineIsDeadly: with a job that is quarantined its number is deadly, also for others
// and after the store was opened again. Its record is that of the first job, however many
// are refused because of it, until processes die of it again.
func quarantineIsDeadly(w *world) {
	a, b := w.claim("a"), w.claim("b")
	first, plain := a.killed(a.accept(1)[0], "p1", "p2", "p3"), a.accept(1)[0]
	w.must(first, a.change(fairfactor.Finish, a.ended(plain, fairfactor.Failed)))
	number, at := first.Job.Number, first.Job.Finished
	want := deadlyOf(first, at)
	w.same("deadly", w.deadly(), []fairfactor.Deadly{want})
	w.same("known", w.known(number), []fairfactor.Known{{Number: number, Deadly: &want}})
	w.same("known of a number that failed", len(w.known(plain.Number)), 0)

	w.must(b.condemned(number, at.Add(30*time.Minute), "p1", "p2", "p3"))
	w.same("deadly after half an hour", w.deadly(), []fairfactor.Deadly{want})
	want.Used = at.Add(time.Hour)
	w.must(b.condemned(number, want.Used, "p1", "p2", "p3"), b.condemned(number, want.Used.Add(time.Second), "p1", "p2", "p3"))
	w.same("deadly after an hour", w.deadly(), []fairfactor.Deadly{want})
	if err := w.store.Learn(w.ctx(), []fairfactor.Known{{Number: number, CPU: time.Second, Used: at}}); err != nil {
		w.Fatal(err)
	}
	w.same("known and deadly", w.known(number), []fairfactor.Known{{Number: number, CPU: time.Second, Used: at, Deadly: &want}})
	page, err := w.store.ListKnown(w.ctx(), fairfactor.NumberKey{}, 10)
	if err != nil || len(page) != 1 || page[0].Deadly != nil {
		w.Errorf("list of what is known: %+v, %v", page, err)
	}
	if !w.suite.forgetful {
		w.reopen()
		w.same("deadly after a restart", w.deadly(), []fairfactor.Deadly{want})
		a, b = w.claim("a"), w.claim("b")
	}
	early := b.condemned(number, want.Since.Add(-time.Second), "p1", "p2", "p3")
	w.must(early) // the first one was written later than one that knew of it
	want.Job, want.Caller, want.Since = early.Job.ID, "b", early.Job.Finished
	w.same("deadly by the earliest", w.deadly(), []fairfactor.Deadly{want})
	again := a.requeued(*first.Job)
	again.Deaths = nil
	w.must(a.change(fairfactor.Requeue, again))
	w.same("deadly while it is tried again", w.deadly(), []fairfactor.Deadly{want})
	second := a.killed(again, "p4", "p5", "p6")
	w.must(second)
	w.same("deadly again", w.deadly(), []fairfactor.Deadly{deadlyOf(second, second.Job.Finished)})
}

// completionPardons: the completion of a job that was tried again shows that its number is
// not deadly; that of a job which was accepted before, and has run all the time, does not.
func completionPardons(w *world) {
	a := w.claim("a")
	jobs := a.accept(3)
	for i := range jobs {
		jobs[i].Number = "1234567"
	}
	dead := a.killed(jobs[0], "p1", "p2", "p3")
	w.must(dead)
	a.finish(fairfactor.Completed, jobs[1])
	if len(w.deadly()) != 1 {
		w.Fatalf("deadly: %+v", w.deadly())
	}
	again := a.requeued(*dead.Job)
	again.Deaths = nil
	w.must(a.change(fairfactor.Requeue, again), a.change(fairfactor.Finish, a.ended(again, fairfactor.Completed)))
	if len(w.deadly()) != 0 || len(w.known("1234567")) != 0 {
		w.Errorf("deadly after it was factored: %+v, %+v", w.deadly(), w.known("1234567"))
	}
	if !w.suite.forgetful {
		w.reopen()
		w.same("deadly after a restart", len(w.deadly()), 0)
		a = w.claim("a")
	}
	w.must(a.killed(jobs[2], "p7"))
	w.same("deadly again", len(w.deadly()), 1)
}

// deadlyIsBounded: those that were used last stay, as many as may be and as long as is
// asked for.
func deadlyIsBounded(w *world) {
	a := w.claim("a")
	var changes []fairfactor.Change
	for i := range fairfactor.MaxDeadly + 5 {
		changes = append(changes, a.condemned(fmt.Sprint(7000+i), w.tick(), "p1"))
	}
	w.must(changes...)
	all := w.deadly()
	if len(all) != fairfactor.MaxDeadly || all[0].Number != fmt.Sprint(7000+fairfactor.MaxDeadly+4) {
		w.Fatalf("%d are deadly, the first is %s", len(all), all[0].Number)
	}
	trim := func(before time.Time, want int) {
		w.Helper()
		if err := w.store.TrimDeadly(w.ctx(), before); err != nil {
			w.Fatal(err)
		}
		w.same("left", len(w.deadly()), want)
	}
	trim(time.Time{}, fairfactor.MaxDeadly)
	if len(w.known("7004")) != 0 || len(w.known("7005")) != 1 {
		w.Error("the wrong ones were forgotten")
	}
	trim(all[9].Used, 10)
	if !w.suite.forgetful {
		w.reopen()
	}
	w.same("the last ones", w.deadly(), all[:10])
	trim(all[0].Used.Add(time.Microsecond), 0)
}

// compareDeadly asks which numbers are deadly.
func (p *pair) compareDeadly() {
	want, _ := p.twin.Deadly(p.ctx())
	if got := p.deadly(); len(got)+len(want) > 0 {
		p.same("deadly", got, want)
	}
	for i := range want {
		number := want[i].Number
		known, _ := p.twin.Known(p.ctx(), []string{number})
		p.same("known and deadly", p.known(number), known)
	}
}

// trimDeadly forgets numbers, the same ones in the store and in the model.
func (p *pair) trimDeadly() {
	before := p.now.Add(-time.Duration(p.rng.Int64N(int64(100 * time.Millisecond)))).Truncate(time.Microsecond)
	if err := p.store.TrimDeadly(p.ctx(), before); err != nil {
		p.Fatalf("deadly numbers can't be forgotten: %v", err)
	}
	if err := p.twin.TrimDeadly(p.ctx(), before); err != nil {
		p.Fatal(err)
	}
	p.compareDeadly()
	slices.Reverse(p.twin.deadly) // its order means nothing
}
