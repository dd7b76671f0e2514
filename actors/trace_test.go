package actors_test

import (
	"testing"
	"time"

	"fairfactor"
	"fairfactor/actors"
)

// TestTraceWherever: a job keeps its trace from a node to its caller's node and to the heir of
// that, while it waits, runs, has ended at once, has failed and is tried again.
func TestTraceWherever(t *testing.T) {
	s := newSite(t, 3, func(c *actors.Config) { c.MaxCPU = 50 * time.Millisecond })
	n := s.nodes[0]
	s.ex.pin(actors.CallerKind, "alice", s.nodes[2].member, false)
	trace := fairfactor.Trace{ID: [16]byte{1, 15: 2}, Parent: [8]byte{3, 7: 4}, Flags: 1}
	number := hard(seeded(t))
	has := func(what string, j fairfactor.Job) {
		t.Helper()
		if j.Trace == nil || *j.Trace != trace {
			t.Errorf("%s has the trace %v", what, j.Trace)
		}
	}
	submit := func(number string) fairfactor.Job {
		t.Helper()
		j := s.receipts(n, "alice", fairfactor.Submission{Number: number, Trace: &trace})[0].Job
		has("a job that was accepted", j)
		return j
	}
	has("one that ended at once", s.completed(n, submit("15"))[0])
	failed := s.wait(n, submit(number))[0]
	has("one that "+failed.State.String(), failed)
	again, err := n.Retry(t.Context(), failed.ID)
	if err != nil {
		t.Fatal(err)
	}
	has("one that is tried again", again)
	waits := submit(number)
	if j, err := n.Job(t.Context(), waits.ID); err != nil {
		t.Error(err)
	} else {
		has("one that is unfinished", j)
	}
	s.kill(s.nodes[2])
	for _, j := range s.wait(n, waits, again) {
		has("one that the heir of its caller's node ended", j)
	}
	if j := s.wait(n, s.submit(n, "alice", "21")...)[0]; j.Trace != nil {
		t.Errorf("a job without a trace has %v", j.Trace)
	}
}
