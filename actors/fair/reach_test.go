package fair_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"fairfactor/actors/fair"
)

const (
	longest = 100 * time.Millisecond
	slack   = 40 * time.Millisecond
)

// site is a ring with slots that hold one turn each, and everything that can go
// wrong: predictions that are off by a thousand, callers that come, go and are
// owed, turns that get lost.
type site struct {
	rng     *rand.Rand
	ring    *fair.Ring
	callers []*fair.Caller
	slots   []*slotTurn // nil: idle
}

type slotTurn struct {
	caller *fair.Caller
	bill   fair.Bill
}

// TestAccountsStayWithinReach holds step 2 and 3 of the proof in
// docs/fairness.md: among callers that wait, neither the virtual times nor the
// CPU used, which is all of it but the charges in hand, ever differ by more than
// one turn, what the slots hold, and three times the slack.
func TestAccountsStayWithinReach(t *testing.T) {
	for _, slots := range []int{1, 3, 8} {
		seed := uint64(time.Now().UnixNano())
		t.Run(fmt.Sprintf("%d slots, seed %d", slots, seed), func(t *testing.T) {
			s := &site{rng: rand.New(rand.NewPCG(seed, 0)), ring: fair.New(quantum, slack), slots: make([]*slotTurn, slots)}
			for i := range 12 {
				s.callers = append(s.callers, &fair.Caller{Name: fmt.Sprint(i), Weight: 1})
			}
			reach := longest + time.Duration(slots)*longest + 3*slack
			var widest time.Duration
			for step := range 30_000 {
				s.step(step / 500 % 2)
				used, charged := s.apart()
				widest = max(widest, used, charged)
				if widest > reach {
					t.Fatalf("step %d: accounts differ by %v used, %v charged; the reach is %v", step, used, charged, reach)
				}
			}
			t.Logf("at most %v apart, reach %v", widest, reach)
		})
	}
}

// step does one thing at random. In some phases predictions are far too high, in
// others far too low, and few callers wait.
func (s *site) step(phase int) {
	c := s.callers[s.rng.IntN(len(s.callers))]
	i := s.rng.IntN(len(s.slots))
	switch n := s.rng.IntN(20); {
	case n < 2:
		s.ring.Join(c)
	case n < 3+phase:
		s.ring.Leave(c, s.rng.IntN(3) == 0)
	case n < 11:
		if turn := s.slots[i]; turn != nil {
			s.slots[i] = nil
			s.end(turn, phase)
		}
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

// apart returns by how much waiting callers differ in what they used, and in
// what they were charged.
func (s *site) apart() (used, charged time.Duration) {
	open := map[*fair.Caller]time.Duration{}
	for _, turn := range s.slots {
		if turn != nil {
			open[turn.caller] += turn.bill.Cost
		}
	}
	least, most := time.Duration(1<<62), time.Duration(-1<<62)
	for _, c := range s.callers {
		if c.Waiting() {
			least, most = min(least, c.VirtualTime()-open[c]), max(most, c.VirtualTime()-open[c])
		}
	}
	from, to := s.ring.Spread()
	return max(0, most-least), to - from
}
