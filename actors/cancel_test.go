package actors_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"fairfactor"
	"fairfactor/actors"
	"fairfactor/actors/backlog"
)

// running waits until a job runs.
func (s *site) running(n *node, job fairfactor.Job) fairfactor.Job {
	s.Helper()
	s.eventually("the job runs", func() bool {
		var err error
		job, err = n.Job(s.Context(), job.ID)
		return err == nil && job.State == fairfactor.Running
	})
	return job
}

func (s *site) cancel(n *node, job fairfactor.Job) fairfactor.Job {
	s.Helper()
	got, err := n.Cancel(s.Context(), job.ID)
	if err != nil || got.State != fairfactor.Cancelled || got.ID != job.ID || got.Number != job.Number || got.Finished.IsZero() {
		s.Errorf("cancel of job %d gives %+v, %v", job.ID.Seq, got, err)
	}
	if kept, err := s.store.Job(s.Context(), job.ID); err != nil || kept.State != fairfactor.Cancelled {
		s.Errorf("job %d is %s in the store: %v", job.ID.Seq, kept.State, err)
	}
	return got
}

func TestCancelWherever(t *testing.T) {
	s := newSite(t, 2, nil)
	n := s.nodes[0]
	number := hard(seeded(t))
	jobs := s.submit(n, "alice", many(number, 3*backlog.Page)...)
	s.running(n, jobs[0])
	for what, at := range map[string]int{
		"running": 0, "in the window": 100, "in the store": 3*backlog.Page - 1, "in the store, further up": 5 * backlog.Page / 2,
	} {
		t.Run(what, func(t *testing.T) {
			got := s.cancel(s.nodes[at%2], jobs[at])
			if (at == 0) != (got.Turn > 0) {
				t.Errorf("its place is %d", got.Turn)
			}
			for _, again := range s.nodes {
				if _, err := again.Cancel(t.Context(), jobs[at].ID); fairfactor.CodeOf(err) != fairfactor.Conflict {
					t.Errorf("again: %v", err)
				}
			}
		})
	}
	if c, err := n.Caller(t.Context(), "alice"); err != nil || c.Cancelled != 4 || c.Queued != uint64(len(jobs)-4) {
		t.Errorf("account %+v, %v", c, err)
	}
	unknown := jobs[0].ID
	unknown.Nonce++
	if _, err := n.Cancel(t.Context(), unknown); fairfactor.CodeOf(err) != fairfactor.NotFound {
		t.Errorf("unknown job: %v", err)
	}
	ended := s.completed(n, s.submit(n, "bob", "15")...)
	if _, err := n.Cancel(t.Context(), ended[0].ID); fairfactor.CodeOf(err) != fairfactor.Conflict {
		t.Errorf("completed job: %v", err)
	}
}

// No turn of a cancelled job is handed out any more, those that run end, and the threads
// are free for others. The scheduler hears of the cancellation before the caller does, so
// that its report has the last turn of the job already.
func TestCancelStopsTheTurns(t *testing.T) {
	s := newSite(t, 1, nil)
	n := s.nodes[0]
	job := s.running(n, s.submit(n, "alice", hard(seeded(t)))[0])
	s.eventually("all threads work on it", func() bool { return s.busy(n) == 2 })
	s.cancel(n, job)
	cancelled := s.fairness(n)
	if cancelled.Waiting != 0 {
		t.Errorf("turns are left: %+v", cancelled)
	}
	s.eventually("the threads stop", func() bool { return s.busy(n) == 0 && s.fairness(n).Open == 0 })
	if last := s.fairness(n).HandedOut; last != cancelled.HandedOut {
		t.Errorf("%d turns were handed out after the cancellation", last-cancelled.HandedOut)
	}
	if other := s.completed(n, s.submit(n, "bob", "15")...)[0]; other.Turn != cancelled.HandedOut+1 {
		t.Errorf("the next turn is number %d, after %d", other.Turn, cancelled.HandedOut)
	}
}

