package storetest

import (
	"bytes"
	"time"

	"fairfactor"
)

func finishKeepsEverything(w *world) {
	a := w.claim("a")
	jobs := a.accept(4)
	full := a.ended(jobs[0], fairfactor.Completed)
	full.Factors = []fairfactor.Factor{{Prime: "2", Exponent: 1}, {Prime: "340282366920938463463374607431768211507", Exponent: 2, Probable: true}, {Prime: "340282366920938463463374607431768211537", Exponent: 3, Proof: fairfactor.APRCL}, {Prime: "340282366920938463463374607431768211621", Exponent: 1, Proof: fairfactor.MinusOne}, {Prime: "6864797660130609714981900799081393217269435300143305409394463459185543183397656052122559640661454554977296311391480858037121987999716643812574028291115057151", Exponent: 1, Proof: fairfactor.PlusOne}}
	full.Attempts, full.Turns, full.CPU, full.Turn = 9, 1<<40, 1<<50, 1<<60
	full.Curves = []fairfactor.Curves{{B1: 50_000, Count: 200}}
	full.Deaths = &fairfactor.Deaths{Processes: []string{"01HZX"}}
	w.must(a.change(fairfactor.Finish, full))
	w.same("completed", w.job(full.ID), full)
	for i, state := range []fairfactor.State{fairfactor.Failed, fairfactor.Cancelled} {
		j := a.finish(state, jobs[i+1])[0]
		w.same(state.String(), w.job(j.ID), j)
	}
	for _, state := range []fairfactor.State{0, fairfactor.Pending, fairfactor.Running} {
		j := a.ended(jobs[3], fairfactor.Completed)
		j.State = state
		w.refused(fairfactor.Invalid, a.change(fairfactor.Finish, j))
	}
	w.same("unfinished", w.job(jobs[3].ID), jobs[3])
}

func jobEndsOnce(w *world) {
	a := w.claim("a")
	jobs := a.accept(2)
	first := a.ended(jobs[0], fairfactor.Completed)
	w.must(a.change(fairfactor.Finish, first))
	for _, state := range []fairfactor.State{fairfactor.Completed, fairfactor.Failed, fairfactor.Cancelled} {
		w.refused(fairfactor.Conflict, a.change(fairfactor.Finish, a.ended(jobs[0], state)))
	}
	w.refused(fairfactor.Conflict, a.change(fairfactor.Checkpoint, jobs[0]))
	w.same("job", w.job(first.ID), first)

	second := a.ended(jobs[1], fairfactor.Failed)
	errs := w.apply(a.change(fairfactor.Finish, second), a.change(fairfactor.Finish, a.ended(jobs[1], fairfactor.Completed)))
	if errs[0] != nil || fairfactor.CodeOf(errs[1]) != fairfactor.Conflict {
		w.Errorf("twice in a group: %v", errs)
	}
	w.same("job", w.job(second.ID), second)

	guess := a.ended(a.next(), fairfactor.Completed)
	w.refused(fairfactor.NotFound, a.change(fairfactor.Finish, guess))
	guess = a.ended(a.accept(1)[0], fairfactor.Completed)
	guess.ID.Nonce ^= 1
	w.refused(fairfactor.NotFound, a.change(fairfactor.Finish, guess))
	c := w.caller("a")
	if c.Queued != 1 || c.Completed != 1 || c.Failed != 1 || c.Cancelled != 0 {
		w.Errorf("caller: %+v", c)
	}
}

func checkpointIsKeptUntilTheEnd(w *world) {
	a := w.claim("a")
	jobs := a.accept(3)
	save := func(j fairfactor.Job, data []byte) {
		w.Helper()
		ch := a.change(fairfactor.Checkpoint, j)
		ch.Checkpoint = data
		w.must(ch)
	}
	j := jobs[1]
	j.Started, j.Attempts, j.Turn, j.CPU, j.Turns = w.tick(), 1, 5, time.Second, 50
	save(j, []byte("first"))
	j.Curves = []fairfactor.Curves{{B1: 2000, Count: 25}, {B1: 11_000, Count: 3}}
	j.Attempts, j.CPU, j.Turns, j.Deaths = 2, 2*time.Second, 90, j.Deaths.With("01HZX", time.Second)
	large := bytes.Repeat([]byte("relations "), 100_000)
	save(j, large)
	w.same("job", w.job(j.ID), j)
	w.same("backlog", w.backlog(a.claim.Number, 0, 10), []fairfactor.Waiting{
		{Job: jobs[0]}, {Job: j, Checkpoint: large}, {Job: jobs[2]},
	})
	w.same("backlog behind it", w.backlog(a.claim.Number, j.Order, 10), []fairfactor.Waiting{{Job: jobs[2]}})
	c := w.caller("a")
	if c.CPU != j.CPU || c.Turns != j.Turns || c.Queued != 3 {
		w.Errorf("caller after checkpoints: %+v", c)
	}

	failed := a.ended(j, fairfactor.Failed)
	w.must(a.change(fairfactor.Finish, failed))
	w.same("ended job", w.job(j.ID), failed)
	w.same("caller's CPU", w.caller("a").CPU, failed.CPU)
	again := a.requeued(failed)
	w.must(a.change(fairfactor.Requeue, again))
	w.same("the checkpoint went with the end", w.backlog(a.claim.Number, jobs[2].Order, 10), []fairfactor.Waiting{{Job: again}})
	guess := a.next()
	w.refused(fairfactor.NotFound, a.change(fairfactor.Checkpoint, guess))
}

