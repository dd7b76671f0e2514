package dispatch_test

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"fairfactor/actors/dispatch"
)

// few gives a source with some turns of that cost.
func (c *cluster) few(name, group string, turns int, cost time.Duration) *source {
	return &source{name: name, group: group, weight: 1, predict: cost, cost: func() time.Duration { return cost }, left: turns, wake: 2 * time.Millisecond}
}

// TestCrowdIsServedFromTheStore: after a start, 20,000 callers have three short
// jobs each, and only the store knows. Workers must be as busy as ever from the
// first moment, each caller must have its first turn before any has its second
// one, and no more callers may be active than the workers use in about a second.
func TestCrowdIsServedFromTheStore(t *testing.T) {
	const callers, cost = 20_000, 500 * time.Microsecond
	c := newCluster(1, 1, 2)
	var all []*source
	for i := range callers {
		all = append(all, c.few(fmt.Sprint("caller", i), "", 3, cost))
	}
	c.store(all)
	most := 0
	c.before = func() {
		early, asking := c.machine.Asking()
		most = max(most, early)
		if asking > dispatch.MaxAsking {
			t.Fatalf("%d callers are asked and have not answered", asking)
		}
	}
	c.run(time.Second)
	if used := float64(c.busy) / float64(2*time.Second); used < 0.95 {
		t.Errorf("in the first second only %.1f %% of the slots' time used", 100*used)
	}
	c.run(19 * time.Second)
	turns := map[string]int{}
	for i, turn := range c.handed {
		if turns[turn.Caller]++; i < callers && turns[turn.Caller] > 1 {
			t.Errorf("turn %d is the second one of %s: others have had none", i, turn.Caller)
			break
		}
	}
	if len(c.handed) != 3*callers {
		t.Errorf("%d of %d turns handed out", len(c.handed), 3*callers)
	}
	used := float64(c.busy) / float64(2*15*time.Second)
	t.Logf("at most %d callers asked ahead; %d questions; the work took %.1f %% of 15 s", most, c.pulls, 100*used)
	if most > 4500 {
		t.Errorf("%d callers were asked ahead; the workers use 4,000 turns a second", most)
	}
	c.run(time.Minute)
	if n := c.machine.Callers(); n != 0 {
		t.Errorf("%d callers without work are remembered", n)
	}
}

// TestSilentCallersDoNotHoldUpACrowd: half of 4,000 callers do not answer.
func TestSilentCallersDoNotHoldUpACrowd(t *testing.T) {
	c := newCluster(1, 1, 2)
	var all []*source
	for i := range 4000 {
		s := c.few(fmt.Sprint("caller", i), "", 2, 2*time.Millisecond)
		if i%2 == 0 {
			s.wake = time.Hour
		}
		all = append(all, s)
	}
	c.store(all)
	c.run(20 * time.Second)
	if len(c.handed) != 4000 {
		t.Errorf("%d of 4,000 turns of those that answer were handed out", len(c.handed))
	}
}

// TestGroupsHoldTheirBound lets 3,100 endless callers in 200 groups compete, most
// of them dormant at any time, with turns of all lengths and wrong predictions. For
// every two groups, every two callers of one group, and every interval between two
// looks, the CPU that they got may differ by no more than the bound.
func TestGroupsHoldTheirBound(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	c := newCluster(seed, 1, 2)
	groups, all := c.endlessGroups(200)
	c.store(all)
	c.run(30 * time.Second) // until all are in line
	looks := c.observe(all, 13, 20*time.Second, func(int) {})
	bound := dispatch.Bound(2, dispatch.DefaultQuantum)
	var between [][]time.Duration
	for _, look := range looks {
		var row []time.Duration
		for i, members := range groups {
			var got time.Duration
			for _, at := range members {
				got += look[at]
			}
			row = append(row, got/time.Duration(1+i%3))
		}
		between = append(between, row)
	}
	var inside time.Duration
	for _, members := range groups {
		var rows [][]time.Duration
		for _, look := range looks {
			var row []time.Duration
			for _, at := range members {
				row = append(row, look[at])
			}
			rows = append(rows, row)
		}
		inside = max(inside, widest(rows))
	}
	r := c.machine.Report()
	t.Logf("largest difference between groups %v, inside %v, bound %v; largest lags %v, %v, reach %v; Jain %.3f; %d turns, %d questions",
		widest(between), inside, bound, r.Between.MaxLag, r.Inside.MaxLag, dispatch.Reach(2, dispatch.DefaultQuantum), r.Jain, len(c.handed), c.pulls)
	if widest(between) > bound || inside > bound {
		t.Error("that is more than the bound")
	}
	last := between[len(between)-1]
	if least := slices.Min(last) - slices.Max(between[0]); least < bound {
		t.Errorf("a group got %v only: the bound of %v shows nothing", least, bound)
	}
	if r.Violations != 0 || r.Between.InLine != 200 || r.Inside.InLine != 200 {
		t.Errorf("%+v", r)
	}
	if used := float64(c.busy) / float64(2*c.now); used < 0.94 { // a turn of 5 ms waits 0.2 ms for messages
		t.Errorf("only %.1f %% of the slots' time used", 100*used)
	}
}