// fairness is the scheduler's report.
func (s *site) fairness(n *node) fairfactor.Fairness {
	s.Helper()
	f, err := n.Fairness(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	return f
}

// busy is how many threads of a node work, as the service tells it.
func (s *site) busy(n *node) (busy int) {
	nodes, err := n.Nodes(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	for _, m := range nodes {
		for _, w := range m.Workers {
			if m.ID == n.ID() && w.Job != "" {
				busy++
			}
		}
	}
	return busy
}

// Each node tells what all of them did.
func TestCountsOfNodes(t *testing.T) {
	s := newSite(t, 2, nil)
	for _, caller := range []string{"alice", "bob", "carol", "dave"} {
		s.completed(n0(s), s.submit(n0(s), caller, "15", "18446744073709551557")...)
	}
	for _, n := range s.nodes {
		s.eventually("the counts are there", func() bool {
			nodes, err := n.Nodes(t.Context())
			if err != nil || len(nodes) != 2 {
				t.Fatalf("%d nodes, %v", len(nodes), err)
			}
			var sum fairfactor.NodeCounts
			for _, m := range nodes {
				sum.Accepted += m.Counts.Accepted
				sum.Completed += m.Counts.Completed
				sum.Turns += m.Counts.Turns
				sum.CPU += m.Counts.CPU
			}
			return sum.Accepted == 8 && sum.Completed == 8 && sum.Turns > 0 && sum.CPU > 0
		})
	}
}

// Many cancel the same job: one succeeds.
func TestCancelManyTimesAtOnce(t *testing.T) {
	s := newSite(t, 2, nil)
	jobs := s.submit(n0(s), "alice", many(hard(seeded(t)), 3*backlog.Page)...)
	for _, job := range []fairfactor.Job{jobs[0], jobs[50], jobs[len(jobs)-1]} {
		var all sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			all.Go(func() { _, errs[i] = s.nodes[i%2].Cancel(t.Context(), job.ID) })
		}
		all.Wait()
		done := 0
		for _, err := range errs {
			switch fairfactor.CodeOf(err) {
			case "":
				done++
			case fairfactor.Conflict:
			default:
				t.Errorf("job %d: %v", job.ID.Seq, err)
			}
		}
		if done != 1 || s.book.ended(job.ID) != 1 {
			t.Errorf("job %d was cancelled %d times, ended %d times", job.ID.Seq, done, s.book.ended(job.ID))
		}
	}
}

func TestRetry(t *testing.T) {
	var generous bool
	tune := func(c *actors.Config) {
		if !generous {
			c.MaxCPU = 20 * time.Millisecond
		}
	}
	s := newSite(t, 1, tune)
	n := s.nodes[0]
	number := hard(seeded(t))
	first := s.submit(n, "alice", number, "15")
	failed := s.wait(n, first[0])[0]
	if failed.State != fairfactor.Failed || failed.Reason == "" || failed.CPU < 20*time.Millisecond {
		t.Fatalf("got %+v", failed)
	}
	if _, err := n.Retry(t.Context(), first[1].ID); fairfactor.CodeOf(err) != fairfactor.Conflict {
		t.Errorf("retry of a job that has not failed: %v", err)
	}
	again, err := n.Retry(t.Context(), failed.ID)
	if err != nil || again.State != fairfactor.Pending || again.ID != failed.ID || again.Order <= first[1].Order || again.Attempts != 1 || again.Reason != "" {
		t.Fatalf("got %+v, %v", again, err)
	}
	if failed = s.wait(n, again)[0]; failed.State != fairfactor.Failed || failed.Attempts != 2 || failed.Order != again.Order {
		t.Errorf("second attempt: %+v", failed)
	}
	// Many at once: one goes back to the queue.
	var all sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		all.Go(func() { _, errs[i] = n.Retry(t.Context(), failed.ID) })
	}
	all.Wait()
	done := 0
	for _, err := range errs {
		if err == nil {
			done++
		} else if fairfactor.CodeOf(err) != fairfactor.Conflict {
			t.Error(err)
		}
	}
	if done < 1 {
		t.Error("no retry of many was taken")
	}
	s.wait(n, failed)
	s.eventually("nothing is left", func() bool {
		c, err := n.Caller(t.Context(), "alice")
		return err == nil && c.Queued == 0 && c.Failed == 1 && c.Completed == 1
	})
}

// A job whose turns go wrong fails, with a sentence, and the node lives on.
func TestTurnsThatGoWrong(t *testing.T) {
	s := newSite(t, 1, nil)
	n := s.nodes[0]
	s.ex.losing(spoil("bad"))
	job := s.wait(n, s.submit(n, "bad", "1000000007")...)[0]
	if job.State != fairfactor.Failed || job.Reason == "" || job.Turns != backlog.MaxFailures || len(job.Factors) != 0 {
		t.Errorf("got %+v", job)
	}
	s.completed(n, s.submit(n, "good", "15")...)
	s.ex.losing(nil)
	again, err := n.Retry(t.Context(), job.ID)
	if err != nil {
		t.Fatal(err)
	}
	s.completed(n, again)
}

