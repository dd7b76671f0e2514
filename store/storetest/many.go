package storetest

import (
	"fairfactor"
)

// jobs reads many jobs at once.
func (w *world) jobs(ids ...fairfactor.ID) []fairfactor.Job {
	w.Helper()
	jobs, err := w.store.Jobs(w.ctx(), ids)
	if err != nil {
		w.Fatalf("jobs: %v", err)
	}
	return jobs
}

// jobsAtTheirPlaces: each job stands where its id does, as often as that, and a zero
// one where there is no job.
func jobsAtTheirPlaces(w *world) {
	a, b := w.claim("a"), w.claim("b")
	jobs := a.accept(4)
	done := a.finish(fairfactor.Completed, jobs[0])[0]
	again := a.requeued(a.finish(fairfactor.Failed, jobs[1])[0])
	w.must(a.change(fairfactor.Requeue, again))
	saved := a.change(fairfactor.Checkpoint, jobs[2])
	saved.Checkpoint = []byte("half way")
	w.must(saved)
	other := b.accept(1)[0]
	wrong := done.ID
	wrong.Nonce ^= 1
	missing := fairfactor.ID{Nonce: 1, Caller: 1 << 50, Seq: 1}
	got := w.jobs(other.ID, wrong, again.ID, jobs[2].ID, missing, done.ID, jobs[3].ID, done.ID, fairfactor.ID{}, wrong)
	zero := fairfactor.Job{}
	w.same("jobs", got, []fairfactor.Job{other, zero, again, jobs[2], zero, done, jobs[3], done, zero, zero})
	if none := w.jobs(); len(none) != 0 {
		w.Errorf("no ids gave %d jobs", len(none))
	}
	if w.expire(w.tick(), 10) != 1 {
		w.Error("the ended job did not expire")
	}
	w.same("after the end", w.jobs(done.ID, other.ID), []fairfactor.Job{zero, other})
}
