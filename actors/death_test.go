package actors_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"fairfactor"
	"fairfactor/actors"
	"fairfactor/actors/actorspb"
)

// Each new scheduler has the next epoch; work goes on, nothing is lost and no
// place in the dispatch order is given twice.
func TestSchedulerRestarts(t *testing.T) {
	s := newSite(t, 2, nil)
	rng := seeded(t)
	var jobs []fairfactor.Job
	epoch := uint64(0)
	for round := range 5 {
		for c := range 4 {
			for range 25 {
				jobs = append(jobs, s.submit(n0(s), "caller-"+strconv.Itoa(c), digits(rng, 5+rng.IntN(25)))...)
			}
		}
		switch round % 2 {
		case 0:
			s.ex.stop(actors.SchedulerKind, actors.SchedulerID)
		case 1:
			s.ex.pin(actors.SchedulerKind, actors.SchedulerID, s.nodes[round/2%2].member, false)
		}
		s.eventually("the next scheduler", func() bool {
			f, err := n0(s).Fairness(t.Context())
			if err != nil || f.Epoch <= epoch {
				return false
			}
			epoch = f.Epoch
			return true
		})
	}
	dispatched := map[uint64]fairfactor.ID{}
	for _, j := range s.completed(n0(s), jobs...) {
		if other, taken := dispatched[j.Turn]; taken {
			t.Errorf("jobs %v and %v have the place %d", other, j.ID, j.Turn)
		}
		dispatched[j.Turn] = j.ID
	}
	s.eventually("nothing is open", func() bool {
		f, err := n0(s).Fairness(t.Context())
		return err == nil && f.Open == 0 && f.Waiting == 0 && f.Active == 0
	})
}

// The turns of a killed worker run elsewhere.
func TestWorkerNodeIsKilled(t *testing.T) {
	s := newSite(t, 3, nil)
	rng := seeded(t)
	s.ex.pin(actors.SchedulerKind, actors.SchedulerID, n0(s).member, false)
	var jobs []fairfactor.Job
	for c := range 4 {
		s.ex.pin(actors.CallerKind, "caller-"+strconv.Itoa(c), n0(s).member, false)
		for range 30 {
			jobs = append(jobs, s.submit(n0(s), "caller-"+strconv.Itoa(c), digits(rng, 34+rng.IntN(5)))...)
		}
	}
	s.eventually("both others work", func() bool {
		return s.nodes[1].sys.Counters.Turns.Load() > 0 && s.nodes[2].sys.Counters.Turns.Load() > 0
	})
	s.kill(s.nodes[1])
	s.kill(s.nodes[2])
	s.completed(n0(s), jobs...)
}

// Everything that lived on a killed node goes on elsewhere without anybody
// asking for it, though the scheduler was there too.
func TestEverythingElseIsKilled(t *testing.T) {
	s := newSite(t, 2, nil)
	rng := seeded(t)
	dying := s.nodes[1]
	s.ex.pin(actors.SchedulerKind, actors.SchedulerID, dying.member, false)
	s.ex.pin(actors.CallerKind, "alice", dying.member, false)
	s.ex.pin(actors.CallerKind, "bob", dying.member, false)
	jobs := s.submit(n0(s), "alice", many(digits(rng, 30), 20)...)
	dying.store.failing(finishes) // what bob's jobs gave is known to his actor only
	jobs = append(jobs, s.submit(n0(s), "bob", "15", "21", "35")...)
	s.kill(dying)
	s.eventually("all have ended", func() bool {
		for _, j := range jobs {
			if s.book.ended(j.ID) != 1 {
				return false
			}
		}
		return true
	})
	s.completed(n0(s), jobs...)
}

