package compare

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"sync"
	"time"

	"fairfactor/bench/internal/client"
	"fairfactor/bench/internal/command"
	"fairfactor/bench/internal/fleet"
	"fairfactor/bench/internal/harness"
	"fairfactor/bench/internal/random"
	"fairfactor/bench/internal/report"
	"fairfactor/bench/internal/stats"
	"fairfactor/bench/internal/wait"
	"fairfactor/store/postgres/pgtest"
)

// Distance is `bench distance`.
var Distance = command.Comparison{
	Name:     "distance",
	Summary:  "what a PostgreSQL that is far, or whose network loses packets, costs",
	Separate: true,
	Help: `Measures a node whose PostgreSQL is near, one whose PostgreSQL is 25 ms away in each
direction, and one that loses a packet in a hundred to it and from it, which TCP sends
again. For each: accepted single POSTs a second, many at once, with their answer times;
how long a lone caller that was not there before waits for its job; completed jobs a
second by batches, of many callers and of one; and finished jobs read a second. The node
must be ready all the time.`,
	Prepare: func(f *flag.FlagSet) command.Measurement {
		d := distance{callers: 50}
		f.DurationVar(&d.way, "way", 25*time.Millisecond, "time to the far database, in each direction")
		f.Float64Var(&d.loss, "loss", 0.01, "part of the packets that is lost")
		f.IntVar(&d.conns, "concurrency", 500, "single POSTs at once")
		f.DurationVar(&d.round, "round", 3*time.Second, "length of a round of single POSTs")
		f.IntVar(&d.jobs, "jobs", 20_000, "jobs in a round of batches")
		f.IntVar(&d.lone, "lone", 20, "callers that come one by one")
		return d.measure
	},
}

// distance is what `bench distance` measures.
type distance struct {
	way, round                 time.Duration
	loss                       float64
	conns, jobs, lone, callers int
}

func (d *distance) measure(ctx context.Context, h *harness.Harness) (rows []report.Row, err error) {
	var near []report.Row
	for _, at := range []struct {
		name string
		way  time.Duration
		loss float64
	}{{"near", 0, 0}, {fmt.Sprintf("%v away", d.way), d.way, 0}, {fmt.Sprintf("%g of the packets lost", d.loss), 0, d.loss}} {
		h.Say("%s", at.name)
		measured, err := d.at(ctx, h, at.way, at.loss)
		if err != nil {
			return rows, fmt.Errorf("%s: %w", at.name, err)
		}
		if near == nil {
			near = measured
		}
		for i, r := range measured {
			r.Figure += ", " + at.name
			if (at.way != 0 || at.loss != 0) && r.Most == nil {
				r = r.Against("near", near[i].Value, stats.RatioOf(r.Value, near[i].Value))
			}
			rows = append(rows, r)
		}
	}
	return rows, nil
}

// at measures a node with such a way to its database.
func (d *distance) at(ctx context.Context, h *harness.Harness, way time.Duration, loss float64) (rows []report.Row, err error) {
	server, url, err := fleet.NewDatabase(ctx)
	if err != nil {
		return nil, err
	}
	defer server.Remove()
	far, err := pgtest.NewFar(server.Addr(), way, loss, h.Seed)
	if err != nil {
		return nil, err
	}
	defer far.Close()
	node, err := h.Node(ctx, h.Folder(), nil, "--store", strings.Replace(url, server.Addr(), far.Addr(), 1))
	if err != nil {
		return nil, err
	}
	defer node.Kill()
	c, err := client.New(node.URL, d.conns+10)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if err := wait.Until(ctx, 20*time.Millisecond, func() (bool, error) { return c.Getter().OK("/readyz") == nil, nil }); err != nil {
		return nil, err
	}
	watch := watchReady(ctx, c)
	rows, err = d.figures(ctx, h, c)
	return append(rows, report.Figure("times that it was not ready", float64(watch()), "").AtMost(0).Must()), err
}

func (d *distance) figures(ctx context.Context, h *harness.Harness, c *client.Client) (rows []report.Row, err error) {
	answers := stats.NewLatencies()
	rng := random.New(h.Seed, 7)
	callers := make([]string, d.callers)
	for i := range callers {
		callers[i] = fmt.Sprintf("caller-%d", i)
	}
	accepted, err := rate(ctx, d.round, d.conns, func(i int) func() error {
		rng, poster, n := random.New(h.Seed, uint64(i)), c.Poster(), i
		return func() error {
			n++
			began := time.Now()
			_, err := poster.Accepted(callers[n%len(callers)], random.Small(rng))
			answers.Add(time.Since(began))
			return err
		}
	})
	if err != nil {
		return nil, err
	}
	rows = append(rows,
		report.Figure(fmt.Sprintf("accepted/s, %d at once", d.conns), accepted, "/s"),
		report.Figure("p50 of these", stats.Millis(answers.At(50)), "ms"),
		report.Figure("p99 of these", stats.Millis(answers.At(99)), "ms"))
	if err := client.WaitIdle(ctx, c); err != nil {
		return rows, err
	}
	alone, poster := stats.NewLatencies(), c.Poster()
	for i := range d.lone {
		began := time.Now()
		if _, err := poster.PostAndWait(fmt.Sprintf("lone-%d", i), random.Small(rng)); err != nil {
			return rows, err
		}
		alone.Add(time.Since(began))
	}
	rows = append(rows,
		report.Figure("a new caller's job, p50", stats.Millis(alone.At(50)), "ms"),
		report.Figure("a new caller's job, longest", stats.Millis(alone.At(100)), "ms"))
	var ids []string
	for _, many := range []int{d.callers, 1} {
		numbers := random.Many(d.jobs, rng, random.Small)
		m := completion{group: min(1000, d.jobs/many)}
		before, err := c.Metrics()
		if err != nil {
			return rows, err
		}
		began := time.Now()
		all, err := m.byBatch(ctx, c, callers[:many], numbers)
		if err != nil {
			return rows, err
		}
		if err := client.WaitIdle(ctx, c); err != nil {
			return rows, err
		}
		took := time.Since(began)
		after, err := c.Metrics()
		if err != nil {
			return rows, err
		}
		for _, a := range all {
			ids = append(ids, a.ID)
		}
		const groups = "fairfactor_store_commit_duration_seconds_count"
		rows = append(rows,
			report.Figure(fmt.Sprintf("completed/s by batches, callers: %d", many), stats.PerSecond(len(numbers), took), "/s"),
			report.Figure("groups of changes for these", after[groups]-before[groups], ""))
	}
	reads, err := rate(ctx, d.round, min(d.conns, 50), func(i int) func() error {
		g, n := c.Getter(), i
		return func() error {
			n++
			return g.OK("/compute/" + ids[n%len(ids)])
		}
	})
	return append(rows, report.Figure("finished jobs read/s", reads, "/s")), err
}

// watchReady asks a node again and again whether it is ready, until the function that it
// returns is called, which returns how often it was not.
func watchReady(ctx context.Context, c *client.Client) func() int {
	ctx, cancel := context.WithCancel(ctx)
	faults := 0
	var watching sync.WaitGroup
	watching.Go(func() {
		g := c.Getter()
		for wait.For(ctx, 50*time.Millisecond) == nil {
			if g.OK("/readyz") != nil {
				faults++
			}
		}
	})
	return func() int {
		cancel()
		watching.Wait()
		return faults
	}
}
