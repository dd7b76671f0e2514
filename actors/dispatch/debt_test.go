package dispatch_test

import (
	"testing"
	"time"

	"fairfactor/actors/dispatch"
)

// A caller that owes is charged in its turn, in parts no longer than a turn, until it
// has paid: the others get that much more, and the bound holds all the while.
func TestDebtIsPaidInTurns(t *testing.T) {
	const turn, debt = 10 * time.Millisecond, time.Second
	m := dispatch.New(dispatch.Config{Epoch: 1})
	now := time.Duration(0)
	got := map[string]time.Duration{}
	next := map[string]int{}
	offer := func(caller string, o dispatch.Offer) {
		o.Turns = some(caller, next[caller], 200, turn, true).Turns
		o.Caller, o.Epoch, o.Weight, o.More = caller, 1, 1, true
		next[caller] += 200
		m.Offer(now, o)
	}
	offer("debtor", dispatch.Offer{Charge: debt - 50*dispatch.DefaultQuantum, Known: 50})
	offer("other", dispatch.Offer{})
	for now < 5*time.Second {
		m.Beat(now, "w", 1, nil)
		runs, pulls := m.Dispatch(now)
		for _, p := range pulls {
			offer(p.Caller, dispatch.Offer{})
		}
		for _, r := range runs {
			for _, run := range r.Turns {
				now += turn
				got[run.Caller] += turn
				m.End(now, run.Dispatched, turn)
			}
		}
		if r := m.Report(); r.Violations != 0 || r.Lag > dispatch.Reach(1, dispatch.DefaultQuantum) {
			t.Fatalf("after %v: %d violations, lag %v", now, r.Violations, r.Lag)
		}
	}
	behind := got["other"] - got["debtor"]
	if slack := 2*dispatch.LongestTurn + dispatch.Slack; behind < debt-slack || behind > debt+slack {
		t.Errorf("the debtor got %v, the other %v: the difference should be %v", got["debtor"], got["other"], debt)
	}
}
