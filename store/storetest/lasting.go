package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"fairfactor"
)

// expire deletes jobs that finished before a time and returns how many.
func (w *world) expire(before time.Time, limit int) int {
	w.Helper()
	n, err := w.store.Expire(w.ctx(), before, limit)
	if err != nil {
		w.Fatalf("expire: %v", err)
	}
	return n
}

// expireIsBounded: at most limit jobs, and fewer only if none is left.
func expireIsBounded(w *world) {
	a, b := w.claim("a"), w.claim("b")
	waiting := a.accept(3)
	early := w.tick()
	var done []fairfactor.Job
	for _, size := range []int{1, 300, 2, 5, 300} {
		done = append(done, b.finish(fairfactor.Cancelled, b.accept(10)...)...)
		done = append(done, a.finish(fairfactor.Completed, a.accept(size)...)...)
	}
	late := w.tick()
	stay := b.finish(fairfactor.Failed, b.accept(2)...)
	for _, none := range []struct {
		before time.Time
		limit  int
	}{{early, 1000}, {done[0].Finished, 1000}, {late, 0}, {late, -1}} {
		if n := w.expire(none.before, none.limit); n != 0 {
			w.Errorf("%d expired before %v at limit %d", n, none.before, none.limit)
		}
	}
	left := len(done)
	for _, limit := range []int{1, 256, 1, 1000, 1000} {
		want := min(limit, left)
		if n := w.expire(late, limit); n != want {
			w.Fatalf("%d expired at limit %d with %d due", n, limit, left)
		}
		left -= want
		if got := len(w.list(fairfactor.Query{Limit: 100})); got != left+len(waiting)+len(stay) {
			w.Errorf("%d jobs are listed, want %d", got, left+len(waiting)+len(stay))
		}
	}
	for _, j := range done {
		if got, err := w.store.Job(w.ctx(), j.ID); fairfactor.CodeOf(err) != fairfactor.NotFound {
			w.Fatalf("an expired job: %+v, %v", got, err)
		}
	}
	w.same("jobs of a", w.list(fairfactor.Query{Caller: "a", Limit: 2}), newest(waiting))
	w.same("jobs of b", w.list(fairfactor.Query{Caller: "b", Limit: 2}), newest(stay))
	w.refused(fairfactor.NotFound, b.change(fairfactor.Finish, done[0]))
	revived := done[0]
	revived.State = fairfactor.Pending
	w.refused(fairfactor.Conflict, b.change(fairfactor.Accept, revived))
	if last := w.claim("a").claim.Last; last != a.last {
		w.Errorf("last is %d after expiry, want %d: numbers are not used again", last, a.last)
	}
}

func expireAfterRequeue(w *world) {
	a := w.claim("a")
	jobs := a.accept(2)
	failed := a.finish(fairfactor.Failed, jobs...)
	again := a.requeued(failed[0])
	w.must(a.change(fairfactor.Requeue, again))
	if n := w.expire(w.tick(), 10); n != 1 {
		w.Errorf("%d expired, want the one that was not queued again", n)
	}
	w.same("job", w.job(again.ID), again)
	failed = a.finish(fairfactor.Failed, again)
	again = a.requeued(failed[0])
	w.must(a.change(fairfactor.Requeue, again))
	done := a.finish(fairfactor.Completed, again)[0]
	if n := w.expire(done.Finished, 10); n != 0 {
		w.Errorf("%d expired by the time of an attempt before the last", n)
	}
	w.same("job", w.job(done.ID), done)
	if n := w.expire(done.Finished.Add(time.Microsecond), 10); n != 1 {
		w.Errorf("%d expired, want 1", n)
	}
	if n := w.expire(w.tick(), 10); n != 0 {
		w.Errorf("%d expired twice", n)
	}
	if jobs := w.list(fairfactor.Query{Limit: 10}); len(jobs) != 0 {
		w.Errorf("listed after expiry: %+v", jobs)
	}
}

