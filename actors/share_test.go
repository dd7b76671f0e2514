package actors_test

import (
	"context"
	"fmt"
	"math/big"
	"testing"
	"time"

	"fairfactor"
	"fairfactor/actors"
)

// cpu is what all nodes have used for turns.
func (s *site) cpu() (sum time.Duration) {
	for _, n := range s.nodes {
		sum += time.Duration(n.sys.Counters.CPU.Load())
	}
	return sum
}

// sixty is a number of 60 digits or so that takes some tenths of a second.
func sixty(t *testing.T) string {
	rng := seeded(t)
	return product(prime(rng, 95), prime(rng, 96))
}

// The same large number from many callers, many times, on several nodes, is factored
// once.
func TestSameNumberRunsOnce(t *testing.T) {
	s := newSite(t, 2, knowing)
	number := sixty(t)
	var jobs []fairfactor.Job
	for c := range 100 {
		jobs = append(jobs, s.submit(s.nodes[c%2], fmt.Sprintf("caller-%d", c), many(number, 10)...)...)
	}
	known := 0
	var most time.Duration
	for _, j := range s.completed(n0(s), jobs...) {
		if j.Known {
			known++
		}
		most = max(most, j.CPU)
	}
	if known != len(jobs)-1 || s.cpu() > most+most/2 {
		t.Errorf("%d of %d jobs ended with what was known; one took %v, all %v", known, len(jobs), most, s.cpu())
	}
	t.Logf("%d jobs: %v of CPU; one of them took %v", len(jobs), s.cpu(), most)
	s.eventually("all actors have stopped or have nothing to do", func() bool {
		f, err := n0(s).Fairness(t.Context())
		return err == nil && f.Violations == 0 && f.Waiting == 0 && f.Open == 0
	})
}

// parked waits until a job of a caller runs and returns which.
func (s *site) oneRuns(n *node, jobs []fairfactor.Job) (running fairfactor.Job) {
	s.eventually("a job runs", func() bool {
		for _, j := range jobs {
			if now, err := n.Job(context.Background(), j.ID); err == nil && now.State == fairfactor.Running && now.Turns > 2 {
				running = now
				return true
			}
		}
		return false
	})
	return running
}

// When the job that runs is cancelled, another one takes over, of the same caller or of
// another one, and no other is hurt.
func TestCancelledRunnerIsReplaced(t *testing.T) {
	s := newSite(t, 2, knowing)
	rng := seeded(t)
	number := product(prime(rng, 104), prime(rng, 105))
	var jobs []fairfactor.Job
	for c := range 3 {
		jobs = append(jobs, s.submit(s.nodes[c%2], fmt.Sprintf("caller-%d", c), many(number, 2)...)...)
	}
	left := jobs
	for range 3 {
		runner := s.oneRuns(n0(s), left)
		if _, err := n0(s).Cancel(t.Context(), runner.ID); err != nil {
			t.Fatal(err)
		}
		var others []fairfactor.Job
		for _, j := range left {
			if j.ID != runner.ID {
				others = append(others, j)
			}
		}
		left = others
	}
	s.completed(n0(s), left...)
}

// A job that waits can be cancelled, which hurts neither the one that runs nor others
// that wait.
func TestCancelledWaiterHurtsNoOne(t *testing.T) {
	s := newSite(t, 2, knowing)
	number := sixty(t)
	first := s.submit(n0(s), "alice", number)
	s.oneRuns(n0(s), first)
	waiting := append(s.submit(s.nodes[1], "bob", many(number, 3)...), s.submit(n0(s), "alice", number)...)
	if j, err := n0(s).Cancel(t.Context(), waiting[1].ID); err != nil || j.State != fairfactor.Cancelled {
		t.Fatalf("%+v, %v", j, err)
	}
	for _, j := range s.completed(n0(s), waiting[0], waiting[2], waiting[3]) {
		if !j.Known {
			t.Errorf("not known: %+v", j)
		}
	}
	s.completed(n0(s), first...)
}

// The node of the caller whose job runs dies, or that of the number's actor, or both:
// the job goes on elsewhere, or another one does, and all end.
func TestSharingOutlivesNodes(t *testing.T) {
	for name, dies := range map[string]struct{ runner, actor int }{
		"runner": {1, 0}, "actor": {0, 1}, "both": {1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, 3, knowing)
			rng := seeded(t)
			number := product(prime(rng, 104), prime(rng, 105))
			key := fairfactor.KeyOfNumber(number)
			s.ex.pin(actors.NumberKind, fmt.Sprintf("%x", key[:]), s.nodes[dies.actor].member, false)
			s.ex.pin(actors.SchedulerKind, actors.SchedulerID, n0(s).member, false)
			s.ex.pin(actors.CallerKind, "runner", s.nodes[dies.runner].member, false)
			s.ex.pin(actors.CallerKind, "waiter", s.nodes[2].member, false)
			jobs := s.submit(n0(s), "runner", number)
			s.oneRuns(n0(s), jobs)
			jobs = append(jobs, s.submit(s.nodes[2], "waiter", number, number)...)
			s.kill(s.nodes[1])
			before := s.cpu()
			ended := s.completed(n0(s), jobs...)
			known := 0
			for _, j := range ended {
				if j.Known {
					known++
				}
			}
			if known < 1 {
				t.Errorf("no job ended with what another one found")
			}
			t.Logf("%d of 3 known, %v of CPU after the death", known, s.cpu()-before)
		})
	}
}

// Small numbers activate no actor of a number.
func TestSmallNumbersAreNotShared(t *testing.T) {
	s := newSite(t, 1, knowing)
	rng := seeded(t)
	var numbers []string
	for range 30 {
		numbers = append(numbers, new(big.Int).Mul(prime(rng, 70), prime(rng, 70)).String())
	}
	jobs := s.submit(n0(s), "alice", numbers...)
	s.completed(n0(s), jobs...)
	s.ex.mu.Lock()
	defer s.ex.mu.Unlock()
	for k := range n0(s).live {
		if len(k) > 6 && k[:6] == actors.NumberKind {
			t.Errorf("%s is there", k)
		}
	}
}

// The job that runs is cancelled when it is far, twice: the next one, of the same caller
// and then of another one on another node, goes on with its work.
func TestWorkGoesAlong(t *testing.T) {
	s := newSite(t, 2, knowing)
	s.ex.pin(actors.CallerKind, "alice", s.nodes[0].member, false)
	s.ex.pin(actors.CallerKind, "bob", s.nodes[1].member, false)
	rng := seeded(t)
	number := product(prime(rng, 102), prime(rng, 103))
	s.completed(n0(s), s.submit(n0(s), "carol", number)...)
	alone := s.cpu()
	if _, err := s.store.TrimKnown(t.Context(), 0, 1000); err != nil {
		t.Fatal(err)
	}
	jobs := append(s.submit(n0(s), "alice", number, number), s.submit(n0(s), "bob", number)...)
	before := s.cpu()
	for i, part := range []float64{0.5, 0.8} {
		s.eventually("the job is far", func() bool { return s.cpu()-before > time.Duration(part*float64(alone)) })
		if _, err := n0(s).Cancel(t.Context(), jobs[i].ID); err != nil {
			t.Fatal(err)
		}
	}
	last := s.completed(n0(s), jobs[2])[0]
	all := s.cpu() - before
	t.Logf("%v of CPU with two changes, %v alone; the last job used %v", all, alone, last.CPU)
	if last.Known || all > alone*8/5 { // a repetition of what was done makes it 2.3 times
		t.Errorf("%v of CPU with two changes, %v alone; the last job used %v", all, alone, last.CPU)
	}
}
