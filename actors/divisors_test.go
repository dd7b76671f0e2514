package actors_test

import (
	"math/big"
	"testing"

	"fairfactor"
	"fairfactor/actors"
)

// TestPrimesOfEarlierJobs: a number of 80 digits that shares a prime of 40 with an
// earlier job of its caller takes one turn, where a sieve takes half a minute. So it is
// after that caller's node has died, and not for other callers.
func TestPrimesOfEarlierJobs(t *testing.T) {
	s := newSite(t, 2, knowing)
	s.ex.pin(actors.SchedulerKind, actors.SchedulerID, n0(s).member, false)
	s.ex.pin(actors.CallerKind, "alice", s.nodes[1].member, false)
	rng := seeded(t)
	shared := prime(rng, 132)
	s.completed(n0(s), s.submit(n0(s), "alice", product(shared, prime(rng, 34)), "15")...)
	check := func(why string) {
		t.Helper()
		job := s.completed(n0(s), s.submit(n0(s), "alice", product(shared, prime(rng, 131)))...)[0]
		if job.Turns > 2 || job.Known || len(job.Factors) != 2 || job.Factors[1].Prime != shared.String() {
			t.Errorf("%s: %d turns, %v of CPU, %+v", why, job.Turns, job.CPU, job)
		}
		t.Logf("%s: %d turns, %v of CPU", why, job.Turns, job.CPU)
	}
	check("at once")
	check("again")
	others := s.submit(n0(s), "bob", product(shared, prime(rng, 131)))
	s.oneRuns(n0(s), others)
	if _, err := n0(s).Cancel(t.Context(), others[0].ID); err != nil {
		t.Fatal(err)
	}
	s.kill(s.nodes[1])
	check("after a death")
	var divided uint64
	for _, n := range s.nodes {
		divided += n.sys.Counters.Divided.Load()
	}
	if divided != 3 {
		t.Errorf("%d jobs began with primes of earlier ones, want 3", divided)
	}
}

// TestPrimesOfJobsThatFailed: what a job found before it was cancelled is tried on others.
func TestPrimesOfJobsThatFailed(t *testing.T) {
	s := newSite(t, 1, knowing)
	rng := seeded(t)
	shared := prime(rng, 67)
	first := s.submit(n0(s), "alice", product(shared, new(big.Int).Mul(prime(rng, 170), prime(rng, 171))))
	s.eventually("the prime is found", func() bool {
		now, err := n0(s).Job(t.Context(), first[0].ID)
		return err == nil && now.Progress != nil && len(now.Progress.Found) > 0
	})
	if job, err := n0(s).Cancel(t.Context(), first[0].ID); err != nil || len(job.Factors) != 1 {
		t.Fatalf("%+v, %v", job, err)
	}
	second := s.submit(n0(s), "alice", product(shared, new(big.Int).Mul(prime(rng, 168), prime(rng, 169))))
	s.oneRuns(n0(s), second)
	if n := n0(s).sys.Counters.Divided.Load(); n != 1 {
		t.Errorf("%d jobs began with primes of earlier ones", n)
	}
	if job, err := n0(s).Cancel(t.Context(), second[0].ID); err != nil || job.State != fairfactor.Cancelled || len(job.Factors) != 1 {
		t.Errorf("%+v, %v", job, err)
	}
}
