package backlog_test

import (
	"math/big"
	"slices"
	"testing"
	"time"

	"fairfactor"
	"fairfactor/actors/backlog"
)

// curvesAt returns how many curves there are with a first bound.
func curvesAt(curves []fairfactor.Curves, B1 uint64) uint64 {
	for _, c := range curves {
		if c.B1 == B1 {
			return c.Count
		}
	}
	return 0
}

// TestCurvesStayWithTheJob: what a job is told of and what its turns add is in each
// checkpoint, and after the job has failed a retry adds to it. hard has 112 digits.
func TestCurvesStayWithTheJob(t *testing.T) {
	d := newDesk(t, backlog.Config{MaxCPU: 40 * time.Millisecond}) // of a millisecond a turn
	nothing := func(turns int) {
		for range turns {
			out := d.outcome(d.backlog.Next(nil, 1)[0])
			out.Data = []byte{2, 2} // what a turn says that has found nothing
			if d.give(out); d.jobs[1].job.State.Final() {
				return
			}
		}
	}
	job := d.create(hard)
	job.Curves = []fairfactor.Curves{{B1: 100, Count: 3}, {B1: 2000, Count: 20}}
	d.jobs[1] = &stored{job: *job}
	d.backlog.Accept(job, d.backlog.Admit(job))
	if seen, _ := d.backlog.Look(1); !slices.Equal(seen.Curves, job.Curves) {
		t.Errorf("a job that waits shows %v", seen.Curves)
	}
	d.some(1)
	nothing(15)
	before, _ := d.backlog.Look(1)
	if curvesAt(before.Curves, 2000) <= 20 || curvesAt(before.Curves, 100) != 3 {
		t.Fatalf("a job that runs shows %v", before.Curves)
	}
	for _, ch := range d.backlog.Checkpoints() {
		d.jobs[1].job, d.jobs[1].checkpoint = *ch.Job, ch.Checkpoint
	}
	if !slices.Equal(d.jobs[1].job.Curves, before.Curves) {
		t.Errorf("the checkpoint has %v, the job %v", d.jobs[1].job.Curves, before.Curves)
	}
	d.activate() // as after a crash
	d.fill()
	nothing(1)
	if after, _ := d.backlog.Look(1); curvesAt(after.Curves, 2000) < curvesAt(before.Curves, 2000) {
		t.Errorf("after a crash %v, before %v", after.Curves, before.Curves)
	}
	nothing(100)
	failed := d.jobs[1].job
	if failed.State != fairfactor.Failed || curvesAt(failed.Curves, 2000) < curvesAt(before.Curves, 2000) {
		t.Fatalf("%v with %v", failed.State, failed.Curves)
	}
	again := failed
	d.last++
	again.State, again.CPU, again.Turns, again.Order, again.Reason = fairfactor.Pending, 0, 0, d.last, ""
	d.jobs[1] = &stored{job: again}
	d.backlog.Accept(&again, d.backlog.Admit(&again))
	d.some(1)
	nothing(100)
	retried := d.jobs[1].job
	t.Logf("first %v, then %v", failed.Curves, retried.Curves)
	if more := curvesAt(retried.Curves, 50_000); curvesAt(retried.Curves, 2000) != 25 || more < curvesAt(failed.Curves, 50_000)+10 {
		t.Errorf("a retry went from %v to %v", failed.Curves, retried.Curves)
	}
}

// TestKnownPrimesAreUsed: a prime that is not proven yet is divided out, and proven.
func TestKnownPrimesAreUsed(t *testing.T) {
	const p = "618970019642690137449562111" // 2^89 - 1
	d := newDesk(t, backlog.Config{})
	n, _ := new(big.Int).SetString(hard, 10)
	prime, _ := new(big.Int).SetString(p, 10)
	job := d.create(n.Mul(n, prime).String())
	job.Factors = []fairfactor.Factor{{Prime: p, Exponent: 1, Probable: true}}
	d.jobs[1] = &stored{job: *job}
	d.backlog.Accept(job, d.backlog.Admit(job))
	d.some(4)
	seen, _ := d.backlog.Look(1)
	if seen.Progress == nil || !slices.ContainsFunc(seen.Progress.Found, func(f fairfactor.Factor) bool { return f.Prime == p && !f.Probable }) {
		t.Errorf("%+v", seen.Progress)
	}
}
