package fair_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"fairfactor/actors/fair"
)

// TestAgainstSlowTwin compares the ring with one that looks at every caller,
// after each of many random operations: without groups, and with callers in
// groups and others in none.
func TestAgainstSlowTwin(t *testing.T) {
	for _, groups := range []int{0, 1, 5} {
		seed := uint64(time.Now().UnixNano())
		t.Run(fmt.Sprintf("%d groups, seed %d", groups, seed), func(t *testing.T) {
			w := newTwins(t, seed, groups)
			for w.step = range 12_000 {
				w.act()
				w.compare()
			}
		})
	}
}

// twins is the ring and its slow twin.
type twins struct {
	t    *testing.T
	rng  *rand.Rand
	ring *fair.Ring
	slow *slowRing
	step int
}

func newTwins(t *testing.T, seed uint64, groups int) *twins {
	w := &twins{t: t, rng: rand.New(rand.NewPCG(seed, 0)), ring: fair.New(quantum, slack), slow: newSlowRing(groups)}
	for i, g := range w.slow.groups {
		g.weight = 1 + i%3
		g.Group = fair.NewGroup(fmt.Sprint("g", i), g.weight)
	}
	for i := range 30 {
		c := &slowCaller{Caller: &fair.Caller{Owner: fmt.Sprint(i), Weight: 1 + i%3}}
		c.weight = c.Weight
		w.slow.all = append(w.slow.all, c)
		if groups > 0 && i%4 > 0 {
			w.move(c, w.slow.groups[i%groups])
		}
	}
	return w
}

func (w *twins) cost() time.Duration {
	return time.Duration(w.rng.IntN(30_000_000)) * time.Nanosecond
}

func (w *twins) act() {
	c := w.slow.all[w.rng.IntN(len(w.slow.all))]
	kind := w.rng.IntN(15)
	if w.step/500%8 == 7 { // now and then nearly all leave
		kind = max(1, kind%5)
	}
	switch kind {
	case 0:
		w.ring.Join(c.Caller)
		w.slow.setState(c, slowReady)
	case 1:
		owe := w.rng.IntN(4) == 0
		w.ring.Leave(c.Caller, owe)
		w.slow.setState(c, map[bool]slowState{true: slowOwed}[owe])
	case 2:
		if b, ok := c.take(); ok {
			w.ring.Refund(c.Caller, b.Bill)
			w.slow.refund(c, b)
		}
	case 3:
		w.weigh(c)
	case 4, 5:
		if b, ok := c.take(); ok {
			used := w.cost()
			w.ring.Settle(c.Caller, b.Bill, used)
			w.slow.settle(c, b, used)
		}
	case 6:
		cost := w.cost()
		w.slow.bill(c, w.ring.Book(c.Caller, cost), cost)
	case 7:
		w.ring.Sleep(c.Caller)
		w.slow.setState(c, slowDormant)
	case 8:
		w.ask(c)
	case 9:
		if n := len(w.slow.groups); n > 0 && w.step%10 == 0 {
			w.move(c, w.slow.groups[w.rng.IntN(n)])
		}
	case 10:
		w.ring.Block(c.Caller)
		w.slow.setState(c, slowBlocked)
	default:
		if next := w.slow.turn(); next != nil {
			w.slow.level(next).pick(&next.slowMember)
			if g := next.group; g != nil {
				w.slow.pick(&g.slowMember)
			}
			cost := w.cost()
			w.slow.bill(next, w.ring.Charge(next.Caller, cost), cost)
		}
	}
}

// take returns a bill that is still open.
func (c *slowCaller) take() (b slowBill, ok bool) {
	n := len(c.bills)
	if n == 0 {
		return b, false
	}
	b = c.bills[n-1]
	c.bills = c.bills[:n-1]
	return b, true
}

func (w *twins) weigh(c *slowCaller) {
	c.Weight = 1 + w.rng.IntN(7)
	c.weight = c.Weight
	if g := c.group; g != nil {
		g.weight = 1 + w.rng.IntN(5)
		w.ring.Weigh(g.Group, g.weight)
	}
}

