// Package chaos runs a cluster under load while its parts die, stop, and lose one
// another, and checks afterwards that no promise was broken.
//
// A [sandbox] owns everything private to a run: the database, the nodes and their
// network (package fleet), the callers' [workload] and the [audit] triggers. The
// faults are in faults.go and bignumber.go; the checker, which shares no code with
// the service, is in checker.go and sightings.go. If a fault can't be made, or the
// run is interrupted, what has happened so far is judged all the same. Start reading
// at [Comparison].
package chaos

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"

	"fairfactor/bench/internal/command"
	"fairfactor/bench/internal/fleet"
	"fairfactor/bench/internal/harness"
	"fairfactor/bench/internal/report"
	"fairfactor/bench/internal/stats"
)

// Comparison is `bench chaos`.
var Comparison = command.Comparison{
	Name:     "chaos",
	Summary:  "a cluster under load whose parts die, stop, and lose one another: is any promise broken?",
	Separate: true,
	Limit:    time.Hour,
	Help: `Starts real nodes, each with a network namespace of its own, on a private PostgreSQL,
and eight callers that submit without end through a small load balancer: single
numbers, batches, and keys that are sent twice at once. They cancel some jobs, try to
retry what has not failed, and compare each look at a job with all earlier ones. Two
operators pause callers and let them go on, change weights, set deadlines, cancel all jobs of a
caller, and look at lists. One more client follows the events of all jobs. Then nodes
are killed in turn (the scheduler's, a caller's, any) and started again at the same
addresses, stopped for longer than their lease, cut off from each other in one
direction and in both, and from the store; the store is restarted and killed; all
nodes are restarted in order; nodes leave and join at random, as with an
autoscaler; and the owner of a big number is killed. In the end the callers' logs are compared with
the store, by questions of their own: every job that got a 202 must have ended
once, completed and right, unless it was cancelled or its deadline came; a caller that was
paused must have had no turn; the follower must have been told of each once, in order, over
connections that break; no caller may have been written by two processes in one
epoch, which triggers in the database have watched; and the scheduler must have
kept its promise of fairness. Needs root, for the namespaces; PostgreSQL 14 or
newer; and the programs ip, iptables, nsenter and unshare. -short
makes a few of these faults, within a minute.`,
	Prepare: func(f *flag.FlagSet) command.Measurement {
		c := &chaos{callers: 8}
		f.IntVar(&c.kills, "kills", 100, "kills of a node")
		f.IntVar(&c.rounds, "rounds", 3, "rounds of each other fault")
		f.IntVar(&c.nodes, "nodes", 3, "nodes, 3 to 10")
		f.DurationVar(&c.scale, "scale", time.Minute, "how long nodes leave and join at random")
		f.IntVar(&c.digits, "digits", 78, "digits of the numbers whose owner is killed")
		f.StringVar(&c.only, "only", "", "`fault` to make, of kill, stop, partition, store, database, rolling, scale and owner; default all")
		f.BoolVar(&c.short, "short", false, "few and short faults")
		return c.measure
	},
}

type chaos struct {
	kills, rounds, nodes, callers, digits int
	only                                  string
	scale                                 time.Duration
	short                                 bool
}

// Lengths of faults: longer than a lease, so that another node takes over.
const (
	stopTime      = 30 * time.Second
	shortStopTime = 12 * time.Second
	cutTime       = 15 * time.Second
	shortCutTime  = 5 * time.Second
	lateBy        = 1500 * time.Millisecond
)

// faults are the faults in the order in which they are made.
func (c *chaos) faults() (faults []fault) {
	all := []fault{
		kills(c.kills), stops(c.rounds, stopTime), partitions(partitionKinds, c.rounds, cutTime),
		storeFaults(c.rounds, cutTime, lateBy), storeEnds(c.rounds), rolling(c.rounds), scale(c.scale), owners(c.rounds, c.digits),
	}
	if c.short {
		all = []fault{kills(2), stops(1, shortStopTime), partitions(partitionKinds[:1], 1, shortCutTime), storeEnds(1), rolling(1)}
	}
	for _, a := range all {
		if c.only == "" || c.only == a.name {
			faults = append(faults, a)
		}
	}
	return faults
}

func (c *chaos) measure(ctx context.Context, h *harness.Harness) ([]report.Row, error) {
	faults := c.faults()
	if len(faults) == 0 || c.nodes < 3 || c.nodes > 10 {
		return nil, fmt.Errorf("-only %q is no fault, or -nodes %d is not between 3 and 10", c.only, c.nodes)
	}
	return c.run(ctx, h, faults)
}

