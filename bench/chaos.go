package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"
	"time"
)

var chaosComparison = comparison{
	name:    "chaos",
	summary: "a cluster under load whose parts die, stop, and lose one another: is any promise broken?",
	apart:   true,
	limit:   time.Hour,
	help: `Starts real nodes, each with a network namespace of its own, on a private PostgreSQL,
and eight callers that submit without end through a small load balancer. Then nodes
are killed in turn (the scheduler's, a caller's, any) and started again at the same
addresses, stopped for longer than their lease, cut off from each other in one
direction and in both, and from the store; the store is restarted and killed; all
nodes are restarted in order; and the owner of a big number is killed. In the end the callers' logs are compared with
the store, by questions of their own: every job that got a 202 must have ended
once, completed and right; no caller may have been written by two processes in one
epoch, which triggers in the database have watched; and the scheduler must have
kept its promise of fairness. Needs root, for the namespaces; PostgreSQL 14 or
newer; and the programs ip, iptables, nsenter and unshare. -short
makes a few of these faults, within a minute.`,
	prepare: func(f *flag.FlagSet) measurement {
		c := &chaos{callers: 8}
		f.IntVar(&c.kills, "kills", 100, "kills of a node")
		f.IntVar(&c.rounds, "rounds", 3, "rounds of each other fault")
		f.IntVar(&c.nodes, "nodes", 3, "nodes, 3 to 5")
		f.IntVar(&c.digits, "digits", 78, "digits of the numbers whose owner is killed")
		f.StringVar(&c.only, "only", "", "`fault` to make, of kill, stop, partition, store, database, rolling and owner; default all")
		f.BoolVar(&c.short, "short", false, "few and short faults")
		return c.measure
	},
}

type chaos struct {
	kills, rounds, nodes, callers, digits int
	only                                  string
	short                                 bool
}

// Lengths of faults: longer than a lease, so that somebody else takes over.
const (
	stopTime      = 30 * time.Second
	shortStopTime = 12 * time.Second
	cutTime       = 15 * time.Second
	shortCutTime  = 5 * time.Second
	lateBy        = 1500 * time.Millisecond
)

// acts are the faults in the order in which they are made.
func (c *chaos) acts() (acts []act) {
	all := []act{
		kills(c.kills), stops(c.rounds, stopTime), partitions(cuts, c.rounds, cutTime),
		strayed(c.rounds, cutTime, lateBy), storeEnds(c.rounds), rolling(c.rounds), owners(c.rounds, c.digits),
	}
	if c.short {
		all = []act{kills(2), stops(1, shortStopTime), partitions(cuts[:1], 1, shortCutTime), storeEnds(1), rolling(1)}
	}
	for _, a := range all {
		if c.only == "" || c.only == a.name {
			acts = append(acts, a)
		}
	}
	return acts
}

func (c *chaos) measure(ctx context.Context, b *bench) (rows []row, err error) {
	acts := c.acts()
	if len(acts) == 0 || c.nodes < 3 || c.nodes > 5 {
		return nil, fmt.Errorf("-only %q is no fault, or -nodes %d is not between 3 and 5", c.only, c.nodes)
	}
	g, err := newGround(ctx, b, fleetConfig{nodes: c.nodes, lan: true, workers: 1, flags: []string{"--linger", "1s"}}, c.callers)
	if err != nil {
		return nil, err
	}
	good := false
	defer func() { g.close(!good) }()
	for _, a := range acts {
		made, actErr := a.do(ctx, g)
		rows = append(rows, made...)
		if actErr != nil {
			err = fmt.Errorf("%s: %w", a.name, actErr)
			break
		}
	}
	v, logs, judgeErr := g.finish(ctx)
	if err = errors.Join(err, judgeErr); v != nil {
		b.say("%s", v.words())
		rows = append(rows, c.rows(g, v)...)
		if v.guilty() > 0 {
			err = errors.Join(err, fmt.Errorf("broken promises: %s", strings.Join(v.Examples, "; ")))
		}
	}
	if panics := g.fleet.panics(); len(panics) > 0 {
		err = errors.Join(err, fmt.Errorf("nodes panicked: %s", strings.Join(panics, "; ")))
	}
	for _, e := range g.fleet.exits() {
		b.say("ended by itself: %s", e)
	}
	if good = err == nil; !good {
		err = errors.Join(err, g.keep(logs, v), fmt.Errorf("the logs of nodes and callers are in %s", g.fleet.dir))
	}
	return rows, err
}

// rows are the counts that must be zero, and what they are taken from.
func (c *chaos) rows(g *ground, v *verdict) []row {
	g.mu.Lock()
	worst, answers := g.worst, g.answers
	g.mu.Unlock()
	written := 0
	for _, o := range v.Rewritten {
		written += o.Count
	}
	return []row{
		figure("jobs accepted", float64(v.Accepted), "").atLeast(1).must(),
		figure("lost", float64(v.Lost), "").atMost(0).must(),
		figure("failed or unfinished", float64(v.Failed+v.Unfinished), "").atMost(0).must(),
		figure("wrong", float64(v.Wrong), "").atMost(0).must(),
		figure("twice", float64(v.Twice), "").atMost(0).must(),
		figure("writes that broke a fence", float64(written), "").atMost(0).must(),
		figure("refused and yet accepted", float64(v.Denied), "").atMost(0).must(),
		figure("without an answer; of these, accepted", float64(v.Unsure), "").against("accepted", float64(v.Kept), 0),
		figure("accepted once more, without a key", float64(v.Repeated), ""),
		figure("hand-outs while another caller waited", float64(v.Contended), "").atLeast(1).must(),
		figure("hand-out log: largest difference of two that waited", v.Largest.Seconds()*1000, "ms").
			against("the bound", float64(worst.Bound)/1000, ratioOf(v.Largest.Seconds()*1e6, float64(worst.Bound))).atMost(1).must(),
		figure("answers of the scheduler", float64(answers), "").atLeast(1).must(),
		figure("violations of fairness", float64(worst.Violations), "").atMost(0).must(),
		figure("largest lag", float64(worst.MaxLag)/1000, "ms").against("its bound", float64(worst.Bound)/1000, ratioOf(float64(worst.MaxLag), float64(worst.Bound))),
	}
}

func ratioOf(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}
