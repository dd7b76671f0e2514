package fair_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"fairfactor/actors/fair"
)

const (
	longest = 100 * time.Millisecond
	slack   = 40 * time.Millisecond
)

// site is a ring with slots that hold one turn each, and everything that can go
// wrong: predictions that are off by a thousand, callers that come, go, are
// dormant, owed and blocked, turns that get lost.
type site struct {
	rng     *rand.Rand
	ring    *fair.Ring
	callers []*fair.Caller
	groups  []*fair.Group
	slots   []*slotTurn // nil: idle
}

type slotTurn struct {
	caller *fair.Caller
	bill   fair.Bill
}

// TestStartTagsStayWithinReach holds step 2 and 3 of the proof in
// docs/fairness.md: among those that wait, neither the start tags nor the CPU
// used, which is all of it but the charges in hand, ever differ by more than one
// turn, what the slots hold, and three times the slack. This holds among groups
// and callers without a group, and among the callers inside each group.
func TestStartTagsStayWithinReach(t *testing.T) {
	for _, at := range []struct{ slots, groups int }{{1, 0}, {3, 0}, {8, 0}, {1, 4}, {3, 4}, {8, 2}} {
		seed := uint64(time.Now().UnixNano())
		t.Run(fmt.Sprintf("%d slots, %d groups, seed %d", at.slots, at.groups, seed), func(t *testing.T) {
			s := newSite(seed, at.slots, at.groups)
			reach := longest + time.Duration(at.slots)*longest + 3*slack
			var widest time.Duration
			for step := range 30_000 {
				s.step(step / 500 % 2)
				used, charged := s.apart()
				widest = max(widest, used, charged)
				if widest > reach {
					t.Fatalf("step %d: %v used, %v charged apart; the reach is %v", step, used, charged, reach)
				}
			}
			t.Logf("at most %v apart, reach %v", widest, reach)
		})
	}
}

func newSite(seed uint64, slots, groups int) *site {
	s := &site{rng: rand.New(rand.NewPCG(seed, 0)), ring: fair.New(quantum, slack), slots: make([]*slotTurn, slots)}
	for i := range groups {
		s.groups = append(s.groups, fair.NewGroup(fmt.Sprint("g", i), 1))
	}
	for i := range 12 + 12*min(groups, 1) {
		c := &fair.Caller{Owner: fmt.Sprint(i), Weight: 1}
		s.callers = append(s.callers, c)
		if groups > 0 && i%6 > 0 {
			s.ring.Move(c, s.groups[i%groups])
		}
	}
	return s
}

// step does one thing at random. In some phases predictions are far too high, in
// others far too low, and few callers wait.
func (s *site) step(phase int) {
	c := s.callers[s.rng.IntN(len(s.callers))]
	i := s.rng.IntN(len(s.slots))
	switch n := s.rng.IntN(26); {
	case n < 2:
		s.ring.Join(c)
	case n < 3+phase:
		s.ring.Leave(c, s.rng.IntN(3) == 0)
	case n < 6:
		s.ring.Sleep(c)
	case n < 8:
		if due := s.ring.Due(); due != nil {
			s.ring.Ask(due)
		}
	case n < 15:
		if turn := s.slots[i]; turn != nil {
			s.slots[i] = nil
			s.end(turn, phase)
		}
	case n < 17:
		s.ring.Block(c)
	default:
		if next := s.ring.Next(); next != nil && s.slots[i] == nil {
			s.slots[i] = &slotTurn{next, s.ring.Charge(next, s.cost(phase == 0))}
		}
	}
}

func (s *site) end(turn *slotTurn, phase int) {
	if s.rng.IntN(20) == 0 {
		s.ring.Refund(turn.caller, turn.bill)
		return
	}
	s.ring.Settle(turn.caller, turn.bill, s.cost(phase == 1))
}

func (s *site) cost(high bool) time.Duration {
	if high == (s.rng.IntN(10) > 0) {
		return longest
	}
	return quantum
}

// apart returns by how much those that wait differ in what they used, and in
// what they were charged, on the level where they differ most.
func (s *site) apart() (used, charged time.Duration) {
	open, openIn := map[*fair.Caller]time.Duration{}, map[*fair.Group]time.Duration{}
	for _, turn := range s.slots {
		if turn != nil {
			open[turn.caller] += turn.bill.Cost
			openIn[turn.caller.Group()] += turn.bill.Cost
		}
	}
	levels := map[*fair.Group][]time.Duration{}
	for _, c := range s.callers {
		if c.Ready() || c.Blocked() {
			levels[c.Group()] = append(levels[c.Group()], c.StartTag()-open[c])
		}
	}
	for _, g := range s.groups {
		if levels[g] != nil {
			levels[nil] = append(levels[nil], g.StartTag()-openIn[g])
		}
	}
	for _, have := range levels {
		if len(have) > 0 {
			used = max(used, slices.Max(have)-slices.Min(have))
		}
	}
	from, to := s.ring.Spread()
	return used, max(to-from, s.ring.Inside(len(s.groups)))
}
