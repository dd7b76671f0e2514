package fair_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"fairfactor/actors/fair"
)

const quantum = 100 * time.Microsecond

// name is what the tests call a caller.
func name(c *fair.Caller) string { return c.Owner.(string) }

// handOut takes n turns of the given cost and returns the callers' names.
func handOut(r *fair.Ring, n int, cost time.Duration) string {
	var names []string
	for range n {
		c := r.Next()
		if c == nil {
			break
		}
		r.Settle(c, r.Charge(c, cost), cost)
		names = append(names, name(c))
	}
	return strings.Join(names, " ")
}

func ringOf(names string) (*fair.Ring, map[string]*fair.Caller) {
	r, all := fair.New(quantum, slack), map[string]*fair.Caller{}
	for _, name := range strings.Fields(names) {
		all[name] = &fair.Caller{Owner: name, Weight: 1}
		r.Join(all[name])
	}
	return r, all
}

func expect(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("handed out %q, want %q", got, want)
	}
}

func TestEqualCostsGiveStrictRoundRobin(t *testing.T) {
	r, _ := ringOf("a b c")
	expect(t, handOut(r, 7, time.Millisecond), "a b c a b c a")
}

func TestCostsBelowAQuantumAreEqual(t *testing.T) {
	r, _ := ringOf("a b")
	for i := range 100 {
		c := r.Next()
		if want := string("ab"[i%2]); name(c) != want {
			t.Fatalf("turn %d went to %s, want %s", i, name(c), want)
		}
		used := time.Duration(i%2+1) * quantum / 3
		r.Settle(c, r.Charge(c, used), used)
	}
}

func TestJitterDoesNotBreakTheRoundRobin(t *testing.T) {
	r, _ := ringOf("a b c d e f g h i j")
	rng := rand.New(rand.NewPCG(3, 4))
	for i := range 10_000 {
		c := r.Next()
		if want := string("abcdefghij"[i%10]); name(c) != want {
			t.Fatalf("turn %d went to %s, want %s", i, name(c), want)
		}
		r.Settle(c, r.Charge(c, time.Millisecond), time.Millisecond+time.Duration(rng.IntN(100_000)-50_000))
	}
}

func TestNewCallerStartsAtTheSmallestTagLastInTheRound(t *testing.T) {
	r, _ := ringOf("a b c")
	handOut(r, 301, time.Millisecond) // a is one turn ahead
	r.Join(&fair.Caller{Owner: "new", Weight: 1})
	expect(t, handOut(r, 8, time.Millisecond), "b c new a b c new a")
	if least, most := r.Spread(); most-least > time.Millisecond {
		t.Errorf("start tags from %v to %v: the new one was given credit", least, most)
	}
}

// TestWrongPredictionsCostOthersNothing: what a turn was charged too much while it
// ran does not put back those that come afterwards.
func TestWrongPredictionsCostOthersNothing(t *testing.T) {
	r, all := ringOf("a b")
	r.Leave(all["b"], true)
	var bills []fair.Bill
	for range 8 {
		bills = append(bills, r.Charge(all["a"], 90*time.Millisecond))
	}
	for _, b := range bills {
		r.Settle(all["a"], b, time.Millisecond)
	}
	r.Join(&fair.Caller{Owner: "new", Weight: 1})
	r.Join(all["b"])
	expect(t, handOut(r, 6, time.Millisecond), "b new a b new a")
}

func TestReturningCallerGainsNothing(t *testing.T) {
	r, all := ringOf("a b")
	handOut(r, 2, time.Millisecond)
	r.Settle(all["a"], r.Charge(all["a"], 45*time.Millisecond), 45*time.Millisecond)
	r.Leave(all["a"], false)
	r.Join(all["a"]) // at once: it keeps the 45 ms it was charged
	expect(t, handOut(r, 8, time.Millisecond), "b b b b b a b a")
	r.Leave(all["a"], false)
	r.Join(all["a"]) // last in the round, whenever it was served
	handOut(r, 1, time.Millisecond)
	r.Leave(all["b"], false)
	r.Join(all["b"])
	expect(t, handOut(r, 2, time.Millisecond), "a b")
	r.Leave(all["a"], false)
	handOut(r, 1000, time.Millisecond) // idle for long: no credit
	r.Join(all["a"])
	expect(t, handOut(r, 4, time.Millisecond), "a b a b")
}

