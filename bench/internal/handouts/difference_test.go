package handouts

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestLargestDifference looks at orders that are fair, that are not, and that
// could not have been fairer.
func TestLargestDifference(t *testing.T) {
	start := time.Unix(1000, 0)
	// order makes a log of hand-outs a millisecond apart, each costing one,
	// from the first letters of their callers. All were submitted before.
	order := func(callers string) (log []HandOut) {
		for i, c := range callers {
			log = append(log, HandOut{string(c), uint64(i + 1), start.Add(-time.Second), start.Add(time.Duration(i) * time.Millisecond), time.Millisecond})
		}
		return log
	}
	late := order("aaaaaabb")
	for i := range late {
		if late[i].Caller == "b" {
			late[i].Submitted = late[i].Started
		}
	}
	restarted := order("aaabbb")
	for i := range restarted[3:] {
		restarted[3+i].Place += 100_000_000
	}
	for name, c := range map[string]struct {
		log       []HandOut
		largest   time.Duration
		contended int
	}{
		"in turn":         {order("abababab"), time.Millisecond, 7},
		"one first":       {order("aaaabbbb"), 4 * time.Millisecond, 4},
		"three":           {order("abcabccccba"), 4 * time.Millisecond, 10},
		"no other waited": {late, 0, 0},
		"a new scheduler": {restarted, 3 * time.Millisecond, 3},
		"nothing":         {nil, 0, 0},
	} {
		if largest, contended := LargestDifference(c.log); largest != c.largest || contended != c.contended {
			t.Errorf("%s: %v and %d, want %v and %d", name, largest, contended, c.largest, c.contended)
		}
	}
}

// TestDifferenceOfRandomLogs compares with a slow twin: callers come and go, orders are
// more or less fair, and schedulers change.
func TestDifferenceOfRandomLogs(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 3))
	for range 300 {
		now, place := time.Unix(1000, 0), uint64(0)
		callers := 1 + rng.IntN(6)
		log := make([]HandOut, rng.IntN(200))
		for i := range log {
			now = now.Add(time.Duration(rng.IntN(20)) * time.Millisecond)
			if place++; rng.IntN(50) == 0 {
				place += 2 * newScheduler
			}
			log[i] = HandOut{string(rune('a' + rng.IntN(callers))), place, now.Add(-time.Duration(rng.IntN(300)) * time.Millisecond), now, time.Duration(rng.IntN(5)) * time.Millisecond}
		}
		rng.Shuffle(len(log), func(i, j int) { log[i], log[j] = log[j], log[i] })
		wantLargest, wantContended := slowDifference(slices.Clone(log))
		if largest, contended := LargestDifference(log); largest != wantLargest || contended != wantContended {
			t.Fatalf("%v and %d, want %v and %d", largest, contended, wantLargest, wantContended)
		}
	}
}

// slowDifference is LargestDifference, which looks at all pairs of callers at each
// hand-out.
func slowDifference(log []HandOut) (largest time.Duration, contended int) {
	slices.SortFunc(log, func(a, b HandOut) int { return cmp.Compare(a.Place, b.Place) })
	queues := map[string][]HandOut{}
	for _, h := range log {
		queues[h.Caller] = append(queues[h.Caller], h)
	}
	names := make([]string, 0, len(queues))
	for name := range queues {
		names = append(names, name)
	}
	slices.Sort(names)
	type spread struct{ now, least, most time.Duration }
	pairs := map[[2]string]spread{}
	last := uint64(0)
	for _, h := range log {
		if h.Place > last+newScheduler {
			clear(pairs)
		}
		last = h.Place
		waiting := map[string]bool{}
		for _, name := range names {
			q := queues[name]
			waiting[name] = len(q) > 0 && q[0].Submitted.Add(certainAfter).Before(h.Started)
		}
		queues[h.Caller] = queues[h.Caller][1:]
		others := false
		for i, f := range names {
			for _, g := range names[i+1:] {
				pair := [2]string{f, g}
				if !waiting[f] || !waiting[g] {
					delete(pairs, pair)
					continue
				}
				s := pairs[pair]
				switch h.Caller {
				case f:
					s.now += h.Charge
				case g:
					s.now -= h.Charge
				}
				others = others || h.Caller == f || h.Caller == g
				s.least, s.most = min(s.least, s.now), max(s.most, s.now)
				pairs[pair] = s
				largest = max(largest, s.most-s.least)
			}
		}
		if others {
			contended++
		}
	}
	return largest, contended
}