// endlessGroups makes that many groups of 2 to 29 endless callers, with weights
// 1 to 3. It returns the callers' indexes by group.
func (c *cluster) endlessGroups(n int) (groups [][]int, all []*source) {
	costs := []struct{ predict, cost time.Duration }{
		{5 * time.Millisecond, 5 * time.Millisecond},
		{2 * time.Millisecond, 2 * time.Millisecond},
		{20 * time.Millisecond, 15 * time.Millisecond},
		{time.Millisecond, 8 * time.Millisecond},
		{30 * time.Millisecond, 2 * time.Millisecond},
	}
	for i := range n {
		group := fmt.Sprint("group", i)
		c.machine.WeighGroup(group, 1+i%3)
		var members []int
		for j := range 2 + i%4*9 {
			kind := costs[(i+j)%len(costs)]
			members = append(members, len(all))
			all = append(all, &source{
				name: fmt.Sprint(group, ":", j), group: group, weight: 1, left: -1, wake: 2 * time.Millisecond,
				predict: kind.predict, cost: c.jitter(kind.cost),
			})
		}
		groups = append(groups, members)
	}
	return groups, all
}

// TestSplittingGainsNothing: an ordinary caller has the same work as 1,000 names
// of one group, and must have half of the CPU.
func TestSplittingGainsNothing(t *testing.T) {
	c := newCluster(1, 1, 2)
	honest := c.few("honest", "", -1, 2*time.Millisecond)
	c.join(honest)
	for i := range 1000 {
		c.join(c.few(fmt.Sprint("many:", i), "many", -1, 2*time.Millisecond))
	}
	c.run(10 * time.Second)
	share := float64(honest.charged) / float64(c.busy) / 0.5
	t.Logf("the ordinary caller had %.4f of its share", share)
	if share < 0.99 || c.busy < 19*time.Second {
		t.Errorf("want 0.99; %v of 20 s used", c.busy)
	}
}

// TestNewcomerWaitsOneRoundOfEach: the first turn of a new caller comes within one
// round of the groups if its group is new, and otherwise within one round inside
// its group. Each turn of the group comes within a round of the groups.
func TestNewcomerWaitsOneRoundOfEach(t *testing.T) {
	const groups, size, cost = 50, 8, time.Millisecond
	c := newCluster(1, 1, 1)
	for i := range groups * size {
		c.join(c.few(fmt.Sprint(i), fmt.Sprint("group", i%groups), -1, cost))
	}
	c.run(5 * time.Second)
	for _, at := range []struct {
		group string
		turns int
	}{{"new", groups + 1}, {"group7", (groups + 2) * (size + 1)}} {
		s := c.few("newcomer of "+at.group, at.group, 1, cost)
		before := len(c.handed)
		c.join(s)
		c.run(time.Second)
		after := slices.IndexFunc(c.handed[before:], func(t dispatch.Turn) bool { return t.Caller == s.name })
		t.Logf("%s had its turn after %d others", s.name, after)
		if inHand := 2 * dispatch.Prefetch; after < 0 || after > at.turns+inHand {
			t.Errorf("%s had its turn after %d others, want %d", s.name, after, at.turns)
		}
	}
}

// TestMovedCallerIsChargedInItsNewGroup: what it has in hand moves with it.
func TestMovedCallerIsChargedInItsNewGroup(t *testing.T) {
	m := dispatch.New(dispatch.Config{Epoch: 1})
	m.Beat(0, "w", 2, nil)
	offer := func(caller, group string, first int) {
		o := some(caller, first, 1, 50*time.Millisecond, false)
		o.Group = group
		m.Offer(0, o)
	}
	offer("a", "old", 1)
	offer("b", "new", 1)
	runs, _ := m.Dispatch(0)
	turns := slices.Clone(runs[0].Turns)
	offer("a", "new", 2)
	offer("b", "new", 2)
	for _, turn := range turns {
		m.End(0, turn.Dispatched, 50*time.Millisecond)
	}
	if r := m.Report(); r.Between.InLine != 1 || r.Inside.Lag != 0 {
		t.Errorf("both used 50 ms in one group: %+v", r)
	}
	m.Dispatch(0)
	m.Tick(time.Second)
	if err := m.Check(); err != nil {
		t.Fatal(err)
	}
	if n := m.Groups(); n != 1 {
		t.Errorf("%d groups are remembered, want 1", n)
	}
}