func TestOwedCallerIsServedFirstWhenItsOfferArrives(t *testing.T) {
	r, all := ringOf("a b c")
	handOut(r, 3, time.Millisecond)
	r.Leave(all["a"], true)
	expect(t, handOut(r, 4, time.Millisecond), "b c b c")
	r.Join(all["a"])
	expect(t, handOut(r, 5, time.Millisecond), "a b c a b")
}

// TestOwedFromTheBeginning: callers about which nothing is known but that they have
// work have their places from then on.
func TestOwedFromTheBeginning(t *testing.T) {
	r, _ := ringOf("a")
	b, c := &fair.Caller{Owner: "b", Weight: 1}, &fair.Caller{Owner: "c", Weight: 1}
	r.Leave(b, true)
	r.Leave(c, true)
	r.Join(c)
	r.Join(b)
	expect(t, handOut(r, 6, time.Millisecond), "a b c a b c")
	for _, gone := range []*fair.Caller{b, c} {
		r.Leave(gone, false)
	}
	expect(t, handOut(r, 2, time.Millisecond), "a a")
}

func TestRemovalNeverSkipsANeighbour(t *testing.T) {
	for _, gone := range strings.Fields("a b c d e") {
		r, all := ringOf("a b c d e")
		expect(t, handOut(r, 2, time.Millisecond), "a b")
		r.Leave(all[gone], false)
		want := strings.Join(strings.Fields(strings.ReplaceAll("c d e a b", gone, "")), " ")
		expect(t, handOut(r, 4, time.Millisecond), want)
	}
}

// TestRefundIsNotChargedTwice: the caller is where it was before the turn.
func TestRefundIsNotChargedTwice(t *testing.T) {
	r, all := ringOf("a b c")
	first := r.Charge(all["a"], time.Millisecond)
	expect(t, handOut(r, 4, time.Millisecond), "b c a b")
	r.Refund(all["a"], first) // lost: it comes back
	expect(t, handOut(r, 4, time.Millisecond), "a c b a")
	if least, most := r.Spread(); most-least != time.Millisecond {
		t.Errorf("after 3, 3 and 2 turns of 1 ms: start tags from %v to %v", least, most)
	}
}

// TestCorrectionKeepsThePlace: whether a turn used more or less than predicted, no caller changes
// places within the slack.
func TestCorrectionKeepsThePlace(t *testing.T) {
	for _, used := range []time.Duration{quantum, 9 * time.Millisecond} {
		r, all := ringOf("a b c d")
		bill := r.Charge(all["a"], 3*time.Millisecond)
		handOut(r, 1, 3*time.Millisecond)
		r.Settle(all["a"], bill, used)
		expect(t, handOut(r, 5, time.Millisecond), "c d a b c")
	}
}

// TestLongTurnIsPaidBack to within the slack: the others catch up, then the
// caller is next.
func TestLongTurnIsPaidBack(t *testing.T) {
	r, all := ringOf("big b c")
	big := all["big"]
	r.Settle(big, r.Charge(big, 50*time.Millisecond), 50*time.Millisecond)
	expect(t, handOut(r, 20, time.Millisecond), strings.TrimSpace(strings.Repeat("b c ", 10)))
	expect(t, handOut(r, 4, time.Millisecond), "big b c big")
}

// TestWeights: three turns to one, from the first round on.
func TestWeights(t *testing.T) {
	r, all := ringOf("a b")
	all["a"].Weight = 3
	expect(t, handOut(r, 10, time.Millisecond), "a b a a a b a a a b")
	handOut(r, 90, time.Millisecond)
	got := handOut(r, 400, time.Millisecond)
	if n := strings.Count(got, "a"); n != 300 {
		t.Errorf("weight 3 against 1: %d of 400 turns", n)
	}
}

// TestDivisionLosesNothing: 1,999 ns by a weight of 1,000 are 1.999, not 1.
func TestDivisionLosesNothing(t *testing.T) {
	r := fair.New(time.Nanosecond, 0)
	heavy, light := &fair.Caller{Owner: "heavy", Weight: 1000}, &fair.Caller{Owner: "light", Weight: 1}
	r.Join(heavy)
	r.Join(light)
	const turns = 200_000
	var cpu [2]int
	for range turns {
		c, cost := r.Next(), 1999*time.Nanosecond
		r.Settle(c, r.Charge(c, cost), cost)
		if c == heavy {
			cpu[0]++
		} else {
			cpu[1]++
		}
	}
	if want := turns / 1001; cpu[1] < want-1 || cpu[1] > want+1 {
		t.Errorf("weight 1 next to weight 1000: %d of %d turns, want about %d", cpu[1], turns, want)
	}
}

