package storetest

import (
	"strings"
	"time"

	"fairfactor"
)

func acceptKeepsEverything(w *world) {
	a := w.claim("a")
	full := a.next()
	full.ID.Nonce = 1<<48 - 1
	full.Number = strings.Repeat("9876543210", 50) + "7"
	full.Key = strings.Repeat("k", fairfactor.MaxKeyBytes)
	full.Started, full.Attempts, full.Turn, full.CPU, full.Turns = w.tick(), 3, 77, time.Hour+1, 12
	full.Factors = []fairfactor.Factor{{Prime: "2", Exponent: 300}, {Prime: "1000003", Exponent: 1, Probable: true}}
	full.Reason = "an earlier one, with ümläuts"
	full.Curves = []fairfactor.Curves{{B1: 50_000, Count: 200}, {B1: 1_000_000, Count: 1}}
	full.Deaths = &fairfactor.Deaths{Processes: []string{"01HZX", "01HZY"}, CPU: time.Hour}
	plain := a.next()
	plain.ID.Nonce, plain.Number = 0, "1"
	finer := a.next()
	finer.Submitted = finer.Submitted.Add(789).In(time.FixedZone("elsewhere", 3600))
	w.must(a.change(fairfactor.Accept, full), a.change(fairfactor.Accept, plain), a.change(fairfactor.Accept, finer))
	w.same("a job with everything", w.job(full.ID), full)
	w.same("a job with nothing", w.job(plain.ID), plain)
	finer.Submitted = finer.Submitted.UTC().Truncate(time.Microsecond)
	w.same("times are in UTC, in microseconds", w.job(finer.ID), finer)

	running := a.next()
	running.State = fairfactor.Running
	running.Progress = &fairfactor.Progress{Phase: "curves"}
	w.must(a.change(fairfactor.Accept, running))
	running.State, running.Progress = fairfactor.Pending, nil
	w.same("an unfinished job is pending and has no progress", w.job(running.ID), running)
}

func acceptNeedsNewNumbers(w *world) {
	a := w.claim("a")
	jobs := a.accept(5)
	for _, seq := range []uint64{1, 4, 5} {
		j := jobs[0]
		j.ID.Seq, j.Order, j.ID.Nonce = seq, seq, 1
		w.refused(fairfactor.Conflict, a.change(fairfactor.Accept, j))
	}
	odd := a.next()
	odd.Order++
	w.refused(fairfactor.Conflict, a.change(fairfactor.Accept, odd))
	ended := a.next()
	ended.State = fairfactor.Completed
	w.refused(fairfactor.Invalid, a.change(fairfactor.Accept, ended))
	a.last += 1000
	a.accept(1)
	for _, j := range jobs {
		w.same("job", w.job(j.ID), j)
	}
	if c := w.caller("a"); c.Queued != 6 {
		w.Errorf("%d queued, want 6", c.Queued)
	}
}

func acceptNeedsDecimalDigits(w *world) {
	a := w.claim("a")
	a.accept(1)
	j := a.next()
	for _, number := range []string{"12a4", "-5", "1.5", " 7"} {
		j.Number = number
		w.refused(fairfactor.Invalid, a.change(fairfactor.Accept, j))
	}
	if c := w.caller("a"); c.Queued != 1 {
		w.Errorf("%d queued, want 1", c.Queued)
	}
}

func refusedChangesLeaveTheOthers(w *world) {
	a, b := w.claim("a"), w.claim("b")
	stale := w.claim("c")
	w.claim("c")
	ja, jb, jc := a.next(), b.next(), stale.next()
	twice := ja
	errs := w.apply(
		a.change(fairfactor.Accept, ja),
		stale.change(fairfactor.Accept, jc),
		a.change(fairfactor.Accept, twice),
		b.change(fairfactor.Accept, jb),
		b.change(fairfactor.Finish, b.ended(b.next(), fairfactor.Completed)),
	)
	want := []fairfactor.Code{"", fairfactor.Conflict, fairfactor.Conflict, "", fairfactor.NotFound}
	for i, err := range errs {
		if fairfactor.CodeOf(err) != want[i] {
			w.Errorf("change %d: got %v, want %q", i, err, want[i])
		}
	}
	w.same("a's job", w.job(ja.ID), ja)
	w.same("b's job", w.job(jb.ID), jb)
	for _, name := range []string{"a", "b"} {
		if got := w.caller(name).Queued; got != 1 {
			w.Errorf("%q has %d queued, want 1", name, got)
		}
	}
	if c, err := w.store.Caller(w.ctx(), "c"); fairfactor.CodeOf(err) != fairfactor.NotFound {
		w.Errorf("a caller whose only change was refused is known: %+v, %v", c, err)
	}
}

