package handouts

import (
	"cmp"
	"slices"
	"time"
)

// HandOut is a job of one turn as the store tells of its hand-out.
type HandOut struct {
	Caller             string
	Place              uint64
	Submitted, Started time.Time
	Charge             time.Duration
}

// A job certainly waits from its submission and a grace on, for the way to the
// scheduler; a new scheduler leaves a gap of this many places.
const (
	certainAfter = 100 * time.Millisecond
	newScheduler = 10_000_000
)

// LargestDifference looks at hand-outs by their places. For every two callers and each
// interval in which both certainly waited it compares what they were charged, and
// returns the largest difference, and how many hand-outs were made while another
// caller waited. It takes time as there are hand-outs, times callers.
func LargestDifference(log []HandOut) (largest time.Duration, contended int) {
	slices.SortFunc(log, func(a, b HandOut) int { return cmp.Compare(a.Place, b.Place) })
	all := byCaller(log)
	last := uint64(0)
	for at, h := range log {
		if h.Place > last+newScheduler {
			for _, c := range all {
				c.missing = at
			}
		}
		last = h.Place
		var of *waits
		for _, c := range all {
			if c.name == h.Caller {
				of = c
			}
			if len(c.queue) == 0 || !c.queue[0].Submitted.Add(certainAfter).Before(h.Started) {
				c.missing = at + 1
			}
		}
		of.queue = of.queue[1:]
		if of.missing > at {
			continue
		}
		others := false
		for _, c := range all {
			if c == of || c.missing > at {
				continue
			}
			others = true
			largest = max(largest, of.charge(c, at, h.Charge))
		}
		if others {
			contended++
		}
	}
	return largest, contended
}

// waits is a caller as the hand-outs go by, numbered from zero.
type waits struct {
	index   int
	name    string
	queue   []HandOut // not handed out yet
	missing int       // it certainly waited at all hand-outs from this one to the last
	pairs   []spread  // with callers of a lower index
}

// spread is by how much the first of two callers is ahead of the second.
type spread struct {
	from             int // the hand-out from which both waited
	now, least, most time.Duration
}

func byCaller(log []HandOut) (all []*waits) {
	found := map[string]*waits{}
	for _, h := range log {
		c := found[h.Caller]
		if c == nil {
			c = &waits{index: len(all), name: h.Caller, pairs: make([]spread, len(all))}
			found[h.Caller], all = c, append(all, c)
		}
		c.queue = append(c.queue, h)
	}
	return all
}

// charge charges c for a hand-out while o waited, and returns the largest difference between
// the two since both have waited.
func (c *waits) charge(o *waits, at int, cost time.Duration) time.Duration {
	first, second := c, o
	if c.index < o.index {
		first, second, cost = o, c, -cost
	}
	s := &first.pairs[second.index]
	if from := max(c.missing, o.missing); s.from != from+1 {
		*s = spread{from: from + 1}
	}
	s.now += cost
	s.least, s.most = min(s.least, s.now), max(s.most, s.now)
	return s.most - s.least
}