// TestWeightChangeDoesNotChangeTheBill: what a turn was charged is taken back
// as it was charged, whatever the weight is by then.
func TestWeightChangeDoesNotChangeTheBill(t *testing.T) {
	for _, w := range []struct{ before, after int }{{1, 1000}, {1000, 1}} {
		r, all := ringOf("a b")
		a := all["a"]
		a.Weight = w.before
		lost, long := r.Charge(a, 80*time.Millisecond), r.Charge(a, 90*time.Millisecond)
		a.Weight = w.after
		r.Refund(a, lost)
		r.Settle(a, long, quantum)
		least, most := r.Spread()
		if want := quantum / time.Duration(w.before); least != 0 || most != want {
			t.Errorf("weight %d, then %d: start tags from %v to %v, want 0 to %v", w.before, w.after, least, most, want)
		}
	}
}

// TestOwedCallersMakeUpForTheSlack and no more: an offer that took for ever is no
// credit for ever, and the credits of many callers do not add up.
func TestOwedCallersMakeUpForTheSlack(t *testing.T) {
	r, all := ringOf("a b c d e f")
	handOut(r, 6, time.Millisecond)
	for name, c := range all {
		r.Leave(c, name != "f")
	}
	r.Join(all["f"])
	handOut(r, 10_000, time.Millisecond)
	for _, name := range strings.Fields("c a e b d") {
		r.Join(all[name])
	}
	if least, most := r.Spread(); most-least != 2*slack {
		t.Errorf("start tags from %v to %v, want twice the slack between them", least, most)
	}
	expect(t, handOut(r, 200, time.Millisecond), strings.TrimSpace(strings.Repeat("a b c d e ", 40)))
	expect(t, handOut(r, 7, time.Millisecond), "f a b c d e f")
}

// TestRestForgivesEverything: when no caller waits, none was held up by the one that
// had much, so all start level, and all may be forgotten.
func TestRestForgivesEverything(t *testing.T) {
	r, all := ringOf("a b")
	handOut(r, 2, time.Millisecond)
	r.Settle(all["a"], r.Charge(all["a"], 90*time.Millisecond), 90*time.Millisecond)
	r.Leave(all["a"], false)
	if r.Idle(all["a"]) {
		t.Error("a may not be forgotten while b waits: it had 90 ms more")
	}
	r.Leave(all["b"], true)
	if r.Idle(all["a"]) {
		t.Error("a may not be forgotten while b is owed")
	}
	r.Leave(all["b"], false)
	if !r.Idle(all["a"]) || !r.Idle(all["b"]) {
		t.Error("no caller waits, so both may be forgotten")
	}
	r.Join(all["b"])
	r.Join(&fair.Caller{Owner: "new", Weight: 1})
	r.Join(all["a"])
	expect(t, handOut(r, 6, time.Millisecond), "b new a b new a")
}

// TestOwedCallerIsNotForgotten: its place would be lost.
func TestOwedCallerIsNotForgotten(t *testing.T) {
	r, all := ringOf("a b")
	handOut(r, 2, time.Millisecond)
	r.Leave(all["a"], true)
	handOut(r, 100, time.Millisecond)
	if r.Idle(all["a"]) {
		t.Error("a is owed a turn and may be forgotten")
	}
}

func TestBookedTurnDoesNotMoveTheClock(t *testing.T) {
	r, all := ringOf("a b")
	r.Book(all["a"], 90*time.Millisecond) // it runs already
	r.Join(&fair.Caller{Owner: "new", Weight: 1})
	expect(t, handOut(r, 4, 10*time.Millisecond), "b new b new")
}

// TestBookedTurnsOfIdleCallersAreLost: neither had a place to get back.
func TestBookedTurnsOfIdleCallersAreLost(t *testing.T) {
	r, _ := ringOf("a")
	b, c := &fair.Caller{Owner: "b", Weight: 1}, &fair.Caller{Owner: "c", Weight: 1}
	lostB, lostC := r.Book(b, time.Millisecond), r.Book(c, time.Millisecond)
	r.Join(c)
	r.Join(b)
	r.Refund(c, lostC)
	r.Refund(b, lostB)
	expect(t, handOut(r, 6, time.Millisecond), "a b c a b c")
}