func changesTakeEffectInOrder(w *world) {
	a := w.claim("a")
	j := a.next()
	saved := a.change(fairfactor.Checkpoint, j)
	saved.Checkpoint = []byte("some way")
	failed := a.ended(j, fairfactor.Failed)
	again := a.requeued(failed)
	done := a.ended(again, fairfactor.Completed)
	w.must(
		a.change(fairfactor.Accept, j), saved, a.change(fairfactor.Finish, failed),
		a.change(fairfactor.Requeue, again), a.change(fairfactor.Finish, done),
	)
	w.same("job", w.job(j.ID), done)
	w.same("caller", w.caller("a"), fairfactor.Caller{Name: "a", Weight: 1, Completed: 1, CPU: done.CPU, Turns: 2})

	other := a.next()
	first, second := a.change(fairfactor.Weigh, other), a.change(fairfactor.Weigh, other)
	first.Weight, second.Weight = 5, 3
	errs := w.apply(a.change(fairfactor.Finish, a.ended(other, fairfactor.Failed)), a.change(fairfactor.Accept, other), first, second)
	if fairfactor.CodeOf(errs[0]) != fairfactor.NotFound || errs[1] != nil {
		w.Errorf("a job ended before it was accepted: %v", errs)
	}
	if got := w.caller("a").Weight; got != 3 {
		w.Errorf("weight is %d, want 3", got)
	}
}

func weighWithinBounds(w *world) {
	a := w.claim("a")
	for _, weight := range []int{0, -1, fairfactor.MaxWeight + 1} {
		ch := a.change(fairfactor.Weigh, fairfactor.Job{})
		ch.Job, ch.Weight = nil, weight
		w.refused(fairfactor.Invalid, ch)
	}
	for _, weight := range []int{1, fairfactor.MaxWeight, 2} {
		ch := a.change(fairfactor.Weigh, fairfactor.Job{})
		ch.Job, ch.Weight = nil, weight
		w.must(ch)
		if got := w.caller("a").Weight; got != weight {
			w.Errorf("weight is %d, want %d", got, weight)
		}
	}
	if got := w.claim("a").claim.Caller.Weight; got != 2 {
		w.Errorf("a new activation gets weight %d, want 2", got)
	}
}

func keyIsRemembered(w *world) {
	a, b := w.claim("a"), w.claim("b")
	lookup := func(caller uint64, key string, since time.Time, want fairfactor.ID) {
		w.Helper()
		if id := w.keyed(caller, key, since); id != want {
			w.Errorf("key %q: got %v, want %v", key, id, want)
		}
	}
	j := a.next()
	j.Key = "k"
	w.must(a.change(fairfactor.Accept, j))
	lookup(a.claim.Number, "k", j.Submitted, j.ID)
	lookup(a.claim.Number, "k", time.Time{}, j.ID)
	lookup(a.claim.Number, "k", j.Submitted.Add(time.Microsecond), fairfactor.ID{})
	lookup(a.claim.Number, "kk", time.Time{}, fairfactor.ID{})
	lookup(a.claim.Number, "", time.Time{}, fairfactor.ID{})
	lookup(b.claim.Number, "k", time.Time{}, fairfactor.ID{})
	done := a.finish(fairfactor.Completed, j)[0]
	lookup(a.claim.Number, "k", time.Time{}, j.ID)
	w.same("the key stays with the job", w.job(j.ID).Key, "k")

	again := a.next()
	again.Key = "k"
	w.must(a.change(fairfactor.Accept, again))
	lookup(a.claim.Number, "k", time.Time{}, again.ID)
	if n, err := w.store.Expire(w.ctx(), done.Finished.Add(time.Microsecond), 10); n != 1 || err != nil {
		w.Errorf("expired %d, %v", n, err)
	}
	lookup(a.claim.Number, "k", time.Time{}, again.ID)
	done = a.finish(fairfactor.Completed, again)[0]
	if n, err := w.store.Expire(w.ctx(), done.Finished.Add(time.Microsecond), 10); n != 1 || err != nil {
		w.Errorf("expired %d, %v", n, err)
	}
	lookup(a.claim.Number, "k", time.Time{}, fairfactor.ID{})
}

