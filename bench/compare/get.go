package compare

import (
	"context"
	"flag"
	"fmt"
	"time"

	"fairfactor/bench/internal/client"
	"fairfactor/bench/internal/command"
	"fairfactor/bench/internal/harness"
	"fairfactor/bench/internal/load"
	"fairfactor/bench/internal/random"
	"fairfactor/bench/internal/report"
	"fairfactor/bench/internal/verify"
)

// Get is `bench get`.
var Get = command.Comparison{
	Name:    "get",
	Summary: "GETs of finished jobs a second, against a bare fasthttp handler",
	Help: `Asks for random ones of many finished jobs for some seconds, first a bare fasthttp
handler that answers every GET with the same job of the same size, then a node, and
so on in turn, with 50 and with 256 requests at once. The client is the same code on
the same machine. The ratio is the median of the rounds' ratios.`,
	Prepare: func(f *flag.FlagSet) command.Measurement {
		g := &getting{callers: 10}
		f.IntVar(&g.jobs, "jobs", 20_000, "finished jobs")
		f.IntVar(&g.rounds, "rounds", 5, "rounds on each side, alternating")
		f.DurationVar(&g.round, "round", 1500*time.Millisecond, "length of a round")
		return g.measure
	},
}

type getting struct {
	jobs, rounds, callers int
	round                 time.Duration
}

func (g *getting) measure(ctx context.Context, h *harness.Harness) ([]report.Row, error) {
	p, err := startPair(ctx, h)
	if err != nil {
		return nil, err
	}
	defer p.close()
	ids, err := g.finished(ctx, h, p.node)
	if err != nil {
		return nil, err
	}
	var rows []report.Row
	for _, concurrency := range []int{50, 256} {
		what := fmt.Sprintf("GETs of a finished job a second, %d at once", concurrency)
		h.Say("%s", what)
		r, err := p.compare(ctx, g.rounds, concurrency, func(ctx context.Context, c *client.Client) (float64, error) {
			return rate(ctx, g.round, concurrency, func(i int) func() error {
				rng, getter := random.New(h.Seed, uint64(1000+i)), c.Getter()
				return func() error { return getter.OK("/compute/" + ids[rng.IntN(len(ids))]) }
			})
		})
		if err != nil {
			return rows, fmt.Errorf("%s: %w", what, err)
		}
		r.Figure = what
		rows = append(rows, r.AtLeast(0.75))
	}
	return rows, nil
}

// finished has a node finish jobs, checks them, and returns their ids.
func (g *getting) finished(ctx context.Context, h *harness.Harness, node *harness.Process) ([]string, error) {
	c, err := client.New(node.URL, g.callers)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	rng := random.New(h.Seed, 0)
	callers, err := load.CallerNames(rng, g.callers, nil)
	if err != nil {
		return nil, err
	}
	all, err := (completion{group: 1000}).byBatch(ctx, c, callers, random.Many(g.jobs, rng, random.Uniform))
	if err != nil {
		return nil, err
	}
	if err := client.WaitIdle(ctx, c); err != nil {
		return nil, err
	}
	jobs, err := verify.Collect(ctx, c, all)
	if err != nil {
		return nil, err
	}
	if t := verify.Jobs(all, jobs); t.Completed != g.jobs {
		return nil, fmt.Errorf("of %d jobs %+v", g.jobs, t)
	}
	ids := make([]string, len(all))
	for i, a := range all {
		ids[i] = a.ID
	}
	return ids, nil
}
