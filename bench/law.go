package main

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// handedOut is a job of one turn as the store tells of its hand-out.
type handedOut struct {
	caller             string
	place              uint64
	submitted, started time.Time
	charge             time.Duration
}

// A job certainly waits from its submission and a grace on, for the way to the
// scheduler; a scheduler that starts anew leaves a gap of this many places.
const (
	certainAfter = 100 * time.Millisecond
	newScheduler = 10_000_000
)

// lawOf looks at hand-outs by their places. For every two callers and each
// interval in which both certainly waited it compares what they were charged, and
// returns the largest difference, and how many hand-outs were made while somebody
// else waited.
func lawOf(log []handedOut) (largest time.Duration, contended int) {
	slices.SortFunc(log, func(a, b handedOut) int { return cmp.Compare(a.place, b.place) })
	queues := map[string][]handedOut{}
	for _, h := range log {
		queues[h.caller] = append(queues[h.caller], h)
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
		if h.place > last+newScheduler {
			clear(pairs)
		}
		last = h.place
		waiting := map[string]bool{}
		for _, name := range names {
			q := queues[name]
			waiting[name] = len(q) > 0 && q[0].submitted.Add(certainAfter).Before(h.started)
		}
		queues[h.caller] = queues[h.caller][1:]
		others := false
		for i, f := range names {
			for _, g := range names[i+1:] {
				pair := [2]string{f, g}
				if !waiting[f] || !waiting[g] {
					delete(pairs, pair)
					continue
				}
				s := pairs[pair]
				switch h.caller {
				case f:
					s.now += h.charge
				case g:
					s.now -= h.charge
				}
				others = others || h.caller == f || h.caller == g
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

// Jobs of each caller in the burst at the end, and their digits: about a
// millisecond each.
const (
	burstJobs   = 150
	burstDigits = 30
)

// burst has all callers submit many like jobs at once, each at another node, so
// that the order of their hand-outs shows how fair it is.
func (g *ground) burst(ctx context.Context) error {
	errs := make([]error, len(g.senders.callers))
	var wg sync.WaitGroup
	for i, caller := range g.senders.callers {
		numbers := make([]string, burstJobs)
		for n := range numbers {
			numbers[n] = semiprime(g.rng, burstDigits)
		}
		addr := g.fleet.seats[i%len(g.fleet.seats)].http
		wg.Go(func() { errs[i] = g.burstOf(ctx, addr, caller, numbers) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (g *ground) burstOf(ctx context.Context, addr, caller string, numbers []string) error {
	c, err := newClient("http://"+addr, 1)
	if err != nil {
		return err
	}
	defer c.close()
	began := time.Now()
	jobs, err := fill(ctx, c, caller, numbers, len(numbers))
	for _, j := range jobs {
		g.senders.note(submission{Caller: caller, Number: j.number, Outcome: taken, ID: j.id, Began: began, Ended: time.Now(), Attempts: 1})
	}
	return err
}
