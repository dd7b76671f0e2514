package compare

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"runtime"
	"time"

	"fairfactor/bench/internal/client"
	"fairfactor/bench/internal/command"
	"fairfactor/bench/internal/harness"
	"fairfactor/bench/internal/load"
	"fairfactor/bench/internal/random"
	"fairfactor/bench/internal/report"
	"fairfactor/bench/internal/wait"
)

// Groups is `bench groups`.
var Groups = command.Comparison{
	Name:     "groups",
	Summary:  "an ordinary caller against one that has split into a thousand names",
	Separate: true,
	Help: `One team queues jobs under a thousand names (team-a:n0, team-a:n1, ...), an ordinary
caller of another team queues as many under one. All jobs cost about a millisecond.
While all of them have work, the ordinary caller is due half of what the workers do.
Measured: its part of their CPU, as a share of what it is due, on a node that groups
callers by the prefix of their names (--group-by prefix), and on one that does not,
where it gets the part of one name among all.`,
	Prepare: func(f *flag.FlagSet) command.Measurement {
		g := &groups{}
		f.IntVar(&g.names, "names", 1000, "names of the caller that has split")
		f.DurationVar(&g.watch, "watch", 6*time.Second, "time over which CPU is compared")
		f.DurationVar(&g.work, "work", time.Millisecond, "CPU of a job, about")
		return g.measure
	},
}

type groups struct {
	names       int
	watch, work time.Duration
}

// groupFlag makes the node share among groups; dueShare is what one of two is due.
const (
	groupFlag = "--group-by"
	dueShare  = 0.5
)

func (g *groups) measure(ctx context.Context, h *harness.Harness) ([]report.Row, error) {
	ok, err := h.Supports(ctx, groupFlag)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, errors.New("`serve` of this program has no flag " + groupFlag + ": it does not share among groups of callers")
	}
	var rows []report.Row
	for _, by := range []string{"prefix", "none"} {
		h.Say("%s %s", groupFlag, by)
		got, total, err := g.share(ctx, h, by)
		if err != nil {
			return rows, fmt.Errorf("%s %s: %w", groupFlag, by, err)
		}
		r := report.Figure(fmt.Sprintf("CPU of an ordinary caller next to %d names, %s %s", g.names, groupFlag, by), got, "s").
			Against("half of all", total*dueShare, got/(total*dueShare))
		if by == "prefix" {
			r = r.AtLeast(0.95)
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// share returns the CPU of the ordinary caller and of all, in seconds.
func (g *groups) share(ctx context.Context, h *harness.Harness, by string) (own, total float64, err error) {
	node, err := h.Node(ctx, h.Folder(), nil, groupFlag, by)
	if err != nil {
		return 0, 0, err
	}
	defer node.Kill()
	c, err := client.New(node.URL, fewCallers)
	if err != nil {
		return 0, 0, err
	}
	defer c.Close()
	// Enough for each side to have the workers alone for as long as it takes to
	// queue all, and to watch.
	rng := random.New(h.Seed, 0)
	example, took := random.Sized(rng, g.work)
	jobs := int((g.watch + groupQueueing) * time.Duration(runtime.NumCPU()) / max(took, time.Microsecond))
	each := jobs/g.names + 1
	numbers := random.Alike(rng, len(example), 2*each*g.names)
	if _, err := load.Fill(ctx, c, "team-b:ordinary", numbers[:each*g.names], waitingGroup); err != nil {
		return 0, 0, err
	}
	numbers = numbers[each*g.names:]
	for i := range g.names {
		if _, err := load.Fill(ctx, c, fmt.Sprintf("team-a:n%d", i), numbers[i*each:(i+1)*each], each); err != nil {
			return 0, 0, err
		}
	}
	before, allBefore, err := g.used(c)
	if err != nil {
		return 0, 0, err
	}
	if err := wait.For(ctx, g.watch); err != nil {
		return 0, 0, err
	}
	after, allAfter, err := g.used(c)
	if err != nil {
		return 0, 0, err
	}
	return after.CPUSeconds - before.CPUSeconds, allAfter - allBefore, g.bothWaited(c, after)
}

// groupQueueing is how long it may take to queue all jobs.
const groupQueueing = 10 * time.Second

// used is what the ordinary caller has used, and what all have.
func (g *groups) used(c *client.Client) (client.Account, float64, error) {
	own, err := c.Account("team-b:ordinary")
	if err != nil {
		return own, 0, err
	}
	m, err := c.Metrics()
	return own, m[turnCPU], err
}

// bothWaited returns an error if one side had nothing to do at the end.
func (g *groups) bothWaited(c *client.Client, own client.Account) error {
	m, err := c.Metrics()
	if err != nil {
		return err
	}
	if others := m.Unfinished() - own.Unfinished(); own.Unfinished() == 0 || others <= 0 {
		return fmt.Errorf("%d jobs of the ordinary caller and %d of the others are left: the workers are too fast for this measurement", own.Unfinished(), others)
	}
	return nil
}
