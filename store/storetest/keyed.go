package storetest

import (
	"fmt"
	"slices"
	"time"

	"fairfactor"
)

// keyed returns the id of the job with a key, which the store must know in full, or
// none.
func (w *world) keyed(caller uint64, key string, since time.Time) fairfactor.ID {
	w.Helper()
	found, err := w.store.Keyed(w.ctx(), caller, []string{key}, since)
	if err != nil {
		w.Fatalf("key %q: %v", key, err)
	}
	job, ok := found[key]
	if ok {
		w.same("the job with key "+key, job, w.job(job.ID))
	}
	return job.ID
}

// keyedAtOnce: many keys are looked up at once, those of jobs that wait, have ended,
// were queued again or are gone among them.
func keyedAtOnce(w *world) {
	a := w.claim("a")
	want := map[string]fairfactor.Job{}
	var keys []string
	for i := range 40 {
		j := a.next()
		j.Key = fmt.Sprintf("k%d", i)
		w.must(a.change(fairfactor.Accept, j))
		keys = append(keys, j.Key)
		switch i % 4 {
		case 1:
			j = a.finish(fairfactor.Completed, j)[0]
		case 2:
			j = a.requeued(a.finish(fairfactor.Failed, j)[0])
			w.must(a.change(fairfactor.Requeue, j))
		case 3:
			a.finish(fairfactor.Cancelled, j)
			continue
		}
		want[j.Key] = j
	}
	cut := w.tick()
	last := a.next()
	last.Key = "k0" // used again
	w.must(a.change(fairfactor.Accept, last))
	for _, j := range want {
		if j.State.Final() {
			delete(want, j.Key)
		}
	}
	w.expire(cut, 100)
	want["k0"] = last
	keys = append(keys, "", "k", "k0", "never")
	for range 2 {
		found, err := w.store.Keyed(w.ctx(), a.claim.Number, keys, time.Time{})
		if err != nil {
			w.Fatal(err)
		}
		w.same("by key", found, want)
		slices.Reverse(keys)
	}
	found, err := w.store.Keyed(w.ctx(), a.claim.Number, keys, cut)
	if err != nil || len(found) != 1 || found["k0"].ID != last.ID {
		w.Errorf("since the last one: %v, %v", found, err)
	}
}