func endedContext(w *world) {
	a := w.claim("a")
	j := a.accept(1)[0]
	before, begin := w.caller("a"), w.end()
	ctx, cancel := context.WithCancel(w.ctx())
	cancel()
	for what, call := range map[string]func() error{
		"ClaimCaller":    func() error { _, err := w.store.ClaimCaller(ctx, "a", ""); return err },
		"ClaimScheduler": func() error { _, err := w.store.ClaimScheduler(ctx); return err },
		"Apply": func() error {
			_, err := w.store.Apply(ctx, []fairfactor.Change{a.change(fairfactor.Finish, a.ended(j, fairfactor.Completed))})
			return err
		},
		"Job":     func() error { _, err := w.store.Job(ctx, j.ID); return err },
		"Jobs":    func() error { _, err := w.store.Jobs(ctx, []fairfactor.ID{j.ID}); return err },
		"Backlog": func() error { _, err := w.store.Backlog(ctx, a.claim.Number, 0, 1, nil); return err },
		"Piece":   func() error { _, err := w.store.Piece(ctx, a.claim.Number, 1, 0); return err },
		"List":    func() error { _, err := w.store.List(ctx, fairfactor.Query{Limit: 1}); return err },
		"Keyed":   func() error { _, err := w.store.Keyed(ctx, a.claim.Number, []string{"k"}, time.Time{}); return err },
		"ClaimDeliveries": func() error {
			_, err := w.store.ClaimDeliveries(ctx, w.now, time.Minute, nil, 1, 1)
			return err
		},
		"SettleDeliveries": func() error { return w.store.SettleDeliveries(ctx, []fairfactor.Settled{{ID: j.ID, Claim: 1}}) },
		"Overdue":          func() error { _, err := w.store.Overdue(ctx, w.now, fairfactor.Overdue{}, 1); return err },
		"Callers":          func() error { _, err := w.store.Callers(ctx, "", 1); return err },
		"CallersNamed":     func() error { _, err := w.store.CallersNamed(ctx, []string{"a"}); return err },
		"Foremost":         func() error { _, err := w.store.Foremost(ctx, fairfactor.ByQueued, 1); return err },
		"Backlogged":       func() error { _, err := w.store.Backlogged(ctx, 0, 1); return err },
		"WeighGroup":       func() error { return w.store.WeighGroup(ctx, "team", 2) },
		"Caller":           func() error { _, err := w.store.Caller(ctx, "a"); return err },
		"Events":           func() error { _, err := w.store.Events(ctx, begin, 1, nil); return err },
		"Forget":           func() error { _, err := w.store.Forget(ctx, w.tick(), 1); return err },
		"Accounts":         func() error { _, err := w.store.Accounts(ctx); return err },
		"Expire":           func() error { _, err := w.store.Expire(ctx, w.tick(), 1); return err },
		"Deadly":           func() error { _, err := w.store.Deadly(ctx); return err },
		"TrimDeadly":       func() error { return w.store.TrimDeadly(ctx, w.tick()) },
	} {
		if err := call(); fairfactor.CodeOf(err) != fairfactor.Canceled || !errors.Is(err, context.Canceled) {
			w.Errorf("%s: got %v, want canceled", what, err)
		}
	}
	w.same("job", w.job(j.ID), j)
	w.same("caller", w.caller("a"), before)
	a.finish(fairfactor.Completed, j) // the epoch is still the newest
}

// manyWriters: activations write side by side while others read. Each caller
// has a writer that loses a race for an epoch now and then.
func manyWriters(w *world) {
	const callers, rounds, size = 8, 12, 5
	var all sync.WaitGroup
	stop := make(chan struct{})
	for i := range callers {
		all.Go(func() { w.writeAlone(fmt.Sprintf("c%d", i), rounds, size) })
	}
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					w.readAll(callers * rounds * size)
				}
			}
		})
	}
	all.Wait()
	close(stop)
	readers.Wait()
	if w.Failed() {
		return
	}
	for i := range callers {
		c := w.caller(fmt.Sprintf("c%d", i))
		if c.Completed != rounds*(size-1) || c.Queued != rounds || c.Failed+c.Cancelled != 0 {
			w.Errorf("caller: %+v", c)
		}
	}
	if got := len(w.list(fairfactor.Query{Limit: 77})); got != callers*rounds*size {
		w.Errorf("%d jobs are listed, want %d", got, callers*rounds*size)
	}
}

// writeAlone makes jobs of one caller in rounds, under a new epoch each, and ends
// all but one of each round. It uses Errorf only, being off the test's goroutine.
func (w *world) writeAlone(name string, rounds, size int) {
	for range rounds {
		old, err := w.store.ClaimCaller(w.ctx(), name, "")
		if err != nil {
			w.Errorf("claim: %v", err)
			return
		}
		claim, err := w.store.ClaimCaller(w.ctx(), name, "")
		if err != nil || claim.Epoch <= old.Epoch || claim.Last != old.Last {
			w.Errorf("claim: %+v after %+v, %v", claim, old, err)
			return
		}
		var changes []fairfactor.Change
		for i := range size {
			seq := claim.Last + uint64(i) + 1
			j := fairfactor.Job{ID: fairfactor.ID{Caller: claim.Number, Seq: seq}, Caller: name, Order: seq, State: fairfactor.Pending, Number: "15"}
			stale := fairfactor.Change{Op: fairfactor.Accept, Caller: name, Number: claim.Number, Epoch: old.Epoch, Job: &j}
			accept := stale
			accept.Epoch = claim.Epoch
			changes = append(changes, stale, accept)
			if i > 0 {
				done := j
				done.State = fairfactor.Completed
				finish := accept
				finish.Op, finish.Job = fairfactor.Finish, &done
				changes = append(changes, finish)
			}
		}
		errs, err := w.store.Apply(w.ctx(), changes)
		if err != nil || len(errs) != len(changes) {
			w.Errorf("apply: %d results for %d changes, %v", len(errs), len(changes), err)
			return
		}
		for i, err := range errs {
			if stale := changes[i].Epoch == old.Epoch; stale != (err != nil) || stale && !errors.Is(err, fairfactor.ErrFenced) {
				w.Errorf("change %d, stale %v: %v", i, stale, err)
			}
		}
	}
}

