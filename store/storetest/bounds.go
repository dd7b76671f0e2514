package storetest

import (
	"time"

	"fairfactor"
)

// boundsAreKept: what a caller is allowed stays with its other settings, outlasts its
// jobs and the store, and can be taken away. Callers without bounds have none.
func boundsAreKept(w *world) {
	a, b := w.claim("a"), w.claim("b")
	set := func(bounds *fairfactor.Bounds) fairfactor.Change {
		ch := a.change(fairfactor.Bound, fairfactor.Job{})
		ch.Job, ch.Bounds = nil, bounds
		return ch
	}
	for _, bad := range []*fairfactor.Bounds{
		nil,
		{MaxQueue: fairfactor.MaxQueueBound + 1},
		{MaxRate: fairfactor.MaxRateBound + 1},
		{MaxDigits: fairfactor.MaxDigitsBound + 1},
		{MaxCPU: -time.Second},
		{MaxCPU: time.Second / 2},
		{MaxCPU: fairfactor.MaxCPUBound + time.Second},
	} {
		w.refused(fairfactor.Invalid, set(bad))
	}
	j := b.next()
	w.must(b.change(fairfactor.Accept, j))
	want := fairfactor.Bounds{MaxQueue: 7, MaxRate: fairfactor.MaxRateBound, MaxDigits: 30, MaxCPU: time.Hour, Day: 20_000, Before: 5 * time.Minute}
	w.must(set(&fairfactor.Bounds{MaxRate: 1}), set(&want))
	check := func(when string, bounds fairfactor.Bounds) {
		w.Helper()
		w.same("bounds "+when, w.caller("a").Bounds, bounds)
		w.same("bounds of another caller "+when, w.caller("b").Bounds, fairfactor.Bounds{})
	}
	check("after they were set", want)
	pause := a.change(fairfactor.Pause, fairfactor.Job{})
	pause.Job, pause.Paused = nil, true
	other := a.next()
	w.must(pause, a.change(fairfactor.Accept, other), a.change(fairfactor.Finish, a.ended(other, fairfactor.Completed)))
	check("after other changes", want)
	w.reopen()
	a = w.claim("a")
	w.same("bounds of a new activation", a.claim.Caller.Bounds, want)
	check("after a restart", want)
	all, err := w.store.Callers(w.ctx(), "", 10)
	if err != nil || len(all) != 2 || all[0].Bounds != want || all[1].Bounds != (fairfactor.Bounds{}) {
		w.Errorf("callers: %v %+v", err, all)
	}
	w.must(set(&fairfactor.Bounds{Day: 3}))
	check("after they were taken away", fairfactor.Bounds{})
	w.reopen()
	check("after they were taken away and a restart", fairfactor.Bounds{})
}
