package compare

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"time"

	"fairfactor/bench/internal/client"
	"fairfactor/bench/internal/command"
	"fairfactor/bench/internal/handouts"
	"fairfactor/bench/internal/harness"
	"fairfactor/bench/internal/load"
	"fairfactor/bench/internal/random"
	"fairfactor/bench/internal/report"
	"fairfactor/bench/internal/stats"
	"fairfactor/bench/internal/verify"
	"fairfactor/bench/internal/wait"
)

// Fairness is `bench fairness`.
var Fairness = command.Comparison{
	Name:    "fairness",
	Summary: "what one caller's burst does to the others",
	Help: `Four checks, each on nodes of its own:
1. One caller queues many jobs of some milliseconds, then ten others submit one
   each. Counted: turns that were handed out between the 202 of such a job and its
   own hand-out. Bound: one for each other caller, and for each worker the one that
   runs and the one that it holds ahead.
2. Ten callers submit many like jobs each, one caller after the other, so that the
   order of arrival is far from round robin. Looked at: the hand-outs from the
   moment that all are waiting until the first caller has no more. They must go
   around strictly. Once with jobs that cost less than a quantum, for which the node
   has a larger one, and once with the default quantum.
3. One caller with a stream of 20-digit numbers next to one with numbers of many
   digits that take minutes. Measured: the first one's part of the CPU that both
   used. A turn is charged at least a quantum, so the node has a smaller one than
   these jobs take, and the part of what was charged is shown too; the scheduler evens
   out that one.
4. What GET /fairness said on those nodes: the largest lag against its bound, and
   violations.`,
	Prepare: func(f *flag.FlagSet) command.Measurement {
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
	run   func(context.Context, *harness.Harness, *client.Client) ([]report.Row, error)
}

func (f *fairness) measure(ctx context.Context, h *harness.Harness) ([]report.Row, error) {
	if f.digits < leastLong || f.digits > mostLong {
		return nil, fmt.Errorf("-digits %d is not between %d and %d", f.digits, leastLong, mostLong)
	}
	// Check 2 needs jobs that cost the same, which those of one number do as long as
	// the node does not remember its factors.
	forgetful, err := forgetting(ctx, h)
	if err != nil {
		return nil, err
	}
	var rows []report.Row
	var errs []error
	var accounts []report.Row
	violations := 0
	for _, c := range []check{
		{"1, a burst", nil, f.late},
		{"2, below a quantum", append([]string{"--quantum", wideQuantum.String()}, forgetful...), f.belowQuantum},
		{"2, above a quantum", forgetful, f.aboveQuantum},
		{"3, a stream next to long numbers", []string{"--quantum", narrowQuantum.String()}, f.share},
	} {
		h.Say("check %s", c.name)
		measured, p, err := f.on(ctx, h, c)
		rows = append(rows, measured...)
		if err != nil {
			errs = append(errs, fmt.Errorf("check %s: %w", c.name, err))
			continue
		}
		accounts = append(accounts, report.Figure("largest lag of /fairness in check "+c.name, float64(p.MaxLag)/1000, "ms").
			Against("its bound", float64(p.Bound)/1000, float64(p.MaxLag)/float64(p.Bound)).AtMost(1).Must())
		violations += p.Violations
	}
	return append(append(rows, accounts...), report.Figure("violations of /fairness, all nodes", float64(violations), "").AtMost(0).Must()), errors.Join(errs...)
}

// forgetting returns the flags with which a node factors a number again that it has
// factored before.
func forgetting(ctx context.Context, h *harness.Harness) ([]string, error) {
	remembers, err := h.Supports(ctx, "--known-size")
	if err != nil || !remembers {
		return nil, err
	}
	return []string{"--known-size", "0"}, nil
}

// on runs a check on a new node and asks the node for its own account at the
// end.
func (f fairness) on(ctx context.Context, h *harness.Harness, check check) ([]report.Row, client.Fairness, error) {
	node, err := h.Node(ctx, h.Folder(), nil, append([]string{"--workers", fmt.Sprint(f.workers)}, check.flags...)...)
	if err != nil {
		return nil, client.Fairness{}, err
	}
	defer node.Kill()
	c, err := client.New(node.URL, f.others)
	if err != nil {
		return nil, client.Fairness{}, err
	}
	defer c.Close()
	rows, err := check.run(ctx, h, c)
	if err != nil {
		return rows, client.Fairness{}, err
	}
	p, err := c.Fairness()
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
func (f fairness) late(ctx context.Context, h *harness.Harness, c *client.Client) ([]report.Row, error) {
	rng := random.New(h.Seed, 1)
	number, took := random.Sized(rng, f.work)
	h.Say("%d jobs of %v (%d digits)", f.burst, took.Round(10*time.Microsecond), len(number))
	numbers := random.Alike(rng, len(number), f.burst+f.others)
	if _, err := load.Fill(ctx, c, "burst", numbers[:f.burst], waitingGroup); err != nil {
		return nil, err
	}
	var singles []verify.Accepted
	poster := c.Poster()
	for i := range f.others {
		caller := fmt.Sprintf("single-%d", i)
		number := numbers[f.burst+i]
		id, err := poster.Accepted(caller, number)
		if err != nil {
			return nil, err
		}
		singles = append(singles, verify.Accepted{ID: id, Caller: caller, Number: number, At: time.Now()})
	}
	if err := ended(ctx, c, singles); err != nil {
		return nil, err
	}
	jobs, err := verify.Collect(ctx, c, singles)
	if err != nil {
		return nil, err
	}
	burst, err := c.Account("burst")
	if err != nil {
		return nil, err
	}
	all := make(map[string]client.Job, len(jobs)+burst.Completed)
	for id, j := range jobs {
		all[id] = j
	}
	if err := completedOf(ctx, c, "burst", all); err != nil {
		return nil, err
	}
	order := handouts.InOrder(all)
	var most int
	var longest time.Duration
	for _, a := range singles {
		j := jobs[a.ID]
		most = max(most, handouts.TurnsBetween(order, a.At, j.Turn))
		longest = max(longest, j.Started.Sub(j.Submitted))
	}
	bound := f.others + 2*f.workers
	return []report.Row{
		report.Figure(fmt.Sprintf("jobs of the burst still waiting when the %d single ones were done", f.others), float64(burst.Unfinished()), "").AtLeast(float64(f.burst) / 2),
		report.Figure("most turns between the 202 of a single job and its turn", float64(most), "turns").AtMost(float64(bound)).Must(),
		report.Figure("longest time from the submission of a single job to its turn", stats.Millis(longest), "ms"),
	}, nil
}

// completedOf adds a caller's completed jobs.
func completedOf(ctx context.Context, c *client.Client, caller string, into map[string]client.Job) error {
	for cursor := ""; ctx.Err() == nil; {
		p, err := c.Completed(caller, cursor)
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
func (f fairness) belowQuantum(ctx context.Context, h *harness.Harness, c *client.Client) ([]report.Row, error) {
	return f.round(ctx, h, c, "below a quantum")
}

// aboveQuantum is check 2 with the default quantum, where like jobs must go
// around although their times jitter.
func (f fairness) aboveQuantum(ctx context.Context, h *harness.Harness, c *client.Client) ([]report.Row, error) {
	return f.round(ctx, h, c, "above a quantum")
}

// round looks at how turns go around for jobs with one number.
func (f fairness) round(ctx context.Context, h *harness.Harness, c *client.Client, kind string) ([]report.Row, error) {
	number, took := random.Sized(random.New(h.Seed, 2), roundWork)
	h.Say("%d jobs of %v (%d digits) from each of %d callers", f.jobs, took.Round(10*time.Microsecond), len(number), f.others)
	if _, err := load.Fill(ctx, c, "warm", repeated(number, roundWarm), waitingGroup); err != nil {
		return nil, err
	}
	if err := quiet(ctx, c, []string{"warm"}); err != nil {
		return nil, err
	}
	var all []verify.Accepted
	for i := range f.others {
		jobs, err := load.Fill(ctx, c, fmt.Sprintf("like-%d", i), repeated(number, f.jobs), waitingGroup)
		if err != nil {
			return nil, err
		}
		all = append(all, jobs...)
	}
	from := time.Now().Add(roundGrace)
	if err := ended(ctx, c, all); err != nil {
		return nil, err
	}
	jobs, err := verify.Collect(ctx, c, all)
	if err != nil {
		return nil, err
	}
	t := verify.Jobs(all, jobs)
	r := handouts.RotationOf(handouts.WhileAllWait(handouts.InOrder(jobs), from), f.others)
	return []report.Row{
		report.Figure("jobs failed, lost or wrong, "+kind, float64(t.Bad()), "").AtMost(0).Must(),
		report.Figure("jobs handed out while all ten callers waited, "+kind, float64(r.HandOuts), "").AtLeast(float64(f.jobs)),
		report.Figure("of these, out of the round, "+kind, float64(r.Breaks), "").AtMost(0),
		report.Figure("most that a caller was ahead of another, "+kind, float64(r.Lead), "jobs").AtMost(1),
	}, nil
}

// narrowQuantum is less than a number of 20 digits takes on any processor.
const narrowQuantum = 10 * time.Microsecond

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
func (f fairness) share(ctx context.Context, h *harness.Harness, c *client.Client) ([]report.Row, error) {
	rng := random.New(h.Seed, 3)
	long := make([]string, longNumbers)
	for i := range long {
		long[i] = random.Semiprime(rng, f.digits)
	}
	ids, err := load.Fill(ctx, c, "long", long, waitingGroup)
	if err != nil {
		return nil, err
	}
	streaming, stop := context.WithCancel(ctx)
	defer stop()
	var empty atomic.Int64
	fed := make(chan error, 1)
	go func() { fed <- feed(streaming, c, "stream", rng, streamBacklog, &empty) }()
	if err := wait.For(ctx, time.Second); err != nil { // until both have begun
		return nil, err
	}
	empty.Store(0)
	before, err := usageNow(c, ids)
	if err != nil {
		return nil, err
	}
	if err := wait.For(ctx, f.watch); err != nil {
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
	p, err := c.Fairness()
	if err != nil {
		return nil, err
	}
	stream, longCPU := after.stream.CPUSeconds-before.stream.CPUSeconds, after.long-before.long
	charged := max(stream, float64(after.stream.Turns-before.stream.Turns)*float64(p.Quantum)/1e6)
	return []report.Row{
		report.Figure("20-digit jobs completed next to long numbers", stats.PerSecond(after.stream.Completed-before.stream.Completed, f.watch), "/s"),
		report.Figure("times that the stream had nothing waiting", float64(ran), "").AtMost(0),
		report.Figure("CPU of the stream, part of both", 100*stream/(stream+longCPU), "%").AtLeast(45),
		report.Figure("charged to the stream, part of both", 100*charged/(charged+longCPU), "%").AtLeast(45).AtMost(55),
		report.Figure("CPU of both, of all workers", 100*(stream+longCPU)/f.watch.Seconds()/float64(f.workers), "%"),
	}, nil
}

// usage is what two callers have used so far.
type usage struct {
	stream client.Account
	long   float64 // CPU seconds of the long numbers, which are under way
}

func usageNow(c *client.Client, long []verify.Accepted) (u usage, err error) {
	if u.stream, err = c.Account("stream"); err != nil {
		return u, err
	}
	for _, a := range long {
		j, err := c.Job(a.ID)
		if err != nil {
			return u, err
		}
		u.long += float64(j.CPU) / 1e6
	}
	return u, nil
}

// feed keeps a caller's queue filled up to a backlog, with new 20-digit numbers, until
// ctx ends, and counts how often it found it empty.
func feed(ctx context.Context, c *client.Client, caller string, rng *rand.Rand, backlog int, empty *atomic.Int64) error {
	for ctx.Err() == nil {
		a, err := c.Account(caller)
		if err != nil && !client.IsNotFound(err) {
			return err
		}
		if a.Unfinished() == 0 {
			empty.Add(1)
		}
		if a.Unfinished() >= backlog {
			wait.For(ctx, 10*time.Millisecond)
			continue
		}
		if _, err := c.Batch(caller, random.Alike(rng, 20, streamGroup)); err != nil {
			return err
		}
	}
	return nil
}
