package main

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

	"fairfactor/factor"
)

var completeComparison = comparison{
	name:    "complete",
	summary: "completed jobs a second, beside the pure factoring loop",
	help: `Submits numbers that are uniform in 10^6 .. 10^20 and takes the time from the
first submission until the last job has ended (its finished_at; same machine,
same clock). Beside it the same numbers are factored by the engine alone, one
goroutine for each CPU, with nothing around it. Both in turn; the ratio is the
median of the rounds' ratios. Once by POST /compute/batch in groups, once by
single POSTs, 256 at once. Every answer is multiplied out afterwards.`,
	prepare: func(f *flag.FlagSet) measurement {
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
type submitter func(ctx context.Context, c *client, callers, numbers []string) ([]accepted, error)

func (m *completion) measure(ctx context.Context, b *bench) ([]row, error) {
	node, err := b.node(ctx, b.folder(), nil)
	if err != nil {
		return nil, err
	}
	defer node.kill()
	c, err := newClient(node.url, singles)
	if err != nil {
		return nil, err
	}
	defer c.close()
	var rows []row
	for i, way := range []struct {
		name   string
		submit submitter
	}{{fmt.Sprintf("batches of %d", m.group), m.byBatch}, {fmt.Sprintf("single POSTs, %d at once", singles), bySingles}} {
		b.say("%s", way.name)
		var ours, theirs, ratios []float64
		for round := range m.rounds {
			rng := newRand(b.seed, uint64(100*i+round))
			numbers := many(m.jobs, rng, uniform)
			callers, err := callerNames(rng, m.callers, nil)
			if err != nil {
				return rows, err
			}
			other := perSecond(m.jobs, pureLoop(numbers))
			took, err := m.timed(ctx, c, way.submit, callers, numbers)
			if err != nil {
				return rows, fmt.Errorf("%s: %w", way.name, err)
			}
			own := perSecond(m.jobs, took)
			ours, theirs, ratios = append(ours, own), append(theirs, other), append(ratios, own/other)
		}
		rows = append(rows, figure("completed/s, "+way.name, median(ours), "/s").
			against("pure factoring loop", median(theirs), median(ratios)).atLeast(0.50))
	}
	return rows, nil
}

// timed submits, waits, verifies, and returns the time until the last job ended.
func (m completion) timed(ctx context.Context, c *client, submit submitter, callers, numbers []string) (time.Duration, error) {
	start := time.Now()
	all, err := submit(ctx, c, callers, numbers)
	if err != nil {
		return 0, err
	}
	if err := idle(ctx, c); err != nil {
		return 0, err
	}
	jobs, err := collect(ctx, c, all)
	if err != nil {
		return 0, err
	}
	if t := verify(all, jobs); t.bad() > 0 || t.Completed != len(numbers) {
		return 0, fmt.Errorf("of %d jobs %+v", len(numbers), t)
	}
	_, last := span(jobs)
	return last.Sub(start), nil
}

// byBatch submits from all callers at once, each its share in groups.
func (m completion) byBatch(ctx context.Context, c *client, callers, numbers []string) ([]accepted, error) {
	share := (len(numbers) + len(callers) - 1) / len(callers)
	var mu sync.Mutex // guards all and errs
	var all []accepted
	var errs []error
	var wg sync.WaitGroup
	i := 0
	for part := range slices.Chunk(numbers, share) {
		caller := callers[i]
		i++
		wg.Go(func() {
			jobs, err := fill(ctx, c, caller, part, m.group)
			mu.Lock()
			defer mu.Unlock()
			all, errs = append(all, jobs...), append(errs, err)
		})
	}
	wg.Wait()
	return all, errors.Join(errs...)
}

// fill submits numbers of one caller in groups, one after the other.
func fill(ctx context.Context, c *client, caller string, numbers []string, group int) (all []accepted, err error) {
	for part := range slices.Chunk(numbers, group) {
		if err := ctx.Err(); err != nil {
			return all, err
		}
		ids, err := c.batch(caller, part)
		if err != nil {
			return all, err
		}
		for i, id := range ids {
			all = append(all, accepted{id: id, caller: caller, number: part[i]})
		}
	}
	return all, nil
}

// bySingles submits one number with each POST.
func bySingles(ctx context.Context, c *client, callers, numbers []string) ([]accepted, error) {
	var done atomic.Int64
	s := load{callers: callers, numbers: numbers, concurrency: singles}.submit(ctx, c, &done)
	if s.failed > 0 {
		return s.jobs, fmt.Errorf("%d submissions failed: %s", s.failed, s.fault)
	}
	return s.jobs, ctx.Err()
}

// pureLoop factors numbers with all CPUs and nothing around the engine, and
// returns the time it took.
func pureLoop(numbers []string) time.Duration {
	var next atomic.Int64
	var wg sync.WaitGroup
	start := time.Now()
	for range runtime.NumCPU() {
		wg.Go(func() {
			runner := factor.NewRunner()
			for i := next.Add(1) - 1; i < int64(len(numbers)); i = next.Add(1) - 1 {
				if _, err := runner.Run(factor.First(numbers[i]), nil); err != nil {
					panic(err) // the engine refused a number that it made a turn of
				}
			}
		})
	}
	wg.Wait()
	return time.Since(start)
}
