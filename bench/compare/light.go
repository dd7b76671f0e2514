package compare

import (
	"context"
	"flag"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"fairfactor/bench/internal/client"
	"fairfactor/bench/internal/command"
	"fairfactor/bench/internal/harness"
	"fairfactor/bench/internal/load"
	"fairfactor/bench/internal/random"
	"fairfactor/bench/internal/report"
	"fairfactor/bench/internal/stats"
	"fairfactor/bench/internal/wait"
)

// Light is `bench light`.
var Light = command.Comparison{
	Name:    "light",
	Summary: "how long a light caller waits next to a flood and to very long numbers",
	Help: `A light caller submits one number (10^6 .. 10^20) after the other, with a pause between,
and waits until each is completed: alone; next to a caller that floods the node with
20-digit numbers in batches, up to a million waiting; next to three callers with a number
of 80 to 90 digits each, which take minutes; and next to all of these. Each time on a
new node. The time runs from the request to the answer with the finished job.`,
	Prepare: func(f *flag.FlagSet) command.Measurement {
		l := light{warm: time.Second}
		f.IntVar(&l.flood, "flood", 1_000_000, "jobs of the flood that wait, at most")
		f.IntVar(&l.digits, "digits", 90, "digits of the longest of the three long numbers; the others have 5 and 10 less")
		f.IntVar(&l.workers, "workers", 2, "workers of the node")
		f.DurationVar(&l.watch, "watch", 10*time.Second, "time of each measurement")
		f.DurationVar(&l.pause, "pause", 20*time.Millisecond, "pause of the light caller between two numbers")
		return l.measure
	},
}

type light struct {
	flood, digits, workers int
	watch, pause           time.Duration
	warm                   time.Duration // from the start of the others to the first measured number
}

func (l *light) measure(ctx context.Context, h *harness.Harness) ([]report.Row, error) {
	if l.digits < leastLong+10 || l.digits > mostLong {
		return nil, fmt.Errorf("-digits %d is not between %d and %d", l.digits, leastLong+10, mostLong)
	}
	var rows []report.Row
	var alone *stats.Latencies
	for _, next := range []struct {
		name     string
		flood    bool
		long     bool
		p50, p99 time.Duration // at most; 0: no target
	}{
		{name: "alone"},
		{name: "next to the flood", flood: true},
		{name: "next to three long numbers", long: true},
		{name: "next to all", flood: true, long: true, p50: 8 * time.Millisecond, p99: 45 * time.Millisecond},
	} {
		h.Say("%s", next.name)
		got, err := l.next(ctx, h, next.flood, next.long)
		if err != nil {
			return rows, fmt.Errorf("%s: %w", next.name, err)
		}
		if alone == nil {
			alone = got
		}
		for _, p := range []struct {
			percent float64
			most    time.Duration
		}{{50, next.p50}, {99, next.p99}} {
			r := report.Figure(fmt.Sprintf("p%g of a light caller, %s", p.percent, next.name), stats.Millis(got.At(p.percent)), "ms")
			if p.most > 0 {
				r = r.AtMost(stats.Millis(p.most))
			}
			rows = append(rows, r)
		}
		if got != alone {
			rows = append(rows, report.Figure("mean, "+next.name, stats.Millis(got.Mean()), "ms").
				Against("alone", stats.Millis(alone.Mean()), stats.RatioOf(float64(got.Mean()), float64(alone.Mean()))))
		}
	}
	return rows, nil
}

// next measures the light caller on a new node, next to others.
func (l *light) next(ctx context.Context, h *harness.Harness, flood, long bool) (*stats.Latencies, error) {
	node, err := h.Node(ctx, h.Folder(), nil, "--workers", fmt.Sprint(l.workers))
	if err != nil {
		return nil, err
	}
	defer node.Kill()
	c, err := client.New(node.URL, fewCallers)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	rng := random.New(h.Seed, 4)
	for i := 0; long && i < 3; i++ {
		if _, err := load.Fill(ctx, c, fmt.Sprintf("long-%d", i), []string{random.Semiprime(rng, l.digits-5*i)}, 1); err != nil {
			return nil, err
		}
	}
	flooding, stop := context.WithCancel(ctx)
	defer stop()
	var work sync.WaitGroup
	var fault error
	if flood {
		work.Go(func() {
			var empty atomic.Int64
			fault = feed(flooding, c, "flood", rng, l.flood, &empty)
		})
	}
	got, err := l.watchLight(ctx, h, c)
	stop()
	work.Wait()
	if err == nil {
		err = fault
	}
	return got, err
}

// watchLight submits numbers and waits for each.
func (l *light) watchLight(ctx context.Context, h *harness.Harness, c *client.Client) (*stats.Latencies, error) {
	got, poster, rng := stats.NewLatencies(), c.Poster(), random.New(h.Seed, 5)
	if err := wait.For(ctx, l.warm); err != nil {
		return nil, err
	}
	for begin := time.Now(); time.Since(begin) < l.watch; {
		start := time.Now()
		j, err := poster.PostAndWait("light", random.Uniform(rng))
		if err != nil {
			return nil, err
		}
		if j.Status != "completed" {
			return nil, fmt.Errorf("number %s is %s", j.Number, j.Status)
		}
		got.Add(time.Since(start))
		if err := wait.For(ctx, l.pause); err != nil {
			return nil, err
		}
	}
	return got, nil
}
