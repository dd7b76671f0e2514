package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

var crashComparison = comparison{
	name:    "crash",
	summary: "a node killed again and again under load: is anything lost?",
	help: `Eight callers submit to a node, which is killed (SIGKILL) at a random moment and
started again on the same data, round after round. In the end every job that got a
202 must be completed and right, exactly once: no id given twice, no place in the
dispatch order given twice, none unknown. One number in a few hundred is long
enough to be under way when the node dies. Jobs whose 202 was swallowed by the
kill may be there in addition.`,
	prepare: func(f *flag.FlagSet) measurement {
		c := crash{callers: 8, each: 4}
		f.IntVar(&c.rounds, "rounds", 8, "kills")
		f.DurationVar(&c.longest, "longest", 400*time.Millisecond, "longest time from ready to kill")
		return c.measure
	},
}

type crash struct {
	rounds, callers, each int // each: requests at once of a caller
	longest               time.Duration
}

// One number in longEvery has longDigits digits, which takes several turns.
const (
	longEvery  = 400
	longDigits = 40
)

func (m *crash) measure(ctx context.Context, b *bench) ([]row, error) {
	rng := newRand(b.seed, 0)
	folder := b.folder()
	var all []accepted
	restarts := newLatencies()
	for round := range m.rounds {
		node, err := b.node(ctx, folder, nil)
		if err != nil {
			return nil, fmt.Errorf("round %d: %w", round+1, err)
		}
		restarts.add(node.ready)
		got, err := m.loadAndKill(ctx, newRand(b.seed, uint64(round+1)), node, time.Duration(rng.Int64N(int64(m.longest))))
		if err != nil {
			return nil, err
		}
		all = append(all, got...)
	}
	b.say("%d jobs were accepted in %d rounds", len(all), m.rounds)
	node, err := b.node(ctx, folder, nil)
	if err != nil {
		return nil, err
	}
	defer node.kill()
	c, err := newClient(node.url, m.callers)
	if err != nil {
		return nil, err
	}
	defer c.close()
	var names []string
	for i := range m.callers {
		names = append(names, crashCaller(i))
	}
	if err := quiet(ctx, c, names); err != nil {
		return nil, err
	}
	jobs, err := collect(ctx, c, all)
	if err != nil {
		return nil, err
	}
	return m.rows(c, names, all, jobs, restarts)
}

// rows counts.
func (m crash) rows(c *client, names []string, all []accepted, jobs map[string]job, restarts *latencies) ([]row, error) {
	t := verify(all, jobs)
	completed := 0
	for _, name := range names {
		a, err := c.account(name)
		if err != nil && !missing(err) {
			return nil, err
		}
		completed += a.Completed
	}
	_, slowest := restarts.extremes()
	rows := []row{
		figure(fmt.Sprintf("jobs accepted, %d kills", m.rounds), float64(len(all)), "").atLeast(1).must(),
		figure("lost", float64(t.Lost), "").atMost(0).must(),
		figure("failed or unfinished", float64(t.Failed+t.Unfinished), "").atMost(0).must(),
		figure("wrong", float64(t.Wrong), "").atMost(0).must(),
		figure("twice", float64(t.Twice), "").atMost(0).must(),
		figure("kept though their 202 was swallowed", float64(completed-len(jobs)), "").atLeast(0).must(),
		figure("slowest start", slowest.Seconds(), "s"),
	}
	if len(t.Examples) > 0 {
		return rows, fmt.Errorf("%s", t.Examples)
	}
	return rows, nil
}

func crashCaller(i int) string { return fmt.Sprintf("crash-%d", i) }

// loadAndKill submits from all callers, kills the node after a while and returns
// what it had accepted.
func (m crash) loadAndKill(ctx context.Context, rng *rand.Rand, node *process, after time.Duration) ([]accepted, error) {
	c, err := newClient(node.url, m.callers*m.each)
	if err != nil {
		return nil, err
	}
	defer c.close()
	var mu sync.Mutex // guards all
	var all []accepted
	var wg sync.WaitGroup
	for i := range m.callers * m.each {
		own := newRand(rng.Uint64(), 0)
		wg.Go(func() {
			jobs := submitUntilDead(c, own, crashCaller(i%m.callers), node)
			mu.Lock()
			defer mu.Unlock()
			all = append(all, jobs...)
		})
	}
	err = pause(ctx, after)
	node.kill()
	wg.Wait()
	return all, err
}

// submitUntilDead submits until the node is gone.
func submitUntilDead(c *client, rng *rand.Rand, caller string, node *process) (all []accepted) {
	for poster := c.poster(); !node.gone(); {
		number := uniform(rng)
		if rng.IntN(longEvery) == 0 {
			number = semiprime(rng, longDigits)
		}
		// An error is what a kill looks like from here: whatever was not
		// acknowledged may or may not exist.
		if r, err := poster.post(caller, number); err == nil && r.id != "" {
			all = append(all, accepted{id: r.id, caller: caller, number: number})
		}
	}
	return all
}