// ask asks the dormant caller that is due, or says that another one is late.
func (w *twins) ask(c *slowCaller) {
	if w.rng.IntN(4) == 0 {
		w.ring.Late(c.Caller)
		c.early = false
		return
	}
	if due := w.slow.due(); due != nil {
		w.ring.Ask(due.caller.Caller)
		due.caller.early = true
		w.slow.setState(due.caller, slowOwed)
	}
}

// move puts a caller into a group; open bills go with it.
func (w *twins) move(c *slowCaller, g *slowGroup) {
	bills := c.bills
	c.bills = nil
	for _, b := range bills {
		w.ring.Refund(c.Caller, b.Bill)
		w.slow.refund(c, b)
	}
	w.ring.Move(c.Caller, g.Group)
	w.slow.move(c, g)
	for _, b := range bills {
		w.slow.bill(c, w.ring.Book(c.Caller, b.cost), b.cost)
	}
}

func (w *twins) compare() {
	w.t.Helper()
	if got, want := w.ring.Next(), w.slow.turn(); !same(got, want) {
		w.t.Fatalf("step %d: next is %v, want %v", w.step, got, want)
	}
	var due *slowCaller
	if d := w.slow.due(); d != nil {
		due = d.caller
	}
	if got := w.ring.Due(); !same(got, due) {
		w.t.Fatalf("step %d: due is %v, want %v", w.step, got, due)
	}
	if w.step%32 == 0 {
		w.compareTags()
	}
}

func same(got *fair.Caller, want *slowCaller) bool {
	return got == nil && want == nil || got != nil && want != nil && got == want.Caller
}

func (w *twins) compareTags() {
	w.t.Helper()
	least, most := w.ring.Spread()
	if l, m := w.slow.spread(); l != least || m != most {
		w.t.Fatalf("step %d: start tags from %v to %v, want %v to %v", w.step, least, most, l, m)
	}
	early, asking, backlogged := 0, 0, 0
	for _, c := range w.slow.all {
		early += count(c.early)
		asking += count(c.early && c.state == slowOwed)
		backlogged += count(c.state != slowIdle)
		l := w.slow.level(c)
		interval := l.interval(&c.slowMember)
		if g := c.group; g != nil {
			interval *= w.slow.interval(&g.slowMember)
		}
		if got := w.ring.Interval(c.Caller); got != interval {
			w.t.Fatalf("step %d: caller %v has one turn of %v, want %v", w.step, c.Owner, got, interval)
		}
		idle := c.state == slowIdle && (l.resting() || c.tag <= l.floor() && c.place.round <= l.round)
		if int64(c.StartTag()) != c.tag || w.ring.Idle(c.Caller) != idle {
			w.t.Fatalf("step %d: caller %v has start tag %v and is idle: %v; want %d and %v",
				w.step, c.Owner, c.StartTag(), w.ring.Idle(c.Caller), c.tag, idle)
		}
	}
	if e, a := w.ring.Early(); e != early || a != asking || w.ring.Backlogged() != backlogged {
		w.t.Fatalf("step %d: %d early, %d asking, %d backlogged; want %d, %d, %d", w.step, e, a, w.ring.Backlogged(), early, asking, backlogged)
	}
	var widest time.Duration
	rivals := 0
	for _, g := range w.slow.groups {
		if int64(g.StartTag()) != g.tag {
			w.t.Fatalf("step %d: group %s has start tag %v, want %d", w.step, g.Name, g.StartTag(), g.tag)
		}
		from, to := g.spread()
		widest = max(widest, to-from)
	}
	for _, m := range w.slow.members() {
		rivals += count(m.state != slowIdle)
	}
	if got := w.ring.Inside(100); got != widest || w.ring.Rivals() != rivals {
		w.t.Fatalf("step %d: inside %v apart, %d rivals; want %v, %d", w.step, got, w.ring.Rivals(), widest, rivals)
	}
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}