func TestJainTellsThatOneGotMore(t *testing.T) {
	r, all := ringOf("a b c")
	handOut(r, 3000, time.Millisecond)
	if j := r.Jain(100*time.Millisecond, 100); j < 0.999 || j > 1.001 {
		t.Errorf("all got the same, Jain's index is %v", j)
	}
	r.Settle(all["a"], r.Charge(all["a"], 3*time.Second), 3*time.Second)
	if j := r.Jain(100*time.Millisecond, 100); j < 0.6 || j > 0.7 { // (4+1+1)^2 / (3 * (16+1+1)) = 0.667
		t.Errorf("a got four times as much, Jain's index is %v", j)
	}
	if j := r.Jain(time.Hour, 100); j != 1 {
		t.Errorf("no caller was due an hour, Jain's index is %v", j)
	}
}

// TestJainLooksAtASample, and is about right: half of 20,000 callers got three
// times as much as the others, so it is (3+1)^2 / (2 * (9+1)) = 0.8.
func TestJainLooksAtASample(t *testing.T) {
	r := fair.New(quantum, slack)
	var all []*fair.Caller
	for range 20_000 {
		all = append(all, &fair.Caller{Weight: 1})
		r.Join(all[len(all)-1])
	}
	for range len(all) {
		c := r.Next()
		r.Charge(c, time.Second)
	}
	for range 2 { // the first of them are in front of the line, and those in front are no sample
		for _, c := range all[:len(all)/2] {
			r.Book(c, time.Second)
		}
	}
	r.Charge(r.Next(), quantum) // the clock
	if j := r.Jain(time.Millisecond, 1000); j < 0.78 || j > 0.82 {
		t.Errorf("Jain's index is %v, want 0.8", j)
	}
}

// A caller that is ahead by the slack still goes in its turn, and one that is ahead
// by a nanosecond more waits.
func TestSlackIsExact(t *testing.T) {
	const first = quantum // what a, which is behind, is charged before each look
	for more, want := range map[time.Duration]string{0: "b", 1: "a"} {
		r, _ := ringOf("a b")
		handOut(r, 1, first)
		handOut(r, 1, 2*first+slack+more) // b
		handOut(r, 1, first)
		if got := name(r.Next()); got != want {
			t.Errorf("with %v more than the slack it is the turn of %s, want %s", more, got, want)
		}
	}
}

// TestBlockedCallerKeepsItsPlace: others go by while its turn waits for room, and it is next
// when there is some. Rounds that it missed are not made up for.
func TestBlockedCallerKeepsItsPlace(t *testing.T) {
	r, all := ringOf("a b c")
	r.Block(all["a"])
	expect(t, handOut(r, 5, time.Millisecond), "b c b c b")
	if !all["a"].Blocked() || r.Ready() != 2 || r.Backlogged() != 3 || r.Rivals() != 3 {
		t.Errorf("blocked %v, %d ready, %d backlogged, %d rivals", all["a"].Blocked(), r.Ready(), r.Backlogged(), r.Rivals())
	}
	r.Join(all["a"])
	expect(t, handOut(r, 4, time.Millisecond), "a c b a")
	r.Block(all["b"])
	r.Leave(all["b"], false)
	expect(t, handOut(r, 2, time.Millisecond), "c a")
}

// TestBlockedCallerHoldsBackTheOthers: they get no further ahead of it than the slack, newcomers
// neither, and it loses nothing by that; among groups and inside one.
func TestBlockedCallerHoldsBackTheOthers(t *testing.T) {
	const cost = 10 * time.Millisecond
	r, all := ringOf("a b")
	r.Block(all["a"])
	expect(t, handOut(r, 20, cost), "b b b b b") // the last one when it is ahead by the slack
	all["c"] = &fair.Caller{Owner: "c", Weight: 1}
	r.Join(all["c"])
	expect(t, handOut(r, 20, cost), "c c c c c")
	if least, _ := r.Spread(); least != 0 {
		t.Errorf("the smallest start tag is %v, that of the blocked caller is 0", least)
	}
	r.Join(all["a"])
	if tag := all["a"].StartTag(); tag != 0 {
		t.Errorf("the blocked caller comes back with the start tag %v", tag)
	}
	expect(t, handOut(r, 1, cost), "a")

	r, all = ringOf("a b d")
	g := fair.NewGroup("g", 1)
	r.Move(all["a"], g)
	r.Move(all["b"], g)
	r.Block(all["a"])
	expect(t, handOut(r, 20, cost), "d b d b d b d b d b d d d d d") // then b is too far ahead of a, and d of the group
	r.Join(all["a"])
	expect(t, handOut(r, 2, cost), "a d")
}
