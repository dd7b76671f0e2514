package fair_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"fairfactor/actors/fair"
)

// ask asks that many of the callers that are due, and returns their names.
func ask(r *fair.Ring, n int) string {
	var names []string
	for range n {
		c := r.Due()
		if c == nil {
			break
		}
		r.Ask(c)
		names = append(names, name(c))
	}
	return strings.Join(names, " ")
}

// TestDormantCallersAreAskedInOrder, keep their places, and are served in order
// when their turns arrive, whatever order that is.
func TestDormantCallersAreAskedInOrder(t *testing.T) {
	r, all := ringOf("a")
	for _, n := range strings.Fields("b c d") {
		all[n] = &fair.Caller{Owner: n, Weight: 1}
		r.Sleep(all[n])
	}
	expect(t, ask(r, 2), "b c")
	expect(t, handOut(r, 2, time.Millisecond), "a a") // dormant callers do not hold it up
	r.Join(all["c"])
	r.Join(all["b"])
	if early, asking := r.Early(); early != 2 || asking != 0 {
		t.Errorf("%d early, %d asking; want 2 and 0", early, asking)
	}
	expect(t, handOut(r, 3, time.Millisecond), "b c a")
	expect(t, ask(r, 2), "d")
	if early, asking := r.Early(); early != 1 || asking != 1 {
		t.Errorf("%d early, %d asking; want 1 and 1", early, asking)
	}
}

// TestServedCallerThatSleepsIsLastInTheRound, so all others are asked before it.
func TestServedCallerThatSleepsIsLastInTheRound(t *testing.T) {
	r, all := ringOf("a b c")
	for _, n := range strings.Fields("a b c") {
		handOut(r, 1, time.Millisecond)
		r.Sleep(all[n])
	}
	expect(t, ask(r, 1), "a")
	r.Join(all["a"])
	expect(t, handOut(r, 1, time.Millisecond), "a")
	r.Sleep(all["a"])
	expect(t, ask(r, 3), "b c a")
}

// TestDormantCallersHoldUpNoReadyOne, although it is far ahead of them; but they
// fall behind no more than twice the slack.
func TestDormantCallersHoldUpNoReadyOne(t *testing.T) {
	r, all := ringOf("a b")
	r.Sleep(all["b"])
	expect(t, handOut(r, 3, 100*time.Millisecond), "a a a")
	r.Join(&fair.Caller{Owner: "new", Weight: 1})
	r.Join(all["b"])
	if least, most := r.Spread(); most-least > longest+2*slack {
		t.Errorf("start tags from %v to %v", least, most)
	}
	if got := handOut(r, 4, 10*time.Millisecond); strings.Contains(got, "a") {
		t.Errorf("%s: a is ahead", got)
	}
}

// TestGroupsAreAskedInTurn: one caller of each group, then the second ones; a
// group with a weight of two has two in a round.
func TestGroupsAreAskedInTurn(t *testing.T) {
	h := hallOf("")
	for _, n := range strings.Fields("a:1 a:2 a:3 a:4 b:1 b:2 b:3 x y") {
		h.Sleep(h.add(n))
	}
	expect(t, ask(h.Ring, 4), "a:1 b:1 x y")
	expect(t, ask(h.Ring, 4), "a:2 b:2 a:3 b:3")
	h = hallOf("")
	for _, n := range strings.Fields("a:1 a:2 a:3 a:4 b:1 b:2 b:3") {
		h.Sleep(h.add(n))
	}
	h.Weigh(h.groups["a"], 2)
	expect(t, ask(h.Ring, 6), "a:1 b:1 a:2 a:3 b:2 a:4")
}

// TestGroupWithReadyCallersAsksForMore: its ready callers do not keep its dormant
// ones from being asked.
func TestGroupWithReadyCallersAsksForMore(t *testing.T) {
	h := hallOf("a:1 a:2 b:1")
	h.Sleep(h.add("a:3"))
	expect(t, ask(h.Ring, 2), "a:3")
	h.Join(h.callers["a:3"])
	expect(t, handOut(h.Ring, 6, time.Millisecond), "a:1 b:1 a:2 b:1 a:3 b:1")
}

// What a turn is predicted to cost in benchmarks; what it uses jitters by 10 us.
const cost = 200 * time.Microsecond

func mix(i int) int { return i * 7919 % 20_000 }

// BenchmarkPick is picking and charging a turn, and settling the one before.
func BenchmarkPick(b *testing.B) {
	for _, size := range []struct{ callers, groups int }{{10, 0}, {100_000, 0}, {1_000_000, 0}, {100_000, 1000}, {1_000_000, 1}, {1_000_000, 1000}, {1_000_000, 100_000}} {
		b.Run(fmt.Sprintf("callers=%d/groups=%d", size.callers, size.groups), func(b *testing.B) {
			r := crowd(size.callers, size.groups, (*fair.Ring).Join)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				c := r.Next()
				r.Settle(c, r.Charge(c, cost), cost+time.Duration(mix(i)))
			}
		})
	}
}

// BenchmarkAsk is the whole way of a dormant caller: asked, ready, served, and
// asleep again.
func BenchmarkAsk(b *testing.B) {
	for _, size := range []struct{ callers, groups int }{{100_000, 0}, {1_000_000, 0}, {1_000_000, 1000}} {
		b.Run(fmt.Sprintf("callers=%d/groups=%d", size.callers, size.groups), func(b *testing.B) {
			r := crowd(size.callers, size.groups, (*fair.Ring).Sleep)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				c := r.Due()
				r.Ask(c)
				r.Join(c)
				c = r.Next()
				r.Settle(c, r.Charge(c, cost), cost+time.Duration(mix(i)))
				r.Sleep(c)
			}
		})
	}
}

// crowd is a ring of that many callers, spread over groups if there are any.
func crowd(callers, groups int, add func(*fair.Ring, *fair.Caller)) *fair.Ring {
	r := fair.New(quantum, slack)
	var all []*fair.Group
	for i := range groups {
		all = append(all, fair.NewGroup(fmt.Sprint(i), 1))
	}
	line := make([]*fair.Caller, callers)
	for i := range line {
		line[i] = &fair.Caller{Weight: 1}
		if groups > 0 {
			r.Move(line[i], all[i%groups])
		}
	}
	for _, i := range rand.New(rand.NewPCG(1, 2)).Perm(callers) { // not in the order in which they lie in memory
		add(r, line[i])
	}
	return r
}