// The outcome of a turn that reached a caller's actor just before its node died
// is in no one's memory: the scheduler has to wake the caller elsewhere.
func TestCallerNodeIsKilledBetweenOutcomeAndCommit(t *testing.T) {
	s := newSite(t, 2, nil)
	s.ex.pin(actors.SchedulerKind, actors.SchedulerID, n0(s).member, false)
	s.ex.pin(actors.CallerKind, "alice", s.nodes[1].member, false)
	s.nodes[1].store.failing(finishes)
	jobs := s.submit(n0(s), "alice", "15", "21", "35")
	s.eventually("all turns have ended", func() bool {
		f, err := n0(s).Fairness(t.Context())
		return err == nil && f.HandedOut >= 3 && f.Open == 0 && f.Waiting == 0
	})
	s.kill(s.nodes[1])
	s.eventually("all have ended", func() bool { return s.book.ended(jobs[0].ID)+s.book.ended(jobs[1].ID)+s.book.ended(jobs[2].ID) == 3 })
	s.completed(n0(s), jobs...)
}

// An activation that was paused comes back after another one has taken over:
// what it writes is refused and it stops. What was submitted to it goes to the
// other one.
func TestFencedActivationStops(t *testing.T) {
	s := newSite(t, 2, nil)
	old, heir := s.nodes[0], s.nodes[1]
	s.ex.pin(actors.CallerKind, "alice", old.member, false)
	first := s.submit(heir, "alice", "15")
	s.completed(heir, first...)
	release := old.store.hold()
	lost := make(chan fairfactor.Receipt, 1)
	go func() { lost <- s.receipts(old, "alice", fairfactor.Submission{Number: "21"})[0] }()
	s.eventually("the old one writes", func() bool { return old.store.held() == 1 })
	s.ex.pin(actors.CallerKind, "alice", heir.member, true) // the old one goes on
	next := s.submit(heir, "alice", "35")
	release()
	moved := <-lost
	if moved.Err != nil {
		t.Fatal(moved.Err)
	}
	s.eventually("it stops", func() bool { return old.sys.Counters.Callers.Load() == 0 })
	if f := old.sys.Counters.Fenced.Load(); f != 1 || s.book.fenced() == 0 {
		t.Errorf("%d activations fenced, %d writes refused", f, s.book.fenced())
	}
	s.completed(heir, append(next, moved.Job)...)
	page, err := heir.List(t.Context(), fairfactor.Query{Caller: "alice", Limit: 10})
	if err != nil || len(page.Jobs) != 3 {
		t.Errorf("the list has %+v, %v", page.Jobs, err)
	}
}

// A request that waits for an answer of an actor that stops gets one at once: the job,
// if it got to the disk, or that it should try again.
func TestStoppedActorAnswersAll(t *testing.T) {
	for name, outcome := range map[string]func(*faults){
		"stored":  func(*faults) {},
		"refused": func(f *faults) { f.failing(func(*fairfactor.Change) error { return down }) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, 1, nil)
			n := n0(s)
			running := s.running(n, s.submit(n, "alice", hard(seeded(t)))[0])
			release := n.store.hold()
			defer release()
			type answer struct {
				what string
				err  error
			}
			answers := make(chan answer, 4)
			// The next activation tries to cancel for as long as the store can't take it.
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			go func() {
				answers <- answer{"submit", s.receipts(n, "alice", fairfactor.Submission{Number: "15"})[0].Err}
			}()
			s.eventually("it is on its way", func() bool { return n.store.held() == 1 })
			go func() {
				answers <- answer{"key", s.receipts(n, "alice", fairfactor.Submission{Number: "15", Key: "k"})[0].Err}
			}()
			go func() {
				_, err := n.Cancel(ctx, running.ID)
				answers <- answer{"cancel", err}
			}()
			go func() {
				_, err := n.SetWeight(ctx, "alice", 3)
				answers <- answer{"weigh", err}
			}()
			s.eventually("all wait", func() bool { return s.ex.seen() == 4 })
			s.ex.stop(actors.CallerKind, "alice")
			s.eventually("it has stopped", func() bool { // and the next one may have started
				c := &n.sys.Counters
				return c.Callers.Load() < int64(c.Activations.Load())
			})
			outcome(n.store)
			release()
			var submitted error
			for range 4 {
				var a answer
				select {
				case a = <-answers:
				case <-time.After(longest):
					t.Fatal("a request waits for ever")
				}
				if code := fairfactor.CodeOf(a.err); code != "" && code != fairfactor.Unavailable || name == "refused" && code == "" {
					t.Errorf("%s: %v", a.what, a.err)
				}
				if a.what == "submit" {
					submitted = a.err
				}
			}
			// The next activation may have fenced the write before it was released.
			page, err := n.List(t.Context(), fairfactor.Query{Caller: "alice", Limit: 10})
			if err != nil {
				t.Fatal(err)
			}
			stored := slices.ContainsFunc(page.Jobs, func(j fairfactor.Job) bool { return j.Number == "15" && j.Key == "" })
			if stored != (submitted == nil) {
				t.Errorf("stored: %v, answered with %v", stored, submitted)
			}
		})
	}
}

