package dispatch_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"fairfactor/actors/dispatch"
)

// jitter gives costs around a mean: half of it to twice of it, and now and then
// far more, but never more than a turn may take.
func (c *cluster) jitter(mean time.Duration) func() time.Duration {
	return func() time.Duration {
		d := mean/2 + time.Duration(c.rng.Int64N(int64(mean)))
		if c.rng.IntN(50) == 0 {
			d *= 5
		}
		return min(d, dispatch.LongestTurn)
	}
}

// TestBoundHoldsBesideThousands lets endless callers of all kinds compete, with
// thousands that come and go, predictions wrong by a factor, and a node that
// dies and comes back. For every two of the endless ones and every interval
// between two looks, the CPU that they got may differ by no more than the bound.
func TestBoundHoldsBesideThousands(t *testing.T) {
	for _, size := range []struct{ nodes, slots int }{{1, 2}, {4, 2}} {
		seed := uint64(time.Now().UnixNano())
		t.Run(fmt.Sprintf("%d workers, seed %d", size.nodes*size.slots, seed), func(t *testing.T) {
			c := newCluster(seed, size.nodes, size.slots)
			endless := c.endless()
			c.visitors(size.nodes * size.slots * 400)
			slots := size.nodes * size.slots
			looks := c.observe(endless, 20, time.Second, func(i int) {
				switch {
				case size.nodes > 1 && i == 7:
					c.kill("w1")
				case size.nodes > 1 && i == 13:
					c.start("w1", size.slots)
				}
			})
			got, bound := widest(looks), dispatch.Bound(slots, dispatch.DefaultQuantum)
			r := c.machine.Report()
			t.Logf("largest difference %v, bound %v; largest lag %v, reach %v", got, bound, r.MaxLag, dispatch.Reach(slots, dispatch.DefaultQuantum))
			if got > bound {
				t.Errorf("two callers got CPU that differs by %v, the bound is %v", got, bound)
			}
			if least := slices.Min(looks[len(looks)-1]); least < 2*bound {
				t.Errorf("a caller got %v only: the bound of %v shows nothing", least, bound)
			}
			if r.Violations != 0 {
				t.Errorf("%d violations, largest lag %v", r.Violations, r.MaxLag)
			}
		})
	}
}

// endless joins callers that never run out: elephants, floods, and such whose
// turns use far more or less than they say.
func (c *cluster) endless() (all []*source) {
	for i, kind := range []struct {
		weight        int
		predict, cost time.Duration
	}{
		{1, 20 * time.Millisecond, 20 * time.Millisecond},
		{1, 95 * time.Millisecond, 95 * time.Millisecond},
		{2, 95 * time.Millisecond, 80 * time.Millisecond},
		{1, 5 * time.Millisecond, 50 * time.Millisecond},
		{1, 90 * time.Millisecond, 3 * time.Millisecond},
		{1, 200 * time.Microsecond, 200 * time.Microsecond},
		{1, 30 * time.Microsecond, 500 * time.Microsecond},
		{3, 2 * time.Millisecond, 2 * time.Millisecond},
	} {
		s := &source{name: fmt.Sprint("endless", i), weight: kind.weight, predict: kind.predict, cost: c.jitter(kind.cost), left: -1}
		all = append(all, s)
		c.join(s)
	}
	return all
}

// visitors lets that many callers come over 20 seconds, each with some turns, half
// of them in groups.
func (c *cluster) visitors(n int) {
	for i := range n {
		cost := []time.Duration{20 * time.Microsecond, 300 * time.Microsecond, 4 * time.Millisecond, 25 * time.Millisecond}[i%4]
		s := &source{
			name: fmt.Sprint("visitor", i), group: []string{"", fmt.Sprint("group", i%50)}[i/4%2], weight: 1 + i%2, predict: cost, cost: c.jitter(cost),
			left: 1 + c.rng.IntN(int(min(60, max(3, 30*time.Millisecond/cost)))),
		}
		c.after(time.Duration(c.rng.Int64N(int64(20*time.Second))), func() { c.join(s) })
	}
}

// observe returns what callers got by then, divided by weight, at each look.
func (c *cluster) observe(all []*source, looks int, every time.Duration, at func(int)) (got [][]time.Duration) {
	for i := range looks {
		at(i)
		c.run(every)
		var row []time.Duration
		for _, s := range all {
			row = append(row, s.charged/time.Duration(s.weight))
		}
		got = append(got, row)
	}
	return got
}

// widest returns the largest difference between what two callers got in the time
// between two looks.
func widest(looks [][]time.Duration) (d time.Duration) {
	for i := range looks {
		for j := range i {
			least, most := time.Duration(1<<62), time.Duration(-1)
			for f := range looks[i] {
				got := looks[i][f] - looks[j][f]
				least, most = min(least, got), max(most, got)
			}
			d = max(d, most-least)
		}
	}
	return d
}

