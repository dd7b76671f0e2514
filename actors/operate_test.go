package actors_test

import (
	"context"
	"slices"
	"strconv"
	"testing"
	"time"

	"fairfactor"
	"fairfactor/actors"
	"fairfactor/actors/backlog"
	"fairfactor/store/memory"
)

// finished waits until an operation is done.
func (s *site) finished(n *node, op fairfactor.Operation) fairfactor.Operation {
	s.Helper()
	s.eventually("the operation is done", func() bool {
		now, err := n.Operation(context.Background(), op.ID)
		if err == nil {
			op = now
		}
		return err == nil && !op.Finished.IsZero()
	})
	return op
}

// states counts a caller's jobs by their states.
func (s *site) states(n *node, caller string) map[fairfactor.State]int {
	s.Helper()
	counts := map[fairfactor.State]int{}
	for q := (fairfactor.Query{Caller: caller, Limit: fairfactor.MaxPage}); ; {
		page, err := n.List(s.Context(), q)
		if err != nil {
			s.Fatal(err)
		}
		for i := range page.Jobs {
			counts[page.Jobs[i].State]++
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return counts
		}
	}
}

func deep(c *actors.Config) { c.MaxQueue = 100_000 }

// TestCancelAll: all jobs of a caller that were there when the operation was accepted
// are cancelled, wherever they are, and no others.
func TestCancelAll(t *testing.T) {
	s := newSite(t, 2, deep)
	n := s.nodes[0]
	number := hard(seeded(t))
	jobs := s.submit(n, "alice", many(number, 6*backlog.Page)...)
	other := s.submit(n, "bob", many("1000003", 200)...)
	s.running(n, jobs[0])
	op, err := s.nodes[1].CancelAll(t.Context(), fairfactor.Query{Caller: "alice"})
	if err != nil || op.Matched != uint64(len(jobs)) {
		t.Fatalf("%+v, %v", op, err)
	}
	later := s.submit(n, "alice", many("1000033", 20)...)
	op = s.finished(n, op)
	if op.Done != uint64(len(jobs)) || op.Skipped != 0 {
		t.Errorf("%d done, %d skipped of %d", op.Done, op.Skipped, len(jobs))
	}
	s.completed(n, append(later, other...)...)
	want := map[fairfactor.State]int{fairfactor.Cancelled: len(jobs), fairfactor.Completed: len(later)}
	if got := s.states(n, "alice"); len(got) != 2 || got[fairfactor.Cancelled] != want[fairfactor.Cancelled] || got[fairfactor.Completed] != want[fairfactor.Completed] {
		t.Errorf("jobs by state: %v, want %v", got, want)
	}
}