// TestTickLooksAtWhatIsDueOnly: a hundred thousand dormant callers need no clock.
func TestTickLooksAtWhatIsDueOnly(t *testing.T) {
	m := dispatch.New(dispatch.Config{Epoch: 1})
	m.Backlogged(0, dormantCallers(100_000, 0))
	if n := m.Due(); n != 0 {
		t.Errorf("time does something to %d callers", n)
	}
	m.Beat(0, "w", 1, nil)
	m.Dispatch(0)
	if n, dormant := m.Due(), m.Dormant(); n > 1024 || n+dormant != 100_000 {
		t.Errorf("time does something to %d callers, %d are dormant", n, dormant)
	}
}

func dormantCallers(n, groups int) []dispatch.Known {
	all := make([]dispatch.Known, n)
	for i := range all {
		all[i] = dispatch.Known{Caller: fmt.Sprintf("caller-%d", i), Weight: 1}
		if groups > 0 {
			all[i].Group = fmt.Sprint("group", i%groups)
		}
	}
	return all
}

// TestDormantCallerCostsLittle: at most 250 bytes, with its name and its entry in
// the map.
func TestDormantCallerCostsLittle(t *testing.T) {
	const callers = 200_000
	m := dispatch.New(dispatch.Config{Epoch: 1})
	before := heapSize()
	for i := range callers {
		m.Backlogged(0, []dispatch.Known{{Caller: fmt.Sprintf("caller-%d", i), Weight: 1}})
	}
	each := float64(heapSize()-before) / callers
	t.Logf("%.0f bytes for each dormant caller", each)
	if each > 250 || m.Dormant() != callers {
		t.Errorf("want at most 250; %d callers are dormant", m.Dormant())
	}
	runtime.KeepAlive(m)
}

func heapSize() uint64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}

// TestAskingHasItsLimits: at most 1,024 that have not answered, and at most 8,192
// that were not served, however fast the workers are.
func TestAskingHasItsLimits(t *testing.T) {
	m := dispatch.New(dispatch.Config{Epoch: 1})
	m.Backlogged(0, dormantCallers(20_000, 0))
	m.Beat(0, "w", 200, nil)
	asked, handed := 0, 0
	for range 20 {
		runs, pulls := m.Dispatch(0)
		for _, r := range runs {
			handed += len(r.Turns)
		}
		if len(pulls) > dispatch.MaxAsking {
			t.Fatalf("%d callers asked at once", len(pulls))
		}
		asked += len(pulls)
		for _, p := range slices.Clone(pulls) {
			m.Offer(0, some(p.Caller, 1, 1, 90*time.Millisecond, false))
		}
	}
	if handed != 200 || asked != 200+dispatch.MaxEarly {
		t.Errorf("%d turns handed out, %d callers asked; want 200 and %d", handed, asked, 200+dispatch.MaxEarly)
	}
}

// TestHelpingsShrink: in a crowd, callers are asked for 2 ms of work, for two turns
// when the windows hold more than Cache, and for one when they are full.
func TestHelpingsShrink(t *testing.T) {
	m := dispatch.New(dispatch.Config{Epoch: 1})
	m.Crowd(0)
	m.Beat(0, "w", 1, nil)
	held := 0
	for _, at := range []struct{ held, want int }{{0, 20}, {dispatch.Cache, 2}, {dispatch.Full, 1}} {
		for ; held <= at.held+min(at.held, 16*dispatch.Window); held += dispatch.Window {
			m.Offer(0, some(fmt.Sprint("holder", held), 1, dispatch.Window, 100*time.Microsecond, false))
		}
		name := fmt.Sprint("asked", at.want)
		m.Offer(0, some(name, 1, 1, 100*time.Microsecond, true))
		for range 2 * held / dispatch.Window { // until it had its turn
			runs, pulls := m.Dispatch(0)
			for _, r := range runs {
				held -= len(r.Turns)
				for _, turn := range slices.Clone(r.Turns) {
					m.End(0, turn.Dispatched, 100*time.Microsecond)
				}
			}
			if len(pulls) > 0 {
				if pulls[0] != (dispatch.Pull{Caller: name, Want: at.want, Claim: 1}) {
					t.Errorf("with %d turns here: %v, want %d", held, pulls, at.want)
				}
				name = ""
				break
			}
		}
		if name != "" {
			t.Errorf("%s was not asked", name)
		}
	}
}
