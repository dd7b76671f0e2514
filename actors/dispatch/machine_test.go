package dispatch_test

import (
	"fmt"
	"testing"
	"time"

	"fairfactor/actors/dispatch"
)

// some makes an offer of that many turns.
func some(caller string, first, n int, predict time.Duration, more bool) dispatch.Offer {
	o := dispatch.Offer{Caller: caller, Epoch: 1, Weight: 1, More: more}
	for i := range n {
		o.Turns = append(o.Turns, dispatch.Turn{Key: dispatch.Key{Caller: caller, Epoch: 1, Seq: uint64(first + i)}, Predict: predict, Body: caller})
	}
	return o
}

// TestPullAlwaysWantsATurn: windows become smaller when many callers come. One
// that was found to be half empty before that must still be asked for a turn, or
// its caller would have nothing to answer and be taken for silent.
func TestPullAlwaysWantsATurn(t *testing.T) {
	m := dispatch.New(dispatch.Config{Epoch: 1})
	m.Offer(0, some("a", 1, 30, time.Millisecond, true))
	for i := range dispatch.Cache {
		m.Offer(0, some(fmt.Sprint("other", i), 1, 1, time.Millisecond, false))
	}
	_, pulls := m.Dispatch(0)
	if len(pulls) != 1 || pulls[0] != (dispatch.Pull{Caller: "a", Want: 1, Claim: 1}) {
		t.Errorf("pulls: %v, want one turn from a", pulls)
	}
}

// TestBoundRemembersWorkersThatLeft: what eight workers held drove two callers
// apart; that seven of them leave afterwards makes it no violation.
func TestBoundRemembersWorkersThatLeft(t *testing.T) {
	m := dispatch.New(dispatch.Config{Epoch: 1})
	for i := range 8 {
		m.Beat(0, fmt.Sprint("w", i), 1, nil)
	}
	m.Offer(0, some("long", 1, 20, 3*time.Millisecond, false))
	m.Offer(0, some("short", 1, 400, 3*time.Millisecond, false))
	runs, _ := m.Dispatch(0)
	for _, r := range runs {
		for _, turn := range r.Turns {
			used := 3 * time.Millisecond
			if turn.Caller == "long" {
				used = 100 * time.Millisecond
			}
			m.End(0, turn.Dispatched, used)
		}
	}
	for i := range 7 {
		m.WorkerLeft(0, fmt.Sprint("w", i))
	}
	r := m.Report()
	if r.Lag <= dispatch.Reach(1, dispatch.DefaultQuantum) {
		t.Fatalf("the lag of %v shows nothing", r.Lag)
	}
	if r.Violations != 0 || r.Bound != dispatch.Bound(8, dispatch.DefaultQuantum) {
		t.Errorf("after the workers left: %+v", r)
	}
	for range 100 { // one works on, and the one that is behind catches up
		runs, _ := m.Dispatch(0)
		for _, turn := range runs[0].Turns {
			m.End(0, turn.Dispatched, turn.Predict)
		}
	}
	if r = m.Report(); r.Violations != 0 || r.Bound != dispatch.Bound(1, dispatch.DefaultQuantum) {
		t.Errorf("after the other one caught up: %+v", r)
	}
}

// TestViolationIsSeen: a turn that uses far more than any turn may is noticed.
func TestViolationIsSeen(t *testing.T) {
	m := dispatch.New(dispatch.Config{Epoch: 1})
	m.Beat(0, "w", 1, nil)
	m.Offer(0, some("a", 1, 9, 20*time.Millisecond, false))
	m.Offer(0, some("b", 1, 9, 20*time.Millisecond, false))
	runs, _ := m.Dispatch(0)
	m.End(0, runs[0].Turns[0].Dispatched, time.Second)
	if r := m.Report(); r.Violations != 1 || r.Lag != time.Second {
		t.Errorf("a turn used a second: %+v", r)
	}
}

// TestViolationInsideAGroupIsSeen, and counts on that level only.
func TestViolationInsideAGroupIsSeen(t *testing.T) {
	m := dispatch.New(dispatch.Config{Epoch: 1})
	m.Beat(0, "w", 1, nil)
	for _, name := range []string{"a", "b"} {
		o := some(name, 1, 9, 20*time.Millisecond, false)
		o.Group = "both"
		m.Offer(0, o)
	}
	runs, _ := m.Dispatch(0)
	m.End(0, runs[0].Turns[0].Dispatched, time.Second)
	if r := m.Report(); r.Violations != 1 || r.Inside.Violations != 1 || r.Inside.MaxLag != time.Second || r.Between.Lag != 0 {
		t.Errorf("a turn used a second: %+v", r)
	}
}