// TestCancelNothing: an operation on a caller that has no jobs is done at once, and what
// the caller submits after it is left alone.
func TestCancelNothing(t *testing.T) {
	s := newSite(t, 1, nil)
	n := s.nodes[0]
	limit := uint64(10)
	if _, err := n.SetBounds(t.Context(), "alice", fairfactor.BoundsChange{MaxQueue: &limit}); err != nil {
		t.Fatal(err)
	}
	op, err := n.CancelAll(t.Context(), fairfactor.Query{Caller: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	later := s.submit(n, "alice", hard(seeded(t)), "15")
	if op = s.finished(n, op); op.Matched != 0 || op.Done != 0 || op.Skipped != 0 {
		t.Errorf("%d matched, %d done, %d skipped of no jobs", op.Matched, op.Done, op.Skipped)
	}
	s.completed(n, later[1])
	if job := s.running(n, later[0]); job.State != fairfactor.Running {
		t.Errorf("the job that came later is %s", job.State)
	}
}

// TestCancelAllThatWait leaves those alone that run, and those that do not suit.
func TestCancelAllThatWait(t *testing.T) {
	s := newSite(t, 1, deep)
	n, rng := s.nodes[0], seeded(t)
	runs, waits := hard(rng), hard(rng)
	first := s.submit(n, "alice", runs)
	s.running(n, first[0])
	s.submit(n, "alice", many(waits, 2*backlog.Page)...)
	pending := fairfactor.In(fairfactor.Pending)
	op, err := n.CancelAll(t.Context(), fairfactor.Query{Caller: "alice", States: pending, Number: "15"})
	if err != nil || op.Matched != 0 {
		t.Fatalf("%+v, %v", op, err)
	}
	if op = s.finished(n, op); op.Done != 0 {
		t.Errorf("%d jobs with another number are cancelled", op.Done)
	}
	if op, err = n.CancelAll(t.Context(), fairfactor.Query{Caller: "alice", States: pending}); err != nil {
		t.Fatal(err)
	}
	s.finished(n, op)
	s.eventually("what is left runs", func() bool { // it is shown a moment after it has begun
		got := s.states(n, "alice")
		live := got[fairfactor.Running]
		return live > 0 && got[fairfactor.Pending] == 0 && live+got[fairfactor.Cancelled] == 1+2*backlog.Page
	})
	if op, err = n.CancelAll(t.Context(), fairfactor.Query{Caller: "alice"}); err != nil {
		t.Fatal(err)
	}
	s.finished(n, op)
	for what, q := range map[string]fairfactor.Query{"all callers": {}, "completed": {Caller: "alice", States: fairfactor.In(fairfactor.Completed)}} {
		if _, err := n.CancelAll(t.Context(), q); fairfactor.CodeOf(err) != fairfactor.Invalid {
			t.Errorf("%s: %v, want invalid", what, err)
		}
	}
	if _, err := n.CancelAll(t.Context(), fairfactor.Query{Caller: "stranger"}); fairfactor.CodeOf(err) != fairfactor.NotFound {
		t.Errorf("a stranger: %v, want not_found", err)
	}
}

// TestOperationSurvivesItsNodes: nodes die one after the other while they work on an
// operation, and it still changes each job once and counts it.
func TestOperationSurvivesItsNodes(t *testing.T) {
	s := newSite(t, 4, deep)
	number := hard(seeded(t))
	var jobs []fairfactor.Job
	for range 10 {
		jobs = append(jobs, s.submit(s.nodes[0], "alice", many(number, 4*backlog.Page)...)...)
	}
	op, err := s.nodes[0].CancelAll(t.Context(), fairfactor.Query{Caller: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	last := s.nodes[3]
	for i, done := range []uint64{1, 5_000, 10_000} {
		s.eventually("the operation goes on", func() bool {
			now, err := last.Operation(t.Context(), op.ID)
			return err == nil && now.Done >= done
		})
		s.kill(s.nodes[i])
	}
	if op = s.finished(last, op); op.Done != uint64(len(jobs)) || op.Skipped != 0 {
		t.Errorf("%d done, %d skipped of %d", op.Done, op.Skipped, len(jobs))
	}
	if got := s.states(last, "alice"); got[fairfactor.Cancelled] != len(jobs) {
		t.Errorf("jobs by state: %v", got)
	}
}

// TestOperationWhoseAnswerIsLost: jobs that an operation changed are counted by what is asked
// again.
func TestOperationWhoseAnswerIsLost(t *testing.T) {
	s := newSite(t, 2, nil)
	here, there := s.nodes[0], s.nodes[1]
	s.ex.pin(actors.SchedulerKind, actors.SchedulerID, here.member, false)
	s.ex.pin(actors.CallerKind, "alice", there.member, false)
	jobs := s.submit(here, "alice", many(hard(seeded(t)), 3)...)
	s.ex.deafen(true)
	op, err := here.CancelAll(t.Context(), fairfactor.Query{Caller: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	s.eventually("they are cancelled", func() bool { return s.states(here, "alice")[fairfactor.Cancelled] == len(jobs) })
	s.ex.deafen(false)
	s.ex.breaks(there.member)
	if op = s.finished(here, op); op.Done != uint64(len(jobs)) || op.Skipped != 0 {
		t.Errorf("%d done, %d skipped of %d", op.Done, op.Skipped, len(jobs))
	}
}

// TestOperationThatCannotGoOn: one whose next page can't be read holds up no other.
func TestOperationThatCannotGoOn(t *testing.T) {
	s := newSite(t, 1, nil)
	n := s.nodes[0]
	jobs := s.submit(n, "alice", many(hard(seeded(t)), 10)...)
	before := time.Now().Add(-time.Minute)
	stuck := fairfactor.Operation{
		ID: fairfactor.NewOperationID(before, 1), Kind: fairfactor.CancelJobs, Query: fairfactor.Query{Caller: "bob"}, Created: before, Cursor: "none of ours",
	}
	if err := s.store.SaveOperation(t.Context(), stuck); err != nil {
		t.Fatal(err)
	}
	op, err := n.CancelAll(t.Context(), fairfactor.Query{Caller: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	if op = s.finished(n, op); op.Done != uint64(len(jobs)) {
		t.Errorf("%d done of %d", op.Done, len(jobs))
	}
}

// TestRetryAll puts back what failed, of all callers or of one.
func TestRetryAll(t *testing.T) {
	s := newSite(t, 2, func(c *actors.Config) { c.MaxCPU = time.Nanosecond })
	n := s.nodes[0]
	for _, caller := range []string{"alice", "bob"} {
		jobs := s.submit(n, caller, many(hard(seeded(t)), 3)...)
		for _, j := range s.wait(n, jobs...) {
			if j.State != fairfactor.Failed {
				t.Fatalf("a job without CPU is %s", j.State)
			}
		}
	}
	attempts := func(caller string) (n int) {
		page, err := s.nodes[1].List(t.Context(), fairfactor.Query{Caller: caller, Limit: 10, States: fairfactor.In(fairfactor.Failed)})
		if err != nil {
			t.Fatal(err)
		}
		for i := range page.Jobs {
			n += page.Jobs[i].Attempts
		}
		return n
	}
	for want, q := range map[uint64]fairfactor.Query{3: {Caller: "bob"}, 6: {States: fairfactor.In(fairfactor.Failed)}} {
		before := attempts("alice") + attempts("bob")
		op, err := n.RetryAll(t.Context(), q)
		if err != nil || op.Matched != want {
			t.Fatalf("%+v: %+v, %v", q, op, err)
		}
		if op = s.finished(n, op); op.Done != want || op.Skipped != 0 {
			t.Errorf("%+v: %d done, %d skipped", q, op.Done, op.Skipped)
		}
		s.eventually("they have failed again", func() bool { return attempts("alice")+attempts("bob") == before+int(want) })
	}
	if _, err := n.RetryAll(t.Context(), fairfactor.Query{States: fairfactor.In(fairfactor.Cancelled)}); fairfactor.CodeOf(err) != fairfactor.Invalid {
		t.Errorf("cancelled ones: %v, want invalid", err)
	}
}

// TestCountingIsBounded: of very many jobs only the first are counted while a request
// waits; the operation counts the others, and never says that it has done more than there
// are.
func TestCountingIsBounded(t *testing.T) {
	store := memory.New()
	const jobs = 12_345
	leave(t, store, "alice", slices.Repeat([]string{"15"}, jobs)...)
	claim, err := store.ClaimCaller(t.Context(), "alice", "")
	if err != nil {
		t.Fatal(err)
	}
	if errs, err := store.Apply(t.Context(), []fairfactor.Change{{Op: fairfactor.Pause, Caller: "alice", Number: claim.Number, Epoch: claim.Epoch, Paused: true}}); err != nil || errs != nil {
		t.Fatal(errs, err)
	}
	s := siteOn(t, store, 1, nil)
	n := n0(s)
	op, err := n.CancelAll(t.Context(), fairfactor.Query{Caller: "alice", Number: "15"})
	if err != nil || op.Matched != 10_000 || !op.Uncounted {
		t.Fatalf("%+v, %v", op, err)
	}
	s.eventually("it is done", func() bool {
		op, err = n.Operation(t.Context(), op.ID)
		if err != nil || op.Done+op.Skipped > op.Matched {
			t.Fatalf("%+v, %v", op, err)
		}
		return !op.Finished.IsZero()
	})
	if op.Done != jobs || op.Matched != jobs || op.Uncounted {
		t.Errorf("%+v", op)
	}
}

// TestPause: a caller that is paused gets no turns, whatever it had begun, until it is
// resumed, also when the nodes are others by then.
func TestPause(t *testing.T) {
	s := newSite(t, 1, nil)
	n := s.nodes[0]
	number := hard(seeded(t))
	jobs := s.submit(n, "alice", number, "1000003")
	s.running(n, jobs[0])
	s.wait(n, jobs[1])
	c, err := n.SetPaused(t.Context(), "alice", true)
	if err != nil || !c.Paused || c.Running != 0 || c.Queued != 1 || !c.Oldest.Equal(jobs[0].Submitted) {
		t.Fatalf("%+v, %v", c, err)
	}
	s.eventually("no worker works for her", func() bool { return s.busy(n) == 0 })
	waiting := s.submit(n, "alice", "1000033")
	s.completed(n, s.submit(n, "bob", many("1000003", 50)...)...)
	if j, err := n.Job(t.Context(), waiting[0].ID); err != nil || j.State != fairfactor.Pending {
		t.Errorf("a job of a paused caller is %s: %v", j.State, err)
	}
	s.leave(n)
	m := s.add()
	s.changed()
	s.completed(m, s.submit(m, "bob", many("1000003", 50)...)...)
	if j, err := m.Job(t.Context(), waiting[0].ID); err != nil || j.State != fairfactor.Pending {
		t.Errorf("after a restart it is %s: %v", j.State, err)
	}
	if c, err := m.Caller(t.Context(), "alice"); err != nil || !c.Paused || c.Queued != 2 {
		t.Errorf("after a restart: %+v, %v", c, err)
	}
	s.cancel(m, jobs[0])
	if c, err = m.SetPaused(t.Context(), "alice", false); err != nil || c.Paused {
		t.Fatalf("%+v, %v", c, err)
	}
	s.completed(m, waiting...)
}

// TestOldestWaits: what an account says of jobs that wait is not of those that run.
func TestOldestWaits(t *testing.T) {
	s := newSite(t, 1, nil)
	n := s.nodes[0]
	jobs := s.submit(n, "alice", hard(seeded(t)))
	s.running(n, jobs[0])
	s.eventually("nothing waits", func() bool {
		c, err := n.Caller(t.Context(), "alice")
		return err == nil && c.Queued == 1 && c.Running == 1 && c.Oldest.IsZero()
	})
	rest := s.submit(n, "alice", many(strconv.Itoa(1000003), 1)...)
	s.wait(n, rest...)
	s.cancel(n, jobs[0])
}

// TestPauseLeavesWhatIsShared: a number that a paused caller was at goes on for another
// caller, and what that finds is for both in the end.
func TestPauseLeavesWhatIsShared(t *testing.T) {
	s := newSite(t, 2, knowing)
	n := n0(s)
	rng := seeded(t)
	number := product(prime(rng, 105), prime(rng, 106))
	hers := s.submit(n, "alice", number, number)
	s.oneRuns(n, hers)
	his := s.submit(n, "bob", number)
	if _, err := n.SetPaused(t.Context(), "alice", true); err != nil {
		t.Fatal(err)
	}
	s.completed(n, his...)
	for _, j := range hers {
		if now, err := n.Job(t.Context(), j.ID); err != nil || now.State.Final() {
			t.Errorf("a job of a paused caller is %s: %v", now.State, err)
		}
	}
	if _, err := n.SetPaused(t.Context(), "alice", false); err != nil {
		t.Fatal(err)
	}
	s.completed(n, hers...)
}