// run makes faults one after the other and checks what is left.
func (c *chaos) run(ctx context.Context, h *harness.Harness, faults []fault) (rows []report.Row, err error) {
	sb, err := newSandbox(ctx, h, fleet.Config{Nodes: c.nodes, Network: true, Workers: 1, Flags: []string{"--linger", "1s"}}, c.callers)
	if err != nil {
		return nil, err
	}
	good := false
	defer func() { sb.close(!good) }()
	for _, a := range faults {
		made, faultErr := a.do(ctx, sb)
		rows = append(rows, made...)
		if faultErr != nil {
			err = fmt.Errorf("%s: %w", a.name, faultErr)
			break
		}
	}
	v, logs, judgeErr := sb.finish(ctx, err != nil)
	if err = errors.Join(err, judgeErr); v != nil {
		h.Say("%s", v.words())
		rows = append(rows, c.rows(sb, v)...)
		if v.broken() > 0 {
			err = errors.Join(err, fmt.Errorf("broken promises: %s", strings.Join(v.Examples, "; ")))
		}
	}
	if panics := sb.fleet.Panics(); len(panics) > 0 {
		err = errors.Join(err, fmt.Errorf("nodes panicked: %s", strings.Join(panics, "; ")))
	}
	for _, e := range sb.fleet.Exits() {
		h.Say("ended by itself: %s", e)
	}
	err = errors.Join(err, sb.wrong)
	if good = err == nil; !good {
		err = errors.Join(err, sb.keep(logs, v), fmt.Errorf("the logs of nodes and callers are in %s", sb.fleet.Dir))
	}
	return rows, err
}

// rows are the counts that must be zero, and what they are taken from.
func (c *chaos) rows(sb *sandbox, v *verdict) []report.Row {
	sb.mu.Lock()
	worst, answers := sb.worst, sb.answers
	sb.mu.Unlock()
	written := 0
	for _, o := range v.Anomalies {
		written += o.Count
	}
	return slices.Concat([]report.Row{
		report.Figure("jobs accepted", float64(v.Accepted), "").AtLeast(1).Must(),
		report.Figure("lost", float64(v.Lost), "").AtMost(0).Must(),
		report.Figure("failed or unfinished", float64(v.Failed+v.Unfinished), "").AtMost(0).Must(),
		report.Figure("wrong", float64(v.Wrong), "").AtMost(0).Must(),
		report.Figure("twice", float64(v.Twice), "").AtMost(0).Must(),
		report.Figure("writes that broke a fence", float64(written), "").AtMost(0).Must(),
		report.Figure("refused and yet accepted", float64(v.Denied), "").AtMost(0).Must(),
		report.Figure("cancelled; cancelled and yet not", float64(v.Cancelled), "").Against("not", float64(v.Uncancelled), 0),
	}, v.orders(), []report.Row{
		report.Figure("reads of accepted jobs", float64(v.Reads), "").AtLeast(1).Must(),
		report.Figure("reads that contradict an earlier one", float64(v.Stale), "").AtMost(0).Must(),
		report.Figure("events told; connections that broke", float64(v.Told), "").Against("broke", float64(v.Resumed), 0),
		report.Figure("events that are missing, twice or wrong", float64(v.Mistold), "").AtMost(0).Must(),
		report.Figure("without an answer; of these, accepted", float64(v.Unsure), "").Against("accepted", float64(v.Kept), 0),
		report.Figure("accepted once more, without a key", float64(v.Repeated), ""),
		report.Figure("hand-outs while another caller waited", float64(v.Contended), "").AtLeast(1).Must(),
		report.Figure("hand-out log: largest difference of two that waited", v.Largest.Seconds()*1000, "ms").
			Against("the bound", float64(worst.Bound)/1000, stats.RatioOf(v.Largest.Seconds()*1e6, float64(worst.Bound))).AtMost(1).Must(),
		report.Figure("answers of the scheduler", float64(answers), "").AtLeast(1).Must(),
		report.Figure("violations of fairness", float64(worst.Violations), "").AtMost(0).Must(),
		report.Figure("largest lag", float64(worst.MaxLag)/1000, "ms").Against("its bound", float64(worst.Bound)/1000, stats.RatioOf(float64(worst.MaxLag), float64(worst.Bound))),
	})
}
