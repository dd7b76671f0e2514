package compare

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"fairfactor/bench/internal/client"
	"fairfactor/bench/internal/command"
	"fairfactor/bench/internal/harness"
	"fairfactor/bench/internal/random"
	"fairfactor/bench/internal/report"
	"fairfactor/bench/internal/stats"
	"fairfactor/bench/internal/verify"
	"fairfactor/bench/internal/wait"
)

// Crash is `bench crash`.
var Crash = command.Comparison{
	Name:    "crash",
	Summary: "a node killed again and again under load: is anything lost?",
	Help: `Eight callers submit to a node, which is killed (SIGKILL) at a random moment and
started again on the same data, round after round. In the end every job that got a
202 must be completed and right, exactly once: no id given twice, no place in the
dispatch order given twice, none unknown. One number in a few hundred is long
enough to be under way when the node dies. Jobs whose 202 was swallowed by the
kill may be there in addition.`,
	Prepare: func(f *flag.FlagSet) command.Measurement {
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

func (m *crash) measure(ctx context.Context, h *harness.Harness) ([]report.Row, error) {
	rng := random.New(h.Seed, 0)
	folder := h.Folder()
	var all []verify.Accepted
	restarts := stats.NewLatencies()
	for round := range m.rounds {
		node, err := h.Node(ctx, folder, nil)
		if err != nil {
			return nil, fmt.Errorf("round %d: %w", round+1, err)
		}
		restarts.Add(node.Ready)
		got, err := m.loadAndKill(ctx, random.New(h.Seed, uint64(round+1)), node, time.Duration(rng.Int64N(int64(m.longest))))
		if err != nil {
			return nil, err
		}
		all = append(all, got...)
	}
	h.Say("%d jobs were accepted in %d rounds", len(all), m.rounds)
	node, err := h.Node(ctx, folder, nil)
	if err != nil {
		return nil, err
	}
	defer node.Kill()
	c, err := client.New(node.URL, m.callers)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	var names []string
	for i := range m.callers {
		names = append(names, crashCaller(i))
	}
	if err := quiet(ctx, c, names); err != nil {
		return nil, err
	}
	jobs, err := verify.Collect(ctx, c, all)
	if err != nil {
		return nil, err
	}
	return m.rows(c, names, all, jobs, restarts)
}

// rows counts.
func (m crash) rows(c *client.Client, names []string, all []verify.Accepted, jobs map[string]client.Job, restarts *stats.Latencies) ([]report.Row, error) {
	t := verify.Jobs(all, jobs)
	completed := 0
	for _, name := range names {
		a, err := c.Account(name)
		if err != nil && !client.IsNotFound(err) {
			return nil, err
		}
		completed += a.Completed
	}
	_, slowest := restarts.Extremes()
	rows := []report.Row{
		report.Figure(fmt.Sprintf("jobs accepted, %d kills", m.rounds), float64(len(all)), "").AtLeast(1).Must(),
		report.Figure("lost", float64(t.Lost), "").AtMost(0).Must(),
		report.Figure("failed or unfinished", float64(t.Failed+t.Unfinished), "").AtMost(0).Must(),
		report.Figure("wrong", float64(t.Wrong), "").AtMost(0).Must(),
		report.Figure("twice", float64(t.Twice), "").AtMost(0).Must(),
		report.Figure("kept though their 202 was swallowed", float64(completed-len(jobs)), "").AtLeast(0).Must(),
		report.Figure("slowest start", slowest.Seconds(), "s"),
	}
	if len(t.Examples) > 0 {
		return rows, fmt.Errorf("%s", t.Examples)
	}
	return rows, nil
}

func crashCaller(i int) string { return fmt.Sprintf("crash-%d", i) }

// loadAndKill submits from all callers, kills the node after a while and returns
// what it had accepted.
func (m crash) loadAndKill(ctx context.Context, rng *rand.Rand, node *harness.Process, after time.Duration) ([]verify.Accepted, error) {
	c, err := client.New(node.URL, m.callers*m.each)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	var mu sync.Mutex // guards all
	var all []verify.Accepted
	var wg sync.WaitGroup
	for i := range m.callers * m.each {
		own := random.New(rng.Uint64(), 0)
		wg.Go(func() {
			jobs := submitUntilDead(c, own, crashCaller(i%m.callers), node)
			mu.Lock()
			defer mu.Unlock()
			all = append(all, jobs...)
		})
	}
	err = wait.For(ctx, after)
	node.Kill()
	wg.Wait()
	return all, err
}

// submitUntilDead submits until the node is gone.
func submitUntilDead(c *client.Client, rng *rand.Rand, caller string, node *harness.Process) (all []verify.Accepted) {
	for poster := c.Poster(); !node.Gone(); {
		number := random.Uniform(rng)
		if rng.IntN(longEvery) == 0 {
			number = random.Semiprime(rng, longDigits)
		}
		// An error is what a kill looks like from here: whatever was not
		// acknowledged may or may not exist.
		if r, err := poster.Post(caller, number); err == nil && r.ID != "" {
			all = append(all, verify.Accepted{ID: r.ID, Caller: caller, Number: number})
		}
	}
	return all
}
