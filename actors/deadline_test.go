package actors_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fairfactor"
	"fairfactor/actors"
	"fairfactor/actors/backlog"
)

// missed waits for the end of jobs that their deadline must have cancelled.
func (s *site) missed(n *node, jobs ...fairfactor.Job) {
	s.Helper()
	for _, j := range s.wait(n, jobs...) {
		if j.State != fairfactor.Cancelled || !strings.Contains(j.Reason, "deadline") || j.Finished.Before(j.Deadline) {
			s.Errorf("job %d is %s because %q at %v, its deadline was %v", j.ID.Seq, j.State, j.Reason, j.Finished, j.Deadline)
		}
	}
}

// withDeadline submits a number several times.
func (s *site) withDeadline(n *node, caller, number string, jobs int, deadline time.Time) (all []fairfactor.Job) {
	s.Helper()
	sub := fairfactor.Submission{Number: number, Deadline: deadline.UTC().Truncate(time.Microsecond)}
	for range jobs {
		all = append(all, s.receipts(n, caller, sub)[0].Job)
	}
	return all
}

// TestDeadlineWherever: a job whose deadline passes is cancelled whether it runs, waits
// in its caller's window, or waits in the store only; others go on.
func TestDeadlineWherever(t *testing.T) {
	s := newSite(t, 2, nil)
	n := s.nodes[0]
	number := hard(seeded(t))
	deadline := time.Now().Add(3 * time.Second)
	runs := s.withDeadline(n, "alice", number, 1, deadline)[0]
	s.running(n, runs)
	near := s.withDeadline(n, "alice", number, 1, deadline)[0]
	others := s.submit(n, "alice", many(number, 3*backlog.Page)...)
	far := s.withDeadline(n, "alice", number, 2, deadline)
	keeps := s.withDeadline(n, "alice", number, 1, time.Now().Add(time.Hour))[0]
	done := s.completed(n, s.withDeadline(n, "bob", "15", 3, time.Now().Add(time.Minute))...)
	s.missed(s.nodes[1], runs, near, far[0], far[1])
	for _, j := range []fairfactor.Job{others[0], others[len(others)-1], keeps} {
		if j, err := n.Job(t.Context(), j.ID); err != nil || j.State.Final() {
			t.Errorf("job %d is %s: %v", j.ID.Seq, j.State, err)
		}
	}
	for _, j := range done {
		if j.Deadline.IsZero() || j.State != fairfactor.Completed {
			t.Errorf("a job that ended in time: %+v", j)
		}
	}
	if c, err := n.Caller(t.Context(), "alice"); err != nil || c.Cancelled != 4 || c.Queued != uint64(len(others)+1) {
		t.Errorf("account %+v, %v", c, err)
	}
}

// TestDeadlineOfTheDormant: the store's index finds jobs of callers that have no actor,
// and of those whose node has died.
func TestDeadlineOfTheDormant(t *testing.T) {
	s := newSite(t, 3, func(c *actors.Config) { c.Passivate = 20 * time.Millisecond })
	number := hard(seeded(t))
	s.running(s.nodes[0], s.submit(s.nodes[0], "elephant", number)[0])
	deadline := time.Now().Add(2 * time.Second)
	var jobs []fairfactor.Job
	for i := range 30 {
		caller := fmt.Sprint("caller-", i)
		s.ex.pin(actors.CallerKind, caller, s.nodes[2].member, false)
		jobs = append(jobs, s.withDeadline(s.nodes[i%3], caller, number, 1, deadline)...)
	}
	s.kill(s.nodes[2])
	s.missed(s.nodes[0], jobs...)
	if list, err := s.store.Overdue(t.Context(), time.Now(), fairfactor.Overdue{}, 10); err != nil || len(list) > 0 {
		t.Errorf("overdue: %v, %v", list, err)
	}
}

// TestRetryAfterTheDeadline: a failed job that is tried again has no deadline that has
// passed, and keeps one that has not.
func TestRetryAfterTheDeadline(t *testing.T) {
	s := newSite(t, 1, func(c *actors.Config) { c.MaxCPU = time.Millisecond })
	n := s.nodes[0]
	number := hard(seeded(t))
	for _, late := range []bool{false, true} {
		j, after := fairfactor.Job{}, time.Hour
		if late {
			after = time.Second
		}
		for ; j.State != fairfactor.Failed; after *= 2 { // it should fail before
			j = s.wait(n, s.withDeadline(n, "alice", number, 1, time.Now().Add(after))...)[0]
		}
		deadline := j.Deadline
		if late {
			s.eventually("the deadline has passed", func() bool { return time.Now().After(deadline) })
		}
		again, err := n.Retry(t.Context(), j.ID)
		if err != nil || again.Deadline.IsZero() != late {
			t.Errorf("tried again after the deadline %v: %+v, %v", late, again, err)
		}
		if j := s.wait(n, again)[0]; j.State != fairfactor.Failed {
			t.Errorf("the second time it is %s: %s", j.State, j.Reason)
		}
	}
}
