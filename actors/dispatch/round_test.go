package dispatch_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"fairfactor/actors/dispatch"
)

// like is about what each turn uses in TestLikeTurnsGoStrictlyRoundRobin.
const like = 1500 * time.Microsecond

// TestLikeTurnsGoStrictlyRoundRobin lets ten callers with 1,000 similar turns each
// compete. What they use jitters by 10 %, on workers that hold turns ahead and
// so end them in another order than that of the hand-outs; in some cases the
// prediction is off, a worker is slow, or an elephant takes part. The ten must go
// around without a break from the first turn to the last, unless chance has
// driven them apart by the slack: jitter adds up as the square root of the number
// of turns.
func TestLikeTurnsGoStrictlyRoundRobin(t *testing.T) {
	for _, at := range []struct {
		name     string
		predict  time.Duration
		slow     float64 // of one worker
		elephant bool
	}{
		{"predicted well", like, 1, false},
		{"predicted too low", like * 2 / 3, 1, false},
		{"predicted too high", like * 3 / 2, 1, false},
		{"a slow worker", like, 1.2, false},
		{"with an elephant", like, 1, true},
	} {
		for _, workers := range []int{2, 8} {
			seed := uint64(time.Now().UnixNano())
			t.Run(fmt.Sprintf("%s, %d workers, seed %d", at.name, workers, seed), func(t *testing.T) {
				c := newCluster(seed, workers, 1)
				c.nodes["w0"].slow = at.slow
				if at.elephant {
					c.join(&source{name: "elephant", weight: 1, predict: 20 * time.Millisecond, cost: c.jitter(20 * time.Millisecond), left: -1})
				}
				strict := c.likeCallers(10, at.predict)
				c.run(20 * time.Second)
				n, first := breaks(c.handed, 10)
				t.Logf("%d turns, together until turn %d, %d breaks of the round, the first one after turn %d", len(c.handed), *strict, n, first)
				if n > 0 || *strict < 10_000 || len(c.handed) < 10_000 {
					t.Error("want them together to the end, and no break")
				}
			})
		}
	}
}

// likeCallers joins callers with 1,000 similar turns each. It notes up to which
// turn they are so close together before it that none may be passed over.
func (c *cluster) likeCallers(n int, predict time.Duration) (strict *int) {
	var names []string
	for i := range n {
		s := &source{name: fmt.Sprint("like", i), weight: 1, predict: predict, left: 1000}
		s.cost = func() time.Duration { return like*95/100 + time.Duration(c.rng.Int64N(int64(like/10))) }
		names = append(names, s.name)
		c.join(s)
	}
	strict, apart := new(int), false
	c.before = func() {
		apart = apart || c.machine.Apart(names) > dispatch.Slack-max(like, predict)
		if !apart {
			*strict = len(c.handed)
		}
	}
	return strict
}

// breaks counts the turns of like callers that did not go to the caller that had
// one a round before, and returns how many turns of anybody went before the first
// of them.
func breaks(handed []dispatch.Turn, callers int) (n, first int) {
	first = len(handed)
	handed = slices.DeleteFunc(slices.Clone(handed), func(t dispatch.Turn) bool { return t.Caller == "elephant" })
	slices.SortFunc(handed, func(a, b dispatch.Turn) int { return cmp.Compare(a.Dispatched, b.Dispatched) })
	for i := callers; i < len(handed); i++ {
		if handed[i].Caller != handed[i-callers].Caller {
			n++
			first = min(first, int(handed[i].Dispatched)-1)
		}
	}
	return n, first
}
