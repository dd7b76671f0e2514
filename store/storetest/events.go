package storetest

import (
	"fmt"
	"sync"
	"time"

	"fairfactor"
)

// end returns a position behind all that is durable when it is called. A store may say that
// the end lies earlier, as long as transactions of others are under way.
func (w *world) end() fairfactor.Position {
	w.Helper()
	page, err := w.store.Events(w.ctx(), fairfactor.Position{}, 100, nil)
	if err != nil {
		w.Fatalf("events from now on: %v", err)
	}
	if len(page.Events) != 0 || page.Gap || page.Next.Group == 0 {
		w.Fatalf("events from now on: %+v", page)
	}
	_, next := w.events(page.Next, 100, nil)
	return next
}

// eventsWait bounds the time until what is durable can be read: others may be under
// way.
const eventsWait = 2 * time.Minute

// events reads, page by page, everything that is durable when it is called.
func (w *world) events(after fairfactor.Position, limit int, wanted func(caller, seq uint64) bool) (all []fairfactor.Event, next fairfactor.Position) {
	w.Helper()
	var head fairfactor.Position
	for begun := time.Now(); time.Since(begun) < eventsWait; {
		page, err := w.store.Events(w.ctx(), after, limit, wanted)
		if err != nil {
			w.Fatalf("events after %v: %v", after, err)
		}
		if len(page.Events) > limit || page.Next.Compare(after) < 0 {
			w.Fatalf("%d events after %v, next %v, at limit %d", len(page.Events), after, page.Next, limit)
		}
		last := after
		for _, e := range page.Events {
			if e.After.Compare(last) <= 0 || e.After.Compare(page.Next) > 0 {
				w.Fatalf("an event at %v follows %v in the page up to %v", e.After, last, page.Next)
			}
			last = e.After
		}
		all, after = append(all, page.Events...), page.Next
		if head.Group == 0 {
			head = page.Head
		}
		if after.Compare(head) >= 0 {
			return all, after
		}
	}
	w.Fatalf("events up to %v can't be read, only up to %v", head, after)
	return nil, after
}

// told says in short what events are.
func told(events []fairfactor.Event) (all []modelEvent) {
	for _, e := range events {
		all = append(all, modelEvent{e.Job.ID, e.State})
	}
	return all
}

// eventsInOrder: each acceptance, end and return to the queue is an event, in order and
// with the job as it is now; checkpoints and weights are none. From the position of
// each event what follows it can be read again.
func eventsInOrder(w *world) {
	a, b := w.claim("a"), w.claim("b")
	early := a.accept(1)
	begin := w.end()
	jobs := a.accept(3)
	other := b.accept(1)[0]
	saved := a.change(fairfactor.Checkpoint, jobs[2])
	saved.Checkpoint = []byte("half way")
	weigh := a.change(fairfactor.Weigh, jobs[0])
	weigh.Weight = 9
	w.must(saved, weigh)
	a.finish(fairfactor.Completed, jobs[0])
	failed := a.finish(fairfactor.Failed, jobs[1])[0]
	again := a.requeued(failed)
	w.must(a.change(fairfactor.Requeue, again))
	atOnce := b.ended(b.next(), fairfactor.Completed)
	w.must(b.change(fairfactor.AcceptEnded, atOnce), b.change(fairfactor.Finish, b.ended(other, fairfactor.Cancelled)))
	a.finish(fairfactor.Cancelled, early[0], again)
	w.refused(fairfactor.Conflict, a.change(fairfactor.Finish, a.ended(jobs[0], fairfactor.Failed)))
	const pending, completed, cancelled = fairfactor.Pending, fairfactor.Completed, fairfactor.Cancelled
	want := []modelEvent{
		{jobs[0].ID, pending},
		{jobs[1].ID, pending},
		{jobs[2].ID, pending},
		{other.ID, pending},
		{jobs[0].ID, completed},
		{jobs[1].ID, fairfactor.Failed},
		{jobs[1].ID, pending},
		{atOnce.ID, pending},
		{atOnce.ID, completed},
		{other.ID, cancelled},
		{early[0].ID, cancelled},
		{jobs[1].ID, cancelled},
	}
	for _, limit := range []int{1, 2, 3, 100} {
		all, _ := w.events(begin, limit, nil)
		w.same(fmt.Sprintf("events at limit %d", limit), told(all), want)
		for i, e := range all {
			w.same("job of an event", e.Job, w.job(e.Job.ID))
			rest, _ := w.events(e.After, limit, nil)
			w.same(fmt.Sprintf("events after number %d", i), told(rest), append([]modelEvent(nil), want[i+1:]...))
		}
	}
	mine, _ := w.events(begin, 3, func(caller, _ uint64) bool { return caller == b.claim.Number })
	w.same("events of b", told(mine), []modelEvent{want[3], want[7], want[8], want[9]})
	one, _ := w.events(begin, 3, func(caller, seq uint64) bool { return caller == jobs[1].ID.Caller && seq == jobs[1].ID.Seq })
	w.same("events of a job", told(one), []modelEvent{want[1], want[5], want[6], want[11]})
	if w.expire(w.tick(), 100) == 0 {
		w.Error("nothing expired")
	}
	left, _ := w.events(begin, 100, nil)
	w.same("events of jobs that are still there", told(left), []modelEvent{want[2]})
}