// acceptEndedIsOneStep: what one AcceptEnded leaves is what Accept and Finish
// leave.
func acceptEndedIsOneStep(w *world) {
	a, b := w.claim("a"), w.claim("b")
	want := fairfactor.Caller{Name: "a", Weight: 1}
	var all []fairfactor.Job
	for _, state := range []fairfactor.State{fairfactor.Completed, fairfactor.Failed, fairfactor.Cancelled} {
		waiting := a.next()
		j := a.ended(a.next(), state)
		j.Key = "key-" + state.String()
		errs := w.apply(a.change(fairfactor.Accept, waiting), a.change(fairfactor.AcceptEnded, j), a.change(fairfactor.Finish, a.ended(j, fairfactor.Completed)))
		if errs[0] != nil || errs[1] != nil || fairfactor.CodeOf(errs[2]) != fairfactor.Conflict {
			w.Fatalf("%s: %v", state, errs)
		}
		w.same(state.String(), w.job(j.ID), j)
		if id := w.keyed(a.claim.Number, j.Key, j.Submitted); id != j.ID {
			w.Errorf("its key: %v", id)
		}
		all = append(all, waiting, j)
		want.CPU += j.CPU
		want.Turns += j.Turns
	}
	want.Queued, want.Completed, want.Failed, want.Cancelled, want.Oldest = 3, 1, 1, 1, all[0].Submitted
	w.same("account", w.caller("a"), want)
	w.same("list", w.list(fairfactor.Query{Limit: 2}), newest(all))
	w.same("list of a", w.list(fairfactor.Query{Limit: 2, Caller: "a"}), newest(all))
	w.same("backlog", w.backlog(a.claim.Number, 0, 10), []fairfactor.Waiting{{Job: all[0]}, {Job: all[2]}, {Job: all[4]}})
	w.refused(fairfactor.Conflict, a.change(fairfactor.Requeue, a.requeued(all[1])))
	again := a.requeued(all[3])
	w.must(a.change(fairfactor.Requeue, again))
	w.same("queued again", w.job(again.ID), again)

	alone := b.finish(fairfactor.Completed, b.accept(1)...)[0]
	if backlogged, err := w.store.Backlogged(w.ctx(), 0, 10); err != nil || len(backlogged) != 1 || backlogged[0].Name != "a" {
		w.Errorf("backlogged: %+v, %v", backlogged, err)
	}
	if n := w.expire(w.tick(), 10); n != 3 {
		w.Errorf("%d expired, want those of two records and that of b (%s)", n, alone.ID)
	}
	w.same("list after expiry", w.list(fairfactor.Query{Limit: 10}), newest([]fairfactor.Job{all[0], all[2], again, all[4]}))
	w.refused(fairfactor.Conflict, a.change(fairfactor.AcceptEnded, all[1])) // numbers are not used again
}

func acceptEndedNeedsAnEnd(w *world) {
	a := w.claim("a")
	taken := a.accept(1)[0]
	for _, state := range []fairfactor.State{0, fairfactor.Pending, fairfactor.Running} {
		j := a.next()
		j.State = state
		w.refused(fairfactor.Invalid, a.change(fairfactor.AcceptEnded, j))
	}
	used := a.ended(taken, fairfactor.Completed)
	w.refused(fairfactor.Conflict, a.change(fairfactor.AcceptEnded, used))
	odd := a.ended(a.next(), fairfactor.Completed)
	odd.Order++
	w.refused(fairfactor.Conflict, a.change(fairfactor.AcceptEnded, odd))
	wrong := a.ended(a.next(), fairfactor.Completed)
	wrong.Factors = []fairfactor.Factor{{Prime: "0x7", Exponent: 1}}
	w.refused(fairfactor.Invalid, a.change(fairfactor.AcceptEnded, wrong))
	if c := w.caller("a"); c.Queued != 1 || c.Completed != 0 {
		w.Errorf("caller: %+v", c)
	}
	w.same("job", w.job(taken.ID), taken)
}