// TestThroughputLosesNothing compares what elephants, a flood and small callers
// get done together with what the slots can do.
func TestThroughputLosesNothing(t *testing.T) {
	c := newCluster(1, 2, 2)
	for i, cost := range []time.Duration{20 * time.Millisecond, 20 * time.Millisecond, 50 * time.Microsecond, time.Millisecond} {
		c.join(&source{name: fmt.Sprint(i), weight: 1, predict: cost, cost: func() time.Duration { return cost }, left: -1})
	}
	c.run(10 * time.Second)
	used := float64(c.busy) / float64(40*time.Second)
	t.Logf("%.2f %% of the slots' time used", 100*used)
	if used < 0.97 {
		t.Errorf("only %.1f %% of the slots' time used", 100*used)
	}
}

// TestLightCallerWaitsLittle measures how long one small job takes, now and then
// one, next to three elephants and a flood of 20 us jobs.
func TestLightCallerWaitsLittle(t *testing.T) {
	for _, size := range []struct {
		slots int
		p99   time.Duration
	}{{2, 6 * time.Millisecond}, {8, 12 * time.Millisecond}} {
		c := newCluster(7, 1, size.slots)
		for i := range 3 {
			c.join(&source{name: fmt.Sprint("elephant", i), weight: 1, predict: 20 * time.Millisecond, cost: c.jitter(20 * time.Millisecond), left: -1})
		}
		flood := &source{name: "flood", weight: 1, predict: 20 * time.Microsecond, cost: c.jitter(20 * time.Microsecond), left: -1}
		c.join(flood)
		waits := c.lightJobs(200)
		c.run(10200 * time.Millisecond)
		slices.Sort(*waits)
		p50, p99 := (*waits)[len(*waits)/2], (*waits)[len(*waits)*99/100]
		t.Logf("%d workers: a light caller waits %v, p99 %v; the flood had %d turns/s", size.slots, p50, p99, flood.next/10)
		if len(*waits) != 200 || p99 > size.p99 {
			t.Errorf("%d workers: %d of 200 jobs done, p99 of %v, want at most %v", size.slots, len(*waits), p99, size.p99)
		}
	}
}

// TestLongTurnWaitsForNoFlood: where many callers have short turns, one with long ones gets a
// slot when it is its turn, not when all others are ahead of it by the slack.
func TestLongTurnWaitsForNoFlood(t *testing.T) {
	const callers = 300
	for _, elephants := range []int{0, 1, 3} {
		c := newCluster(7, 1, 2)
		for i := range callers {
			c.join(&source{name: fmt.Sprint("short", i), weight: 1, predict: 100 * time.Microsecond, cost: c.jitter(100 * time.Microsecond), left: -1})
		}
		for i := range elephants {
			c.join(&source{name: fmt.Sprint("elephant", i), weight: 1, predict: 20 * time.Millisecond, cost: c.jitter(20 * time.Millisecond), left: -1})
		}
		c.run(time.Second)
		begin, took := c.now, time.Duration(0)
		c.join(&source{
			name: "long", weight: 1, predict: 20 * time.Millisecond, cost: func() time.Duration { return 20 * time.Millisecond }, left: 1,
			ended: func(uint64) { took = c.now - begin },
		})
		c.run(time.Second)
		t.Logf("%d elephants: a long turn takes %v", elephants, took)
		// A round, a turn of each elephant, its own, and what the slots hold.
		if most := callers*150*time.Microsecond + time.Duration(elephants+1)*40*time.Millisecond; took == 0 || took > most {
			t.Errorf("%d elephants: a long turn takes %v, want at most %v", elephants, took, most)
		}
	}
}

// lightJobs submits jobs of 100 us, one each 50 ms or so, and notes how long
// each took from then on.
func (c *cluster) lightJobs(n int) *[]time.Duration {
	var waits []time.Duration
	light := &source{name: "light", weight: 1, predict: 100 * time.Microsecond, cost: func() time.Duration { return 100 * time.Microsecond }}
	since := map[uint64]time.Duration{}
	light.ended = func(seq uint64) { waits = append(waits, c.now-since[seq]) }
	c.callers[light.name] = light
	for i := range n {
		c.after(time.Duration(i)*50*time.Millisecond+time.Duration(c.rng.IntN(30))*time.Millisecond, func() {
			since[light.next+1] = c.now
			light.left = 1
			c.offer(light, 1)
		})
	}
	return &waits
}

// TestBoundIsWhatTheDocsSay holds the numbers in docs/fairness.md.
func TestBoundIsWhatTheDocsSay(t *testing.T) {
	for _, c := range []struct {
		slots        int
		quantum      time.Duration
		reach, bound string
	}{
		{1, dispatch.DefaultQuantum, "329.4ms", "658.8ms"},
		{2, dispatch.DefaultQuantum, "438.8ms", "877.6ms"},
		{8, dispatch.DefaultQuantum, "1.0952s", "2.1904s"},
		{2, 100 * time.Millisecond, "13.226s", "26.452s"},
	} {
		reach, bound := dispatch.Reach(c.slots, c.quantum), dispatch.Bound(c.slots, c.quantum)
		if reach.String() != c.reach || bound.String() != c.bound {
			t.Errorf("%d slots, quantum %v: reach %v and bound %v, want %s and %s", c.slots, c.quantum, reach, bound, c.reach, c.bound)
		}
	}
}
