// Package compare holds the comparisons: each subcommand starts private nodes,
// measures one promise of the service against a named alternative in the same
// run, and returns rows for a table. Each file holds one comparison; start
// reading at its [command.Comparison].
package compare

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"time"

	"fairfactor/bench/internal/client"
	"fairfactor/bench/internal/command"
	"fairfactor/bench/internal/harness"
	"fairfactor/bench/internal/load"
	"fairfactor/bench/internal/random"
	"fairfactor/bench/internal/report"
)

// Accept is `bench accept`.
var Accept = command.Comparison{
	Name:    "accept",
	Summary: "durable accepted POSTs a second, against a bare fasthttp handler",
	Help: `Posts one number after the other for some seconds, first to a bare fasthttp
handler in a process of its own that answers every request with the same 202 of
the same size, then to a node, and so on in turn. The client is the same code on
the same machine. Before each round the node has finished all jobs, so that its
workers take nothing from the bare handler's round; in the node's own rounds they
do run. The ratio is the median of the rounds' ratios. Once with the service's
workload (uniform in 10^6 .. 10^20) and once with numbers of seven digits, whose
factoring costs next to nothing.`,
	Prepare: func(f *flag.FlagSet) command.Measurement {
		a := acceptance{callers: 10}
		f.IntVar(&a.rounds, "rounds", 5, "rounds on each side, alternating")
		f.DurationVar(&a.round, "round", 1500*time.Millisecond, "length of a round")
		return a.measure
	},
}

type acceptance struct {
	rounds, callers int
	round           time.Duration
}

func (a *acceptance) measure(ctx context.Context, h *harness.Harness) ([]report.Row, error) {
	p, err := startPair(ctx, h)
	if err != nil {
		return nil, err
	}
	defer p.close()
	var rows []report.Row
	for _, load := range []struct {
		name string
		draw func(*rand.Rand) string
	}{{"10^6..10^20", random.Uniform}, {"7 digits", random.Small}} {
		for _, at := range []struct {
			concurrency int
			least       float64
		}{{50, 0.40}, {256, 0.60}} {
			what := fmt.Sprintf("accepted/s at concurrency %d, %s", at.concurrency, load.name)
			h.Say("%s", what)
			r, err := p.compare(ctx, a.rounds, at.concurrency, func(ctx context.Context, c *client.Client) (float64, error) {
				return a.drive(ctx, h.Seed, c, at.concurrency, load.draw)
			})
			if err != nil {
				return rows, fmt.Errorf("%s: %w", what, err)
			}
			r.Figure = what
			rows = append(rows, r.AtLeast(at.least))
		}
	}
	return rows, nil
}

// drive posts for one round and returns how many were accepted a second. A
// refusal is an error.
func (a acceptance) drive(ctx context.Context, seed uint64, c *client.Client, concurrency int, draw func(*rand.Rand) string) (float64, error) {
	callers, err := load.CallerNames(random.New(seed, 0), a.callers, nil)
	if err != nil {
		return 0, err
	}
	return rate(ctx, a.round, concurrency, func(i int) func() error {
		rng, poster, n := random.New(seed, uint64(i)), c.Poster(), i
		return func() error {
			n++
			_, err := poster.Accepted(callers[n%len(callers)], draw(rng))
			return err
		}
	})
}
