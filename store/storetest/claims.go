package storetest

import (
	"errors"

	"fairfactor"
)

func claimNumbersAndEpochs(w *world) {
	seen := map[uint64]bool{}
	for _, name := range []string{"a", "b", "A.b_c:d@e-9"} {
		c := w.claim(name).claim
		if c.Number == 0 || c.Number >= 1<<40 || seen[c.Number] {
			w.Errorf("%q got the number %d", name, c.Number)
		}
		seen[c.Number] = true
		w.same("first claim", c, fairfactor.Claim{Number: c.Number, Epoch: 1, Caller: fairfactor.Caller{Name: name, Weight: 1}})
		again := w.claim(name).claim
		if again.Number != c.Number || again.Epoch <= c.Epoch {
			w.Errorf("%q got number %d, epoch %d after number %d, epoch %d", name, again.Number, again.Epoch, c.Number, c.Epoch)
		}
	}
}

func claimContinues(w *world) {
	a := w.claim("a")
	jobs := a.accept(3)
	failed := a.finish(fairfactor.Failed, jobs[0])
	w.must(a.change(fairfactor.Requeue, a.requeued(failed[0])))
	c := w.claim("a").claim
	if c.Last != 4 {
		w.Errorf("last is %d, want 4", c.Last)
	}
	w.same("claimed account", c.Caller, w.caller("a"))
}

func oldEpochIsFenced(w *world) {
	old := w.claim("a")
	j := old.accept(1)[0]
	young := w.claim("a")
	before := w.caller("a")
	weigh := old.change(fairfactor.Weigh, j)
	weigh.Weight = 7
	future := young.change(fairfactor.Accept, young.next())
	future.Epoch += 1
	for _, ch := range []fairfactor.Change{
		old.change(fairfactor.Accept, old.next()),
		old.change(fairfactor.Finish, old.ended(j, fairfactor.Completed)),
		old.change(fairfactor.Checkpoint, j),
		old.change(fairfactor.Requeue, old.requeued(j)),
		weigh,
		future,
	} {
		err := w.apply(ch)[0]
		if !errors.Is(err, fairfactor.ErrFenced) || fairfactor.CodeOf(err) != fairfactor.Conflict {
			w.Errorf("operation %d: got %v, want fenced", ch.Op, err)
		}
	}
	w.same("caller", w.caller("a"), before)
	w.same("job", w.job(j.ID), j)
	young.finish(fairfactor.Completed, j)
}

func strangerIsFenced(w *world) {
	a, b := w.claim("a"), w.claim("b")
	never := a.change(fairfactor.Accept, a.next())
	never.Caller = "never"
	unknown := a.change(fairfactor.Accept, a.next())
	unknown.Number = 1 << 30
	crossed := a.change(fairfactor.Accept, a.next())
	crossed.Number = b.claim.Number
	for _, ch := range []fairfactor.Change{never, unknown, crossed} {
		if err := w.apply(ch)[0]; !errors.Is(err, fairfactor.ErrFenced) {
			w.Errorf("%q as %d: got %v, want fenced", ch.Caller, ch.Number, err)
		}
	}
	foreign := a.next()
	foreign.ID.Caller = b.claim.Number
	w.refused(fairfactor.Invalid, a.change(fairfactor.Accept, foreign))
	none := a.change(fairfactor.Accept, foreign)
	none.Job = nil
	w.refused(fairfactor.Invalid, none)
	w.refused(fairfactor.Invalid, a.change(99, a.next()))
	w.same("a", w.caller("a"), fairfactor.Caller{Name: "a", Weight: 1})
	w.same("b", w.caller("b"), fairfactor.Caller{Name: "b", Weight: 1})
}

func schedulerClaim(w *world) {
	claim := func(epoch, place uint64) {
		w.Helper()
		c, err := w.store.ClaimScheduler(w.ctx())
		if err != nil {
			w.Fatal(err)
		}
		w.same("claim", c, fairfactor.SchedulerClaim{Epoch: epoch, Place: place})
	}
	claim(1, 0)
	a := w.claim("a")
	jobs := a.accept(3)
	claim(2, 0)
	jobs[0].Turn = 5000
	w.must(a.change(fairfactor.Checkpoint, jobs[0]))
	claim(3, 5000)
	jobs[1].Turn = 100
	a.finish(fairfactor.Completed, jobs[1])
	claim(4, 5000)
	j := a.ended(jobs[2], fairfactor.Cancelled)
	j.Turn = 6000
	w.must(a.change(fairfactor.Finish, j))
	j.Turn = 7000
	w.refused(fairfactor.Conflict, a.change(fairfactor.Finish, j))
	claim(5, 6000)
}