// eventsSayWhatIsMissing: a position of another store, and one that lies ahead, is
// answered with a gap.
func eventsSayWhatIsMissing(w *world) {
	w.claim("a").accept(3)
	end := w.end()
	for _, strange := range []fairfactor.Position{
		{Line: end.Line, Group: end.Group + 1<<40}, {Line: end.Line, Group: 1<<64 - 1, Index: 1<<64 - 1}, {Line: end.Line + 1, Group: end.Group},
	} {
		page, err := w.store.Events(w.ctx(), strange, 10, nil)
		if err != nil || !page.Gap || page.Next.Line != end.Line || page.Next.Group > end.Group+1<<30 {
			w.Errorf("after %v, with the end at %v: %+v, %v", strange, end, page, err)
		}
	}
	if page, err := w.store.Events(w.ctx(), end, 10, nil); err != nil || page.Gap {
		w.Errorf("after the end: %+v, %v", page, err)
	}
}

// eventsWhileWriting: a reader that follows the writers misses nothing, sees nothing
// twice, and sees each job accepted before it ends. It is woken.
func eventsWhileWriting(w *world) {
	const callers, rounds, size = 4, 10, 5
	at := w.end()
	var writers sync.WaitGroup
	for i := range callers {
		writers.Go(func() { w.writeAlone(fmt.Sprintf("c%d", i), rounds, size) })
	}
	done := make(chan struct{})
	go func() { writers.Wait(); close(done) }()
	seen := map[fairfactor.ID]fairfactor.State{}
	follow := func(limit int) {
		events, next := w.events(at, limit, nil)
		at = next
		for _, e := range events {
			before, known := seen[e.Job.ID]
			if known == (e.State == fairfactor.Pending) || before.Final() {
				w.Errorf("job %s is %s after %s", e.Job.ID, e.State, before)
			}
			seen[e.Job.ID] = e.State
		}
	}
	for running := true; running; {
		changed := w.store.Changed()
		follow(7)
		select {
		case <-changed:
		case <-done:
			running = false
		}
	}
	follow(1000)
	ended := 0
	for _, state := range seen {
		if state.Final() {
			ended++
		}
	}
	if len(seen) != callers*rounds*size || ended != callers*rounds*(size-1) {
		w.Errorf("%d jobs were accepted and %d ended, want %d and %d", len(seen), ended, callers*rounds*size, callers*rounds*(size-1))
	}
}

// eventsOutliveTheProcess: a position is good after a new start.
func eventsOutliveTheProcess(w *world) {
	a := w.claim("a")
	begin := w.end()
	jobs := a.accept(3)
	first, _ := w.events(begin, 10, nil)
	w.reopen()
	a = w.claim("a")
	a.finish(fairfactor.Completed, jobs...)
	rest, _ := w.events(first[1].After, 10, nil)
	w.same("events after a new start", told(rest), []modelEvent{
		{jobs[2].ID, fairfactor.Pending}, {jobs[0].ID, fairfactor.Completed}, {jobs[1].ID, fairfactor.Completed}, {jobs[2].ID, fairfactor.Completed},
	})
}

// compareEvents compares what has happened since the beginning, and since any event.
func (p *pair) compareEvents() {
	var want []modelEvent
	for _, e := range p.twin.events {
		if p.twin.stored(e.id) != nil {
			want = append(want, e)
		}
	}
	limit := 1 + p.rng.IntN(50)
	all, _ := p.events(p.begin, limit, nil)
	p.same("events", told(all), want)
	for _, e := range all {
		if j := p.twin.stored(e.Job.ID); j != nil {
			p.same("job of an event", e.Job, j.Job)
		}
	}
	if len(all) > 1 && len(all) == len(want) {
		i := p.rng.IntN(len(all) - 1)
		rest, _ := p.events(all[i].After, limit, nil)
		p.same("events after one of them", told(rest), want[i+1:])
	}
}