// readAll reads everything once. What it sees must agree with itself.
func (w *world) readAll(most int) {
	callers, err := w.store.Callers(w.ctx(), "", 100)
	if err != nil {
		w.Errorf("callers: %v", err)
		return
	}
	for _, c := range callers {
		if c.Completed != 4*c.Queued {
			w.Errorf("half a group was seen: %+v", c)
		}
	}
	page, err := w.store.List(w.ctx(), fairfactor.Query{Limit: fairfactor.MaxPage})
	if err != nil || len(page.Jobs) > most {
		w.Errorf("list: %d jobs, %v", len(page.Jobs), err)
		return
	}
	for _, j := range page.Jobs {
		if _, err := w.store.Job(w.ctx(), j.ID); err != nil {
			w.Errorf("a job that was listed: %v", err)
		}
	}
}

// reopenKeepsEverything: what was durable before Close is there after it.
func reopenKeepsEverything(w *world) {
	a, b := w.claim("a"), w.claim("b")
	var keyed fairfactor.Job
	jobs := a.accept(6)
	keyed = b.next()
	keyed.Key = "k"
	w.must(b.change(fairfactor.Accept, keyed))
	a.finish(fairfactor.Completed, jobs[0])
	failed := a.finish(fairfactor.Failed, jobs[1], jobs[2])
	w.must(a.change(fairfactor.Requeue, a.requeued(failed[0])))
	saved := a.change(fairfactor.Checkpoint, jobs[3])
	saved.Checkpoint = []byte("half way")
	weigh := a.change(fairfactor.Weigh, jobs[0])
	weigh.Weight = 9
	w.must(saved, weigh)
	atOnce := a.ended(a.next(), fairfactor.Completed)
	w.must(a.change(fairfactor.AcceptEnded, atOnce))
	c := w.claimIn("in-a-group", "team")
	c.accept(1)
	if err := w.store.WeighGroup(w.ctx(), "team", 5); err != nil {
		w.Fatal(err)
	}
	read := func() []any {
		callers, err := w.store.Callers(w.ctx(), "", 10)
		if err != nil {
			w.Fatal(err)
		}
		if id := w.keyed(b.claim.Number, "k", keyed.Submitted); id != keyed.ID {
			w.Fatalf("key: got %v", id)
		}
		backlogged, err := w.store.Backlogged(w.ctx(), 0, 10)
		if err != nil {
			w.Fatal(err)
		}
		return []any{callers, backlogged, w.list(fairfactor.Query{Limit: 2}), w.backlog(a.claim.Number, 0, 100), w.backlog(b.claim.Number, 0, 100)}
	}
	want := read()
	scheduler, err := w.store.ClaimScheduler(w.ctx())
	if err != nil {
		w.Fatal(err)
	}
	for range 3 {
		w.reopen()
		w.same("everything", read(), want)
	}
	done := a.finish(fairfactor.Cancelled, jobs[4])[0] // an epoch outlives the process
	next, err := w.store.ClaimScheduler(w.ctx())
	if err != nil || next.Epoch <= scheduler.Epoch || next.Dispatched != max(done.Turn, atOnce.Turn) || next.Groups["team"] != 5 {
		w.Errorf("scheduler: got %+v after %+v, %v", next, scheduler, err)
	}
	if c := w.claim("a").claim; c.Epoch <= a.claim.Epoch || c.Last != a.last || c.Number != a.claim.Number {
		w.Errorf("claim: got %+v after %+v, last %d", c, a.claim, a.last)
	}
	if c := w.claim("c").claim; slices.Contains([]uint64{a.claim.Number, b.claim.Number}, c.Number) {
		w.Errorf("the number %d was given twice", c.Number)
	}
	early := w.expire(w.tick(), 100)
	if early != 4 {
		w.Errorf("%d expired after a new start, want 4", early)
	}
}
