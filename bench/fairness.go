package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"time"
)

var fairnessComparison = comparison{
	name:    "fairness",
	summary: "what one caller's burst does to the others",
	help: `Four checks, each on nodes of its own:
1. One caller queues many jobs of some milliseconds, then ten others submit one
   each. Counted: turns that were handed out between the 202 of such a job and its
   own hand-out. Bound: one for each other caller, and for each worker the one that
   runs and the one that it holds ahead.
2. Ten callers submit many like jobs each, one caller after the other, so that the
   order of arrival is far from round robin. Looked at: the hand-outs from the
   moment that all are waiting until the first caller has no more. They must go
   around strictly. Once with jobs that cost less than a quantum, for which the node
   has a larger one, and once with the default quantum.
3. One caller with a stream of 20-digit numbers beside one with numbers of many
   digits that take minutes. Measured: the first one's part of the CPU that both
   used. A turn is charged at least a quantum, so the part of what was charged is
   shown too; the scheduler evens out that one.
4. What GET /fairness said on those nodes: the largest lag against its bound, and
   violations.`,
	prepare: func(f *flag.FlagSet) measurement {
		fair := fairness{others: 10}
		f.IntVar(&fair.burst, "burst", 10_000, "jobs of the caller that queues many")
		f.DurationVar(&fair.work, "work", 10*time.Millisecond, "CPU of such a job, about")
		f.IntVar(&fair.jobs, "jobs", 1000, "jobs of each of ten callers in the second check")
		f.DurationVar(&fair.watch, "watch", 6*time.Second, "time over which CPU is compared in the third check")
		f.IntVar(&fair.digits, "digits", 90, "digits of the long numbers in the third check")
		f.IntVar(&fair.workers, "workers", runtime.NumCPU(), "workers of each node")
		return fair.measure
	},
}

type fairness struct {
	burst, others, jobs, digits, workers int
	work, watch                          time.Duration
}

// check is what happens on one node.
type check struct {
	name  string
	flags []string // of the node
	run   func(context.Context, *bench, *client) ([]row, error)
}

func (f *fairness) measure(ctx context.Context, b *bench) ([]row, error) {
	if f.digits < leastLong || f.digits > mostLong {
		return nil, fmt.Errorf("-digits %d is not between %d and %d", f.digits, leastLong, mostLong)
	}
	var rows []row
	var errs []error
	var accounts []row
	violations := 0
	for _, c := range []check{
		{"1, a burst", nil, f.late},
		{"2, below a quantum", []string{"--quantum", wideQuantum.String()}, f.belowQuantum},
		{"2, above a quantum", nil, f.aboveQuantum},
		{"3, a stream beside long numbers", nil, f.share},
	} {
		b.say("check %s", c.name)
		measured, p, err := f.on(ctx, b, c)
		rows = append(rows, measured...)
		if err != nil {
			errs = append(errs, fmt.Errorf("check %s: %w", c.name, err))
			continue
		}
		accounts = append(accounts, figure("largest lag of /fairness in check "+c.name, float64(p.MaxLag)/1000, "ms").
			against("its bound", float64(p.Bound)/1000, float64(p.MaxLag)/float64(p.Bound)).atMost(1).must())
		violations += p.Violations
	}
	return append(append(rows, accounts...), figure("violations of /fairness, all nodes", float64(violations), "").atMost(0).must()), errors.Join(errs...)
}

// on runs a check on a new node and asks the node for its own account at the
// end.
func (f fairness) on(ctx context.Context, b *bench, c check) ([]row, promise, error) {
	node, err := b.node(ctx, b.folder(), nil, append([]string{"--workers", fmt.Sprint(f.workers)}, c.flags...)...)
	if err != nil {
		return nil, promise{}, err
	}
	defer node.kill()
	client, err := newClient(node.url, f.others)
	if err != nil {
		return nil, promise{}, err
	}
	defer client.close()
	rows, err := c.run(ctx, b, client)
	if err != nil {
		return rows, promise{}, err
	}
	p, err := client.fairness()
	return rows, p, err
}

// repeated is the same number many times: like jobs.
func repeated(number string, n int) []string {
	numbers := make([]string, n)
	for i := range numbers {
		numbers[i] = number
	}
	return numbers
}

