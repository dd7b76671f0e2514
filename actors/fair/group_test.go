package fair_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fairfactor/actors/fair"
)

// hall is a ring with callers in groups, named group:caller; names without a
// colon are callers without a group.
type hall struct {
	*fair.Ring
	groups  map[string]*fair.Group
	callers map[string]*fair.Caller
}

func hallOf(names string) *hall {
	h := &hall{fair.New(quantum, slack), map[string]*fair.Group{}, map[string]*fair.Caller{}}
	for _, name := range strings.Fields(names) {
		h.Join(h.add(name))
	}
	return h
}

func (h *hall) add(name string) *fair.Caller {
	c := &fair.Caller{Owner: name, Weight: 1}
	h.callers[name] = c
	if group, _, ok := strings.Cut(name, ":"); ok {
		if h.groups[group] == nil {
			h.groups[group] = fair.NewGroup(group, 1)
		}
		h.Move(c, h.groups[group])
	}
	return c
}

// TestGroupsGoRoundRobin, and inside each group its callers do.
func TestGroupsGoRoundRobin(t *testing.T) {
	h := hallOf("a:1 a:2 b:1 c a:3")
	expect(t, handOut(h.Ring, 12, time.Millisecond), "a:1 b:1 c a:2 b:1 c a:3 b:1 c a:1 b:1 c")
}

// TestWeightsOnBothLevels: group a has two turns to each of b's, and in a the
// caller 1 has three to each of 2's.
func TestWeightsOnBothLevels(t *testing.T) {
	h := hallOf("a:1 a:2 b:1")
	h.Weigh(h.groups["a"], 2)
	h.callers["a:1"].Weight = 3
	got := map[string]int{}
	for _, name := range strings.Fields(handOut(h.Ring, 1200, time.Millisecond)) {
		got[name]++
	}
	if got["a:1"] != 600 || got["a:2"] != 200 || got["b:1"] != 400 {
		t.Errorf("turns: %v, want 600, 200 and 400", got)
	}
}

// TestSplittingGainsNothing: one caller against a group of a thousand names.
func TestSplittingGainsNothing(t *testing.T) {
	h := hallOf("honest")
	for i := range 1000 {
		h.Join(h.add(fmt.Sprint("many:", i)))
	}
	n := strings.Count(handOut(h.Ring, 2000, time.Millisecond), "honest")
	if n < 990 {
		t.Errorf("the honest caller had %d of 2,000 turns, want half of them", n)
	}
}

// TestNewcomerWaitsOneRoundOfEach: a new group is served within one round of the
// groups. A new caller of a group is served within one round inside its group, so
// after as many turns of the group as it has callers; each comes within one round
// of the groups.
func TestNewcomerWaitsOneRoundOfEach(t *testing.T) {
	const groups, size = 20, 7
	h := hallOf("")
	for i := range groups * size {
		h.Join(h.add(fmt.Sprintf("g%d:%d", i%groups, i)))
	}
	handOut(h.Ring, 1003, time.Millisecond)
	h.Join(h.add("new:1"))
	served := strings.Fields(handOut(h.Ring, groups+1, time.Millisecond))
	if !contains(served, "new:1") {
		t.Errorf("a new group had no turn in a round of the groups: %v", served)
	}
	h.Join(h.add("g5:new"))
	turns, at := 0, 0
	for i, name := range strings.Fields(handOut(h.Ring, (groups+1)*(size+1), time.Millisecond)) {
		if strings.HasPrefix(name, "g5:") {
			turns, at = turns+1, i
		}
		if name == "g5:new" {
			break
		}
	}
	if turns > size+1 || at >= (groups+1)*(size+1) {
		t.Errorf("a new caller waited for %d turns of its group of %d, %d of all", turns, size, at)
	}
}

func contains(names []string, name string) bool {
	return strings.Contains(" "+strings.Join(names, " ")+" ", " "+name+" ")
}

// TestGroupReturnsWithoutGain: it keeps its start tag, whichever of its callers
// comes and goes, and comes last in the round.
func TestGroupReturnsWithoutGain(t *testing.T) {
	h := hallOf("a:1 b:1")
	handOut(h.Ring, 2, time.Millisecond)
	h.Settle(h.callers["a:1"], h.Charge(h.callers["a:1"], 45*time.Millisecond), 45*time.Millisecond)
	h.Leave(h.callers["a:1"], false)
	h.Join(h.add("a:2")) // a new name of the same group
	expect(t, handOut(h.Ring, 7, time.Millisecond), "b:1 b:1 b:1 b:1 b:1 a:2 b:1")
}

// TestOwedGroupKeepsItsPlace while all of its callers are owed.
func TestOwedGroupKeepsItsPlace(t *testing.T) {
	h := hallOf("a:1 b:1 c:1")
	handOut(h.Ring, 3, time.Millisecond)
	h.Leave(h.callers["a:1"], true)
	expect(t, handOut(h.Ring, 4, time.Millisecond), "b:1 c:1 b:1 c:1")
	h.Join(h.callers["a:1"])
	expect(t, handOut(h.Ring, 5, time.Millisecond), "a:1 b:1 c:1 a:1 b:1")
}

// TestRefundGivesTheGroupItsPlace back, and its charge.
func TestRefundGivesTheGroupItsPlace(t *testing.T) {
	h := hallOf("a:1 b:1 c:1")
	lost := h.Charge(h.callers["a:1"], time.Millisecond)
	expect(t, handOut(h.Ring, 4, time.Millisecond), "b:1 c:1 a:1 b:1")
	h.Refund(h.callers["a:1"], lost)
	expect(t, handOut(h.Ring, 4, time.Millisecond), "a:1 c:1 b:1 a:1")
	if least, most := h.Spread(); most-least != time.Millisecond {
		t.Errorf("after 3, 3 and 2 turns of 1 ms: start tags from %v to %v", least, most)
	}
}

// TestMovedCallerIsNewInItsGroup: it has neither credit nor debt there.
func TestMovedCallerIsNewInItsGroup(t *testing.T) {
	h := hallOf("a:1 a:2 b:1")
	handOut(h.Ring, 400, time.Millisecond)
	h.Settle(h.callers["a:2"], h.Charge(h.callers["a:2"], 90*time.Millisecond), 90*time.Millisecond)
	h.Move(h.callers["a:2"], h.groups["b"])
	if n := h.groups["b"].Size(); n != 2 {
		t.Errorf("group b has %d callers, want 2", n)
	}
	// b:1 has had its turn of this round, and the group a is ahead.
	expect(t, handOut(h.Ring, 4, time.Millisecond), "a:2 b:1 a:2 b:1")
}

// TestEmptyGroupIsForgotten once it would come back like a new one.
func TestEmptyGroupIsForgotten(t *testing.T) {
	h := hallOf("a:1 b:1")
	handOut(h.Ring, 3, time.Millisecond)
	a := h.callers["a:1"]
	h.Leave(a, false)
	if h.IdleGroup(h.groups["a"]) {
		t.Error("group a has a caller")
	}
	h.Move(a, nil)
	if h.IdleGroup(h.groups["a"]) {
		t.Error("group a used more than b")
	}
	handOut(h.Ring, 2, time.Millisecond)
	if !h.IdleGroup(h.groups["a"]) {
		t.Error("group a would come back like a new one")
	}
}
