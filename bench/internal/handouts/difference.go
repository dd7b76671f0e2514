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
// caller waited.
func LargestDifference(log []HandOut) (largest time.Duration, contended int) {
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
