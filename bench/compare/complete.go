package compare

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"fairfactor/bench/internal/client"
	"fairfactor/bench/internal/command"
	"fairfactor/bench/internal/harness"
	"fairfactor/bench/internal/load"
	"fairfactor/bench/internal/random"
	"fairfactor/bench/internal/report"
	"fairfactor/bench/internal/stats"
	"fairfactor/bench/internal/verify"
	"fairfactor/factor"
)

// Complete is `bench complete`.
var Complete = command.Comparison{
	Name:    "complete",
	Summary: "completed jobs a second, against the pure factoring loop",
	Help: `Submits numbers that are uniform in 10^6 .. 10^20 and takes the time from the
first submission until the last job has ended (its finished_at; same machine,
same clock). In turn with it the same numbers are factored by the engine alone, one
goroutine for each CPU, with nothing around it. Both in turn; the ratio is the
median of the rounds' ratios. Once by POST /compute/batch in groups, once by
single POSTs, 256 at once. Every answer is multiplied out afterwards.`,
	Prepare: func(f *flag.FlagSet) command.Measurement {
		c := completion{callers: 10}
		f.IntVar(&c.jobs, "jobs", 50_000, "jobs in a round")
		f.IntVar(&c.rounds, "rounds", 3, "rounds on each side, alternating")
		f.IntVar(&c.group, "group", 1000, "numbers in a batch")
		return c.measure
	},
}

type completion struct{ jobs, rounds, callers, group int }

// singles is how many single POSTs are under way at once.
const singles = 256

// submitter hands in all numbers and returns the jobs.
type submitter func(ctx context.Context, c *client.Client, callers, numbers []string) ([]verify.Accepted, error)

func (m *completion) measure(ctx context.Context, h *harness.Harness) ([]report.Row, error) {
	node, err := h.Node(ctx, h.Folder(), nil)
	if err != nil {
		return nil, err
	}
	defer node.Kill()
	c, err := client.New(node.URL, singles)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	var rows []report.Row
	for i, way := range []struct {
		name   string
		submit submitter
		least  float64
	}{{fmt.Sprintf("batches of %d", m.group), m.byBatch, 0.50}, {fmt.Sprintf("single POSTs, %d at once", singles), bySingles(singles), 0.16}} {
		h.Say("%s", way.name)
		var ours, theirs, ratios []float64
		for round := range m.rounds {
			rng := random.New(h.Seed, uint64(100*i+round))
			numbers := random.Many(m.jobs, rng, random.Uniform)
			callers, err := load.CallerNames(rng, m.callers, nil)
			if err != nil {
				return rows, err
			}
			if ctx.Err() != nil {
				return rows, ctx.Err()
			}
			other := stats.PerSecond(m.jobs, pureLoop(ctx, numbers))
			took, err := m.timed(ctx, c, way.submit, callers, numbers)
			if err != nil {
				return rows, fmt.Errorf("%s: %w", way.name, err)
			}
			own := stats.PerSecond(m.jobs, took)
			ours, theirs, ratios = append(ours, own), append(theirs, other), append(ratios, own/other)
		}
		rows = append(rows, report.Figure("completed/s, "+way.name, stats.Median(ours), "/s").
			Against("pure factoring loop", stats.Median(theirs), stats.Median(ratios)).AtLeast(way.least))
	}
	return rows, nil
}

// timed submits, waits, verifies, and returns the time until the last job ended.
func (m completion) timed(ctx context.Context, c *client.Client, submit submitter, callers, numbers []string) (time.Duration, error) {
	start := time.Now()
	all, err := submit(ctx, c, callers, numbers)
	if err != nil {
		return 0, err
	}
	if err := client.WaitIdle(ctx, c); err != nil {
		return 0, err
	}
	jobs, err := verify.Collect(ctx, c, all)
	if err != nil {
		return 0, err
	}
	if t := verify.Jobs(all, jobs); t.Bad() > 0 || t.Completed != len(numbers) {
		return 0, fmt.Errorf("of %d jobs %+v", len(numbers), t)
	}
	_, last := verify.Span(jobs)
	return last.Sub(start), nil
}

// byBatch submits from all callers at once, each its share in groups.
func (m completion) byBatch(ctx context.Context, c *client.Client, callers, numbers []string) ([]verify.Accepted, error) {
	share := (len(numbers) + len(callers) - 1) / len(callers)
	var mu sync.Mutex // guards all and errs
	var all []verify.Accepted
	var errs []error
	var wg sync.WaitGroup
	i := 0
	for part := range slices.Chunk(numbers, share) {
		caller := callers[i]
		i++
		wg.Go(func() {
			jobs, err := load.Fill(ctx, c, caller, part, m.group)
			mu.Lock()
			defer mu.Unlock()
			all, errs = append(all, jobs...), append(errs, err)
		})
	}
	wg.Wait()
	return all, errors.Join(errs...)
}

// bySingles submits one number with each POST, so many at once.
func bySingles(concurrency int) submitter {
	return func(ctx context.Context, c *client.Client, callers, numbers []string) ([]verify.Accepted, error) {
		var done atomic.Int64
		s := load.Load{Callers: callers, Numbers: numbers, Concurrency: concurrency}.Submit(ctx, c, &done)
		if s.Failed > 0 {
			return s.Jobs, fmt.Errorf("%d submissions failed: %s", s.Failed, s.Fault)
		}
		return s.Jobs, ctx.Err()
	}
}

// pureLoop factors numbers with all CPUs and nothing around the engine, and
// returns the time it took. It ends early when ctx ends.
func pureLoop(ctx context.Context, numbers []string) time.Duration {
	var next atomic.Int64
	var wg sync.WaitGroup
	start := time.Now()
	for range runtime.NumCPU() {
		wg.Go(func() {
			runner := factor.NewRunner()
			for i := next.Add(1) - 1; i < int64(len(numbers)) && ctx.Err() == nil; i = next.Add(1) - 1 {
				if _, err := runner.RunFirst(numbers[i], nil); err != nil {
					panic(err) // the engine refused a number that it made a turn of
				}
			}
		})
	}
	wg.Wait()
	return time.Since(start)
}