// piecesGoWithTheJob: also if the job that ends has used no time, as far as is
// stored.
func piecesGoWithTheJob(w *world) {
	a := w.claim("a")
	jobs := a.accept(2)
	for _, j := range jobs {
		save := a.change(fairfactor.Checkpoint, j)
		save.Pieces = []fairfactor.Piece{{Number: 3, Data: []byte("relations")}}
		w.must(save)
	}
	w.must(a.change(fairfactor.Finish, a.ended(jobs[0], fairfactor.Cancelled)))
	for i, want := range []string{"", "relations"} {
		data, err := w.store.Piece(w.ctx(), a.claim.Number, jobs[i].Order, 3)
		if err != nil || string(data) != want {
			w.Errorf("piece of job %d: %q, %v, want %q", i, data, err, want)
		}
	}
}

func requeueOnlyFailed(w *world) {
	a := w.claim("a")
	jobs := a.accept(4)
	completed := a.finish(fairfactor.Completed, jobs[0])[0]
	cancelled := a.finish(fairfactor.Cancelled, jobs[1])[0]
	failed := a.finish(fairfactor.Failed, jobs[2])[0]
	for _, j := range []fairfactor.Job{completed, cancelled, jobs[3]} {
		w.refused(fairfactor.Conflict, a.change(fairfactor.Requeue, a.requeued(j)))
		w.same("job", w.job(j.ID), j)
	}
	again := a.requeued(failed)
	used := again
	used.Order = jobs[3].Order
	w.refused(fairfactor.Conflict, a.change(fairfactor.Requeue, used))
	w.must(a.change(fairfactor.Requeue, again))
	w.refused(fairfactor.Conflict, a.change(fairfactor.Requeue, a.requeued(again)))
	w.refused(fairfactor.NotFound, a.change(fairfactor.Requeue, a.requeued(a.next())))
	late := a.ended(failed, fairfactor.Completed)
	w.refused(fairfactor.Conflict, a.change(fairfactor.Finish, late))
	w.same("job", w.job(again.ID), again)
	c := w.caller("a")
	if c.Queued != 2 || c.Failed != 0 || c.Completed != 1 || c.Cancelled != 1 {
		w.Errorf("caller: %+v", c)
	}
}

func requeueGoesToTheEnd(w *world) {
	a := w.claim("a")
	jobs := a.accept(3)
	failed := a.finish(fairfactor.Failed, jobs[0])[0]
	again := a.requeued(failed)
	w.must(a.change(fairfactor.Requeue, again))
	more := a.accept(1)
	w.same("backlog", w.backlog(a.claim.Number, 0, 10), []fairfactor.Waiting{
		{Job: jobs[1]}, {Job: jobs[2]}, {Job: again}, {Job: more[0]},
	})
	done := a.ended(again, fairfactor.Completed)
	w.must(a.change(fairfactor.Finish, done))
	w.same("job", w.job(done.ID), done)
	w.same("backlog", w.backlog(a.claim.Number, 0, 10), []fairfactor.Waiting{{Job: jobs[1]}, {Job: jobs[2]}, {Job: more[0]}})
	w.refused(fairfactor.Conflict, a.change(fairfactor.Requeue, a.requeued(done)))
}

func talliesAreRight(w *world) {
	a := w.claim("a")
	want := fairfactor.Caller{Name: "a", Weight: 1}
	check := func(what string) {
		w.Helper()
		w.same(what, w.caller("a"), want)
	}
	jobs := a.accept(10)
	want.Queued, want.Oldest = 10, jobs[0].Submitted
	check("after accepting")
	for i, state := range []fairfactor.State{fairfactor.Completed, fairfactor.Completed, fairfactor.Completed, fairfactor.Failed, fairfactor.Failed, fairfactor.Cancelled} {
		j := a.finish(state, jobs[i])[0]
		want.CPU += j.CPU
		want.Turns += j.Turns
		jobs[i] = j
	}
	want.Queued, want.Completed, want.Failed, want.Cancelled, want.Oldest = 4, 3, 2, 1, jobs[6].Submitted
	check("after ending")
	w.must(a.change(fairfactor.Requeue, a.requeued(jobs[3])))
	want.Queued, want.Failed, want.Oldest = 5, 1, jobs[3].Submitted
	check("after queueing again")
	a.finish(fairfactor.Completed, w.job(jobs[3].ID))
	j := w.job(jobs[3].ID)
	want.Queued, want.Completed, want.Oldest = 4, 4, jobs[6].Submitted
	want.CPU += j.CPU - jobs[3].CPU
	want.Turns += j.Turns - jobs[3].Turns
	check("after ending again")
	if _, err := w.store.Expire(w.ctx(), w.tick(), 100); err != nil {
		w.Fatal(err)
	}
	check("after expiry, which forgets jobs but not that they were")
}

func oldestIsTheLowest(w *world) {
	a := w.claim("a")
	jobs := a.accept(6)
	want := func(t time.Time) {
		w.Helper()
		if got := w.caller("a").Oldest; !got.Equal(t) {
			w.Errorf("oldest is %v, want %v", got, t)
		}
	}
	want(jobs[0].Submitted)
	a.finish(fairfactor.Completed, jobs[1], jobs[3])
	want(jobs[0].Submitted)
	a.finish(fairfactor.Completed, jobs[0])
	want(jobs[2].Submitted)
	a.finish(fairfactor.Completed, jobs[4], jobs[5])
	want(jobs[2].Submitted)
	failed := a.finish(fairfactor.Failed, jobs[2])[0]
	want(time.Time{})
	next := a.accept(1)[0]
	want(next.Submitted)
	again := a.requeued(failed)
	w.must(a.change(fairfactor.Requeue, again))
	want(again.Submitted)
	a.finish(fairfactor.Completed, next)
	want(again.Submitted)
	a.finish(fairfactor.Completed, again)
	want(time.Time{})
}
