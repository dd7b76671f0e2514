package cluster_test

import (
	"slices"
	"testing"
	"time"

	"fairfactor/cluster"

	"google.golang.org/protobuf/types/known/wrapperspb"
)

// patients activates some actors that retire on a node.
func patients(t *testing.T, n *cluster.Node, log *ledger) (all []string) {
	t.Helper()
	for i := 0; len(all) < 60; i++ {
		if n.Owner("patient", names(i)) == n.ID() {
			all = append(all, names(i))
		}
	}
	for _, identity := range all {
		n.Tell("patient", identity, wrapperspb.String("hello"))
	}
	eventually(t, func() bool {
		return !slices.ContainsFunc(all, func(identity string) bool { return log.matching(identity, "hello") == 0 })
	})
	return all
}

// retiring starts a node whose actors may take so long to retire, and returns what its peers
// are to be like.
func retiring(t *testing.T, log *ledger, limit time.Duration) (*cluster.Node, settings) {
	t.Helper()
	c := config(log.see)
	c.Timing = unhurried()
	c.Timing.Retire, c.Timing.Settle = limit, longest
	a := start(t, c)
	return a, settings{join: gossipOf(a), timing: c.Timing}
}

// moving are those that another node has in n's view.
func moving(t *testing.T, n *cluster.Node, all []string) (moved []string) {
	t.Helper()
	for _, identity := range all {
		if n.Owner("patient", identity) != n.ID() {
			moved = append(moved, identity)
		}
	}
	if len(moved) == 0 || len(moved) == len(all) {
		t.Fatalf("%d of %d actors move", len(moved), len(all))
	}
	return moved
}

// An actor that retires, because a node has joined that will have it, gets what others tell it
// until it stops. Only then does the view settle, and there is never another activation.
func TestRetiringActorIsToldStill(t *testing.T) {
	if !alone(t) {
		return
	}
	var log ledger
	a, like := retiring(t, &log, longest)
	b := spawn(t, &log, like)
	members(t, 2, a)
	all := patients(t, a, &log)
	launch(t, &log, like)
	eventually(t, func() bool { return len(a.View().Members) == 3 && b.do("members") == "3" })
	moved := moving(t, a, all)
	for _, identity := range moved {
		if reply := b.do("tell", "patient", identity, "last words"); reply != "ok" {
			t.Fatal(reply)
		}
	}
	for _, identity := range moved {
		eventually(t, func() bool { return log.matching(identity, "last words") == 1 })
	}
	for _, e := range log.all() {
		if e.event == "last words" && e.node != a.ID() {
			t.Errorf("%s on %s got what the actor that retires on %s waits for", e.identity, e.node, a.ID())
		}
	}
	if a.Settled() {
		t.Error("the view has settled while actors retire")
	}
	for _, identity := range moved {
		if got := log.of(identity); !slices.Equal(got, []string{"started", "hello", "retire", "last words"}) {
			t.Errorf("%s: %q", identity, got)
		}
		b.do("tell", "patient", identity, "stop")
	}
	members(t, 3, a)
	for _, identity := range moved {
		a.Tell("patient", identity, wrapperspb.String("hello again"))
		eventually(t, func() bool { return log.matching(identity, "hello again") == 1 })
	}
	if _, double := log.alive(); len(double) > 0 {
		t.Errorf("overlapping activations: %v", double)
	}
	for _, identity := range all {
		a.Tell("patient", identity, wrapperspb.String("stop"))
	}
}

// An actor that does not retire in time is stopped, and so is one whose node leaves.
func TestRetirementEnds(t *testing.T) {
	if !alone(t) {
		return
	}
	var log ledger
	a, like := retiring(t, &log, 100*time.Millisecond)
	all := patients(t, a, &log)
	spawn(t, &log, like)
	members(t, 2, a)
	ended := []string{"started", "hello", "retire", "stopping", "stopped"}
	moved := moving(t, a, all)
	for _, identity := range moved {
		if got := log.of(identity); !slices.Equal(got, ended) {
			t.Errorf("%s: %q", identity, got)
		}
	}
	if err := a.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	for _, identity := range all {
		if got := log.of(identity); !slices.Equal(got, ended) {
			t.Errorf("%s: %q", identity, got)
		}
	}
}
