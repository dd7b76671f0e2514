package main

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"fairfactor/bench/internal/command"
	"fairfactor/bench/internal/harness"
	"fairfactor/bench/internal/random"
	"fairfactor/bench/internal/report"
	"fairfactor/bench/internal/stats"
	"fairfactor/bench/internal/verify"
	"fairfactor/bench/internal/wait"
)

// peer is a system that takes numbers and has them factored.
type peer interface {
	// start starts its servers and a worker that has so many jobs under way at once.
	// They end with close, or with ctx.
	start(ctx context.Context, h *harness.Harness, handlers int) error
	// begin prepares a round of so many jobs.
	begin(ctx context.Context, round, jobs int) error
	// sender returns what one of many goroutines submits with. It returns when the
	// system has accepted the number, as job i of the round.
	sender() func(ctx context.Context, i int, number string) error
	// done is how many jobs of the round have been completed and have a result that
	// can be read.
	done(ctx context.Context) (int, error)
	// result returns what job i of the round gave.
	result(ctx context.Context, i int) (string, error)
	close()
}

// contender is a system by its name.
type contender struct {
	name string
	peer peer
	// against are fairfactor's stores that it is compared with, and the least ratio
	// of completed jobs.
	against map[string]float64
}

// Names of fairfactor's own two systems.
const (
	embedded = "embedded store"
	postgres = "PostgreSQL store"
)

// contenders returns all systems, not started.
func contenders() []contender {
	return []contender{
		{name: "asynq", peer: &asynqPeer{}, against: map[string]float64{embedded: 8}},
		{name: "nsq", peer: &nsqPeer{}, against: map[string]float64{embedded: 20}},
		{name: "river", peer: &riverPeer{}, against: map[string]float64{embedded: 14, postgres: 7}},
		{name: "jetstream", peer: &jetStreamPeer{}, against: map[string]float64{embedded: 1.6}},
	}
}

var comparison = command.Comparison{
	Name:    "peers",
	Summary: "completed jobs a second, against asynq, NSQ, river and NATS JetStream",
	Limit:   30 * time.Minute,
	Help: `Submits the same numbers, uniform in 10^6 .. 10^20, one by one from 256 goroutines to
fairfactor and to each other system in turn, and takes the time until every job has a
result that can be read. The handler is the same engine everywhere. Each system has a
worker process of its own, which has enough jobs under way to hide the way to its
servers (-handlers), and private servers on loopback with their data in the temporary
folder. A sample of the results of each round is multiplied out. The ratio is
the median of the rounds' ratios.

What is not comparable: durability. fairfactor and river (on PostgreSQL) acknowledge a
job once it is on disk. Redis, under asynq and NSQ, syncs its log every second
(appendfsync everysec) and may lose what came since; nsqd keeps messages in memory up to
a limit; JetStream writes to files without a sync. Nor is fairness: the others have one
queue for all callers. The others' clients speak their own protocols, fairfactor's HTTP.

It needs redis-server and PostgreSQL (.ci/needs peers installs them); nsqd and
nats-server are built in.`,
	Prepare: func(f *flag.FlagSet) command.Measurement {
		var m match
		f.IntVar(&m.jobs, "jobs", 20_000, "jobs of a round")
		f.IntVar(&m.rounds, "rounds", 3, "rounds of each system, alternating")
		f.IntVar(&m.concurrency, "concurrency", 256, "goroutines that submit")
		f.IntVar(&m.handlers, "handlers", 128, "jobs that the worker of another system has under way at once")
		f.StringVar(&m.only, "only", "asynq,nsq,river,jetstream", "`systems` to compare with, separated by commas")
		return m.measure
	},
}

// match is the comparison.
type match struct {
	jobs, rounds, concurrency, handlers int
	only                                string
}

// sampled is how many results of a round are read and multiplied out.
const sampled = 200

func (m *match) measure(ctx context.Context, h *harness.Harness) ([]report.Row, error) {
	others, err := m.chosen()
	if err != nil {
		return nil, err
	}
	all := []contender{{name: embedded, peer: &fairfactorPeer{}}}
	for _, o := range others {
		if _, needed := o.against[postgres]; needed {
			all = append(all, contender{name: postgres, peer: &fairfactorPeer{postgres: true}})
		}
		all = append(all, o)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	for _, c := range all {
		h.Say("%s starts", c.name)
		defer c.peer.close()
		if err := c.peer.start(ctx, h, m.handlers); err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
	}
	rates := map[string][]float64{}
	for round := range m.rounds {
		numbers := random.Many(m.jobs, random.New(h.Seed, uint64(round)), random.Uniform)
		for _, c := range all {
			rate, err := m.round(ctx, c.peer, round, numbers)
			if err != nil {
				return rows(others, rates), fmt.Errorf("%s, round %d: %w", c.name, round+1, err)
			}
			rates[c.name] = append(rates[c.name], rate)
			h.Say("round %d of %d, %s: %.0f/s", round+1, m.rounds, c.name, rate)
		}
	}
	return rows(others, rates), nil
}

// chosen returns the systems that -only names.
func (m *match) chosen() (chosen []contender, err error) {
	all := contenders()
	for name := range strings.SplitSeq(m.only, ",") {
		i := slices.IndexFunc(all, func(c contender) bool { return c.name == name })
		if i < 0 {
			return nil, fmt.Errorf("-only %q: there is no system %q", m.only, name)
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// rows compares the rounds that all systems have ended.
func rows(others []contender, rates map[string][]float64) (all []report.Row) {
	for _, o := range others {
		for _, store := range []string{embedded, postgres} {
			least, compared := o.against[store]
			ours, theirs := rates[store], rates[o.name]
			n := min(len(ours), len(theirs))
			if !compared || n == 0 {
				continue
			}
			var ratios []float64
			for i := range n {
				ratios = append(ratios, ours[i]/theirs[i])
			}
			all = append(all, report.Figure("completed/s, "+store, stats.Median(ours[:n]), "/s").
				Against(o.name, stats.Median(theirs[:n]), stats.Median(ratios)).AtLeast(least))
		}
	}
	return all
}

// round submits numbers and returns how many were completed a second.
func (m *match) round(ctx context.Context, p peer, round int, numbers []string) (float64, error) {
	if err := p.begin(ctx, round, len(numbers)); err != nil {
		return 0, err
	}
	start := time.Now()
	if err := m.submit(ctx, p, numbers); err != nil {
		return 0, err
	}
	err := wait.Until(ctx, 10*time.Millisecond, func() (bool, error) {
		done, err := p.done(ctx)
		return done >= len(numbers), err
	})
	if err != nil {
		return 0, err
	}
	took := time.Since(start)
	for s := range min(sampled, len(numbers)) {
		i := s * len(numbers) / min(sampled, len(numbers))
		got, err := p.result(ctx, i)
		if err != nil {
			return 0, fmt.Errorf("result of %s: %w", numbers[i], err)
		}
		if err := verify.Factors(numbers[i], parse(got)); err != nil {
			return 0, err
		}
	}
	return stats.PerSecond(len(numbers), took), nil
}

// submit hands in all numbers, so many at once.
func (m *match) submit(ctx context.Context, p peer, numbers []string) error {
	errs := make([]error, m.concurrency)
	var next atomic.Int64
	var wg sync.WaitGroup
	for w := range m.concurrency {
		send := p.sender()
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(numbers) && errs[w] == nil && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				errs[w] = send(ctx, i, numbers[i])
			}
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for _, err := range errs {
		if err != nil {
			return err // those of the others say the same
		}
	}
	return nil
}