// late is check 1.
func (f fairness) late(ctx context.Context, b *bench, c *client) ([]row, error) {
	number, took := sized(newRand(b.seed, 1), f.work)
	b.say("%d jobs of %v (%d digits)", f.burst, took.Round(10*time.Microsecond), len(number))
	if _, err := fill(ctx, c, "burst", repeated(number, f.burst), waitingGroup); err != nil {
		return nil, err
	}
	var singles []accepted
	poster := c.poster()
	for i := range f.others {
		caller := fmt.Sprintf("single-%d", i)
		id, err := poster.accepted(caller, number)
		if err != nil {
			return nil, err
		}
		singles = append(singles, accepted{id: id, caller: caller, number: number, at: time.Now()})
	}
	if err := ended(ctx, c, singles); err != nil {
		return nil, err
	}
	jobs, err := collect(ctx, c, singles)
	if err != nil {
		return nil, err
	}
	burst, err := c.account("burst")
	if err != nil {
		return nil, err
	}
	all := make(map[string]job, len(jobs)+burst.Completed)
	for id, j := range jobs {
		all[id] = j
	}
	if err := completedOf(ctx, c, "burst", all); err != nil {
		return nil, err
	}
	order := inOrder(all)
	var most int
	var longest time.Duration
	for _, a := range singles {
		j := jobs[a.id]
		most = max(most, turnsBetween(order, a.at, j.Turn))
		longest = max(longest, j.Started.Sub(j.Submitted))
	}
	bound := f.others + 2*f.workers
	return []row{
		figure(fmt.Sprintf("jobs of the burst still waiting when the %d single ones were done", f.others), float64(burst.Queued), "").atLeast(float64(f.burst) / 2),
		figure("most turns between the 202 of a single job and its turn", float64(most), "turns").atMost(float64(bound)).must(),
		figure("longest time from the submission of a single job to its turn", millis(longest), "ms"),
	}, nil
}

// ended waits until the callers of the jobs have no unfinished one.
func ended(ctx context.Context, c *client, all []accepted) error {
	var callers []string
	for _, a := range all {
		if !slices.Contains(callers, a.caller) {
			callers = append(callers, a.caller)
		}
	}
	return quiet(ctx, c, callers)
}

// quiet waits until callers have no unfinished job.
func quiet(ctx context.Context, c *client, callers []string) error {
	return until(ctx, 20*time.Millisecond, func() (bool, error) {
		for _, name := range callers {
			if a, err := c.account(name); err != nil && !missing(err) || a.Queued > 0 {
				return false, err
			}
		}
		return true, nil
	})
}

// completedOf adds a caller's completed jobs.
func completedOf(ctx context.Context, c *client, caller string, into map[string]job) error {
	for cursor := ""; ctx.Err() == nil; {
		p, err := c.completed(caller, cursor)
		if err != nil {
			return err
		}
		for _, j := range p.Jobs {
			into[j.ID] = j
		}
		if cursor = p.Next; cursor == "" {
			return nil
		}
	}
	return ctx.Err()
}

// Check 2: enough jobs that all callers have queued theirs before the first has
// none left.
const (
	roundWork   = 2 * time.Millisecond
	wideQuantum = 10 * roundWork
	roundWarm   = 1000                  // jobs from which the scheduler learns what they cost
	roundGrace  = 50 * time.Millisecond // from the last answer until the scheduler knows all callers
)

// belowQuantum is check 2 with jobs that cost less than the quantum, where
// nothing but the round counts.
func (f fairness) belowQuantum(ctx context.Context, b *bench, c *client) ([]row, error) {
	return f.round(ctx, b, c, "below a quantum")
}

// aboveQuantum is check 2 with the default quantum, where like jobs must go
// around although their times jitter.
func (f fairness) aboveQuantum(ctx context.Context, b *bench, c *client) ([]row, error) {
	return f.round(ctx, b, c, "above a quantum")
}