func TestPanicIsTheJobsMisfortune(t *testing.T) {
	s := newSite(t, 1, nil)
	if failure := n0(s).sys.RunOnMissingThread("alice", "15"); failure == "" {
		t.Error("a turn that panics reports no failure")
	}
	s.completed(n0(s), s.submit(n0(s), "alice", "15")...)
}

func TestWaitWakesAtOnce(t *testing.T) {
	s := newSite(t, 2, nil)
	job := s.running(n0(s), s.submit(n0(s), "alice", hard(seeded(t)))[0])
	woken := make(chan fairfactor.Job, 2)
	for _, n := range s.nodes {
		go func() {
			got, _ := n.Wait(t.Context(), job.ID) // no deadline
			woken <- got
		}()
	}
	s.eventually("both wait", func() bool { return s.ex.waiting() >= 2 })
	s.cancel(n0(s), job)
	begin := time.Now()
	for range s.nodes {
		if got := <-woken; got.State != fairfactor.Cancelled {
			t.Errorf("woken with %+v", got)
		}
	}
	if took := time.Since(begin); took > time.Second {
		t.Errorf("woken after %v", took)
	}
	if got, err := n0(s).Wait(t.Context(), job.ID); err != nil || got.State != fairfactor.Cancelled {
		t.Errorf("a job that has ended: %+v, %v", got, err)
	}
}

func TestWaitEndsWithTheJobAsItIs(t *testing.T) {
	s := newSite(t, 1, nil)
	n := n0(s)
	job := s.running(n, s.submit(n, "alice", hard(seeded(t)))[0])
	for _, limit := range []time.Duration{0, 50 * time.Millisecond} {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		begin := time.Now()
		got, err := n.Wait(ctx, job.ID)
		cancel()
		if err != nil || got.State != fairfactor.Running || got.ID != job.ID || time.Since(begin) < limit {
			t.Errorf("after %v of %v: %+v, %v", time.Since(begin), limit, got, err)
		}
	}
	unknown := job.ID
	unknown.Nonce++
	if _, err := n.Wait(t.Context(), unknown); fairfactor.CodeOf(err) != fairfactor.NotFound {
		t.Errorf("unknown job: %v", err)
	}
}

// A waiter follows its caller's actor: when it stops, when it moves, and when
// its node is killed.
func TestWaitSurvivesTheActor(t *testing.T) {
	s := newSite(t, 3, nil)
	n := n0(s)
	s.ex.pin(actors.CallerKind, "alice", s.nodes[1].member, false)
	job := s.running(n, s.submit(n, "alice", hard(seeded(t)))[0])
	woken := make(chan fairfactor.Job, 1)
	go func() {
		got, _ := n.Wait(t.Context(), job.ID)
		woken <- got
	}()
	activations := func() (all uint64) {
		for _, n := range s.nodes {
			all += n.sys.Counters.Activations.Load()
		}
		return all
	}
	for _, change := range []func(){
		func() { s.ex.stop(actors.CallerKind, "alice") },
		func() { s.ex.pin(actors.CallerKind, "alice", s.nodes[2].member, false) },
		func() { s.kill(s.nodes[2]) },
	} {
		s.eventually("it waits", func() bool { return s.ex.waiting() == 1 })
		before := activations()
		change()
		s.eventually("the next activation", func() bool { return activations() > before })
	}
	s.eventually("it waits", func() bool { return s.ex.waiting() == 1 })
	s.cancel(n, job)
	begin := time.Now()
	if got := <-woken; got.State != fairfactor.Cancelled || time.Since(begin) > longest/4 {
		t.Errorf("woken after %v with %+v", time.Since(begin), got)
	}
}

func TestWaitersAreBounded(t *testing.T) {
	s := newSite(t, 1, nil)
	n := n0(s)
	number := hard(seeded(t))
	for caller, tt := range map[string]struct {
		deadline time.Time
		want     fairfactor.Code
	}{
		"patient": {time.Now().Add(time.Hour), fairfactor.Limit},
		"late":    {time.Now().Add(-time.Second), ""}, // forgotten with the next tick
	} {
		job := s.submit(n, caller, number)[0]
		for range actors.MaxWaiters {
			n.Tell(actors.CallerKind, caller, awaitMessage(job.ID, tt.deadline))
		}
		s.eventually(caller, func() bool {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			_, err := n.Wait(ctx, job.ID)
			return fairfactor.CodeOf(err) == tt.want
		})
	}
}
