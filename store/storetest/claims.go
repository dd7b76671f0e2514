package storetest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

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
		w.same("first claim", c, fairfactor.Claim{Number: c.Number, Epoch: c.Epoch, Caller: fairfactor.Caller{Name: name, Weight: 1}})
		if c.Epoch == 0 {
			w.Errorf("%q got epoch 0", name)
		}
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
	for _, name := range []string{"a", "b"} {
		if c, err := w.store.Caller(w.ctx(), name); fairfactor.CodeOf(err) != fairfactor.NotFound {
			w.Errorf("%q is known after refused changes: %+v, %v", name, c, err)
		}
	}
}

func schedulerClaim(w *world) {
	claim := func(epoch, place uint64) {
		w.Helper()
		c, err := w.store.ClaimScheduler(w.ctx())
		if err != nil {
			w.Fatal(err)
		}
		w.same("claim", c, fairfactor.SchedulerClaim{Epoch: epoch, Dispatched: place})
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

// claimAloneLeavesNoTrace: a caller is known once a change of it took effect.
func claimAloneLeavesNoTrace(w *world) {
	a, b := w.claim("a"), w.claim("b")
	b.accept(1)
	if c, err := w.store.Caller(w.ctx(), "a"); fairfactor.CodeOf(err) != fairfactor.NotFound {
		w.Errorf("a claimed caller is known: %+v, %v", c, err)
	}
	callers, err := w.store.Callers(w.ctx(), "", 10)
	if err != nil || len(callers) != 1 || callers[0].Name != "b" {
		w.Errorf("callers: %+v, %v", callers, err)
	}
	a.finish(fairfactor.Completed, a.accept(1)...)
	if c := w.caller("a"); c.Completed != 1 {
		w.Errorf("caller: %+v", c)
	}
}

// claimsAtOnce: of many activations that claim one caller at the same time, in the
// midst of claims of others, each has an epoch of its own, and only the one with
// the highest may write.
func claimsAtOnce(w *world) {
	const times, others = 8, 40
	claims := make([]fairfactor.Claim, times)
	var all sync.WaitGroup
	claim := func(name string) (c fairfactor.Claim) {
		c, err := w.store.ClaimCaller(w.ctx(), name, "")
		if err != nil || c.Caller.Name != name {
			w.Errorf("claim %q: %+v, %v", name, c, err)
		}
		return c
	}
	for i := range times {
		all.Go(func() { claims[i] = claim("a") })
	}
	for i := range others {
		all.Go(func() { claim(fmt.Sprintf("other-%d", i)) })
	}
	all.Wait()
	slices.SortFunc(claims, func(a, b fairfactor.Claim) int { return cmp.Compare(a.Epoch, b.Epoch) })
	for i, c := range claims {
		if c.Number != claims[0].Number || i > 0 && c.Epoch == claims[i-1].Epoch {
			w.Errorf("claims of one caller: %+v", claims)
			return
		}
		a := &writer{w: w, name: "a", claim: c}
		err := w.apply(a.change(fairfactor.Accept, a.next()))[0]
		if last := i == times-1; last != (err == nil) || !last && !errors.Is(err, fairfactor.ErrFenced) {
			w.Errorf("a change of activation %d of %d, by epoch: %v", i+1, times, err)
		}
	}
}

// claimIn returns a new activation of a caller that goes into a group if it is new.
func (w *world) claimIn(name, group string) *writer {
	w.Helper()
	c, err := w.store.ClaimCaller(w.ctx(), name, group)
	if err != nil {
		w.Fatalf("claim %q in %q: %v", name, group, err)
	}
	return &writer{w: w, name: name, claim: c, last: c.Last}
}

// groupIsThatOfTheFirstClaim: a caller's group is set when it becomes known, and
// changed by Regroup only.
func groupIsThatOfTheFirstClaim(w *world) {
	w.claimIn("a", "first") // leaves no trace
	a := w.claimIn("a", "team")
	w.same("claimed group", a.claim.Caller.Group, "team")
	a.accept(1)
	w.same("stored group", w.caller("a").Group, "team")
	a = w.claimIn("a", "other")
	w.same("claimed group", a.claim.Caller.Group, "team")
	regroup := a.change(fairfactor.Regroup, fairfactor.Job{})
	regroup.Job = nil
	for _, group := range []string{"no spaces", strings.Repeat("g", fairfactor.MaxGroupBytes+1)} {
		regroup.Group = group
		w.refused(fairfactor.Invalid, regroup)
	}
	for _, group := range []string{"2001:db8::1", ""} {
		regroup.Group = group
		w.must(regroup)
		w.same("new group", w.caller("a").Group, group)
	}
	w.same("claimed group", w.claimIn("a", "late").claim.Caller.Group, "")
}

func groupsAreWeighed(w *world) {
	weigh := func(group string, weight int) fairfactor.Code {
		return fairfactor.CodeOf(w.store.WeighGroup(w.ctx(), group, weight))
	}
	for _, c := range []struct {
		group  string
		weight int
		want   fairfactor.Code
	}{
		{"a", 7, ""},
		{"b", fairfactor.MaxWeight, ""},
		{"c", 2, ""},
		{"c", 1, ""},
		{"d", 1, ""},
		{"a", 3, ""},
		{"", 2, fairfactor.Invalid},
		{"a", 0, fairfactor.Invalid},
		{"a", fairfactor.MaxWeight + 1, fairfactor.Invalid},
		{"a b", 2, fairfactor.Invalid},
	} {
		if got := weigh(c.group, c.weight); got != c.want {
			w.Errorf("weight %d for %q: %q, want %q", c.weight, c.group, got, c.want)
		}
	}
	claim, err := w.store.ClaimScheduler(w.ctx())
	if err != nil {
		w.Fatal(err)
	}
	w.same("weights", claim.Groups, map[string]int{"a": 3, "b": fairfactor.MaxWeight})
}