// round looks at how turns go around for jobs with one number.
func (f fairness) round(ctx context.Context, b *bench, c *client, kind string) ([]row, error) {
	number, took := sized(newRand(b.seed, 2), roundWork)
	b.say("%d jobs of %v (%d digits) from each of %d callers", f.jobs, took.Round(10*time.Microsecond), len(number), f.others)
	if _, err := fill(ctx, c, "warm", repeated(number, roundWarm), waitingGroup); err != nil {
		return nil, err
	}
	if err := quiet(ctx, c, []string{"warm"}); err != nil {
		return nil, err
	}
	var all []accepted
	for i := range f.others {
		jobs, err := fill(ctx, c, fmt.Sprintf("like-%d", i), repeated(number, f.jobs), waitingGroup)
		if err != nil {
			return nil, err
		}
		all = append(all, jobs...)
	}
	from := time.Now().Add(roundGrace)
	if err := ended(ctx, c, all); err != nil {
		return nil, err
	}
	jobs, err := collect(ctx, c, all)
	if err != nil {
		return nil, err
	}
	t := verify(all, jobs)
	r := rotationOf(whileAllWait(inOrder(jobs), from), f.others)
	return []row{
		figure("jobs failed, lost or wrong, "+kind, float64(t.bad()), "").atMost(0).must(),
		figure("jobs handed out while all ten callers waited, "+kind, float64(r.HandOuts), "").atLeast(float64(f.jobs)),
		figure("of these, out of the round, "+kind, float64(r.Breaks), "").atMost(0),
		figure("most that a caller was ahead of another, "+kind, float64(r.Lead), "jobs").atMost(1),
	}, nil
}

// Check 3 keeps so many jobs of the stream waiting, and so many long numbers.
const (
	streamBacklog = 10_000
	streamGroup   = 2_000
	longNumbers   = 4
)

// A long number has more digits than fit in one turn, and no more than a node
// takes by default.
const leastLong, mostLong = 50, 200

// share is check 3.
func (f fairness) share(ctx context.Context, b *bench, c *client) ([]row, error) {
	rng := newRand(b.seed, 3)
	long := make([]string, longNumbers)
	for i := range long {
		long[i] = semiprime(rng, f.digits)
	}
	ids, err := fill(ctx, c, "long", long, waitingGroup)
	if err != nil {
		return nil, err
	}
	streaming, stop := context.WithCancel(ctx)
	defer stop()
	var empty atomic.Int64
	fed := make(chan error, 1)
	numbers := make([]string, streamGroup)
	for i := range numbers {
		numbers[i] = semiprime(rng, 20)
	}
	go func() { fed <- feed(streaming, c, "stream", numbers, &empty) }()
	if err := pause(ctx, time.Second); err != nil { // until both have begun
		return nil, err
	}
	empty.Store(0)
	before, err := usageNow(c, ids)
	if err != nil {
		return nil, err
	}
	if err := pause(ctx, f.watch); err != nil {
		return nil, err
	}
	after, err := usageNow(c, ids)
	if err != nil {
		return nil, err
	}
	ran := empty.Load()
	stop()
	if err := <-fed; err != nil {
		return nil, err
	}
	p, err := c.fairness()
	if err != nil {
		return nil, err
	}
	stream, beside := after.stream.CPUSeconds-before.stream.CPUSeconds, after.long-before.long
	charged := max(stream, float64(after.stream.Turns-before.stream.Turns)*float64(p.Quantum)/1e6)
	return []row{
		figure("20-digit jobs completed beside long numbers", perSecond(after.stream.Completed-before.stream.Completed, f.watch), "/s"),
		figure("times that the stream had nothing waiting", float64(ran), "").atMost(0),
		figure("CPU of the stream, part of both", 100*stream/(stream+beside), "%").atLeast(45),
		figure("charged to the stream, part of both", 100*charged/(charged+beside), "%").atLeast(45).atMost(55),
		figure("CPU of both, of all workers", 100*(stream+beside)/f.watch.Seconds()/float64(f.workers), "%"),
	}, nil
}

// usage is what two callers have used so far.
type usage struct {
	stream account
	long   float64 // CPU seconds of the long numbers, which are under way
}

func usageNow(c *client, long []accepted) (u usage, err error) {
	if u.stream, err = c.account("stream"); err != nil {
		return u, err
	}
	for _, a := range long {
		j, err := c.job(a.id)
		if err != nil {
			return u, err
		}
		u.long += float64(j.CPU) / 1e6
	}
	return u, nil
}

// feed keeps a caller's queue filled until ctx ends, and counts how often it
// found it empty.
func feed(ctx context.Context, c *client, caller string, numbers []string, empty *atomic.Int64) error {
	for ctx.Err() == nil {
		a, err := c.account(caller)
		if err != nil && !missing(err) {
			return err
		}
		if a.Queued == 0 {
			empty.Add(1)
		}
		if a.Queued >= streamBacklog {
			pause(ctx, 10*time.Millisecond)
			continue
		}
		if _, err := c.batch(caller, numbers); err != nil {
			return err
		}
	}
	return nil
}