// A node that leaves finishes its turns and hands everything over.
func TestNodeLeaves(t *testing.T) {
	s := newSite(t, 3, nil)
	rng := seeded(t)
	var jobs []fairfactor.Job
	for c := range 9 {
		for range 30 {
			jobs = append(jobs, s.submit(n0(s), fmt.Sprint("caller-", c), digits(rng, 10+rng.IntN(25)))...)
		}
	}
	s.leave(s.nodes[1])
	s.leave(s.nodes[2])
	s.completed(n0(s), jobs...)
}

// What was accepted outlives all nodes.
func TestAllNodesAreKilled(t *testing.T) {
	s := newSite(t, 2, nil)
	for _, n := range s.nodes {
		n.store.failing(finishes)
	}
	jobs := append(s.submit(s.nodes[0], "alice", many("600851475143", 30)...), s.submit(s.nodes[1], "bob", "15", hard(seeded(t)))...)
	s.kill(s.nodes[0])
	s.kill(s.nodes[1])
	next := &site{TB: t, ex: newExchange(), store: s.store, book: s.book} // some may have ended before
	next.add()
	t.Cleanup(next.close)
	last := jobs[len(jobs)-1]
	next.completed(n0(next), jobs[:len(jobs)-1]...)
	next.cancel(n0(next), next.running(n0(next), last))
}

// Stop leaves no goroutine at work and does not touch the store afterwards.
func TestStopLeavesNothing(t *testing.T) {
	busy := func() int { return runtime.NumGoroutine() - actors.IdleGoroutines() }
	before := busy()
	for range 3 {
		s := newSite(t, 2, nil)
		s.completed(n0(s), s.submit(n0(s), "alice", "15", "600851475143")...)
		s.running(n0(s), s.submit(n0(s), "bob", hard(seeded(t)))[0])
		n0(s).store.unreadable(func(string) error { return down })
		s.ex.stop(actors.CallerKind, "alice") // its next epoch can't be claimed
		n0(s).Tell(actors.CallerKind, "alice", &actorspb.Envelope{Body: &actorspb.Envelope_Account{Account: &actorspb.Account{}}})
		s.close()
	}
	eventually(t, "as many goroutines as before", func() bool { return busy() <= before })
}

// A scheduler that was paused, and is heard of again after another one has taken
// over, stops for a third one.
func TestPausedSchedulerStops(t *testing.T) {
	s := newSite(t, 2, nil)
	for _, n := range []*node{s.nodes[0], s.nodes[1], s.nodes[0]} {
		s.ex.pin(actors.SchedulerKind, actors.SchedulerID, n.member, true)
		s.completed(n0(s), s.submit(n0(s), "alice", many("600851475143", 5)...)...)
	}
	s.eventually("the third epoch", func() bool {
		f, err := n0(s).Fairness(t.Context())
		return err == nil && f.Epoch >= 3
	})
}
