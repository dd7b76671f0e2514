package storetest

import "fairfactor"

// tracesAreKept: a job has the trace that it was submitted with in each of its states, however
// it gets there, over restarts, and when it is queued again; one without a trace gets none.
func tracesAreKept(w *world) {
	a := w.claim("a")
	trace := &fairfactor.Trace{ID: [16]byte{1, 15: 2}, Parent: [8]byte{3, 7: 4}, Flags: 1}
	traced := func() fairfactor.Job {
		j := a.next()
		t := *trace
		j.Trace = &t
		return j
	}
	waits, saved, retried, called := traced(), traced(), traced(), traced()
	called.Callback, called.Deadline = &fairfactor.Callback{URL: "http://one.example/t00-hook d1"}, w.now.Add(1e12)
	for _, j := range []fairfactor.Job{waits, saved, retried, called} {
		a.w.must(a.change(fairfactor.Accept, j))
	}
	atOnce := a.ended(traced(), fairfactor.Completed)
	a.w.must(a.change(fairfactor.AcceptEnded, atOnce))
	plain := a.accept(1)[0]
	a.w.must(a.change(fairfactor.Checkpoint, saved))
	a.finish(fairfactor.Completed, called)
	retried = a.finish(fairfactor.Failed, retried)[0]
	w.same("trace of a job that failed", w.job(retried.ID).Trace, trace)
	a.w.must(a.change(fairfactor.Requeue, a.requeued(retried)))

	check := func(when string) {
		for _, j := range []fairfactor.Job{waits, saved, retried, atOnce, called} {
			w.same("trace "+when, w.job(j.ID).Trace, trace)
		}
		if got := w.job(plain.ID).Trace; got != nil {
			w.Errorf("a job without a trace has %v %s", got, when)
		}
		for _, j := range w.list(fairfactor.Query{Limit: 10}) {
			if (j.Trace != nil) != (j.ID != plain.ID) {
				w.Errorf("in a list %s: job %s has the trace %v", when, j.ID, j.Trace)
			}
		}
	}
	check("before a restart")
	if !w.suite.forgetful {
		w.reopen()
		check("after it")
	}
	page := w.backlog(a.claim.Number, 0, 10)
	traces := 0
	for _, b := range page {
		if b.Job.Trace != nil {
			w.same("trace in the backlog", b.Job.Trace, trace)
			traces++
		}
	}
	if traces != 3 || len(page) != 4 {
		w.Errorf("%d of %d waiting jobs have a trace", traces, len(page))
	}
	for _, d := range w.claimed(w.now.Add(1e15), 5) {
		w.same("trace of a delivery", d.Job.Trace, trace)
	}
}
