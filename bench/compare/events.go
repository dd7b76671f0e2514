package compare

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"fairfactor/bench/internal/client"
	"fairfactor/bench/internal/command"
	"fairfactor/bench/internal/harness"
	"fairfactor/bench/internal/random"
	"fairfactor/bench/internal/report"
	"fairfactor/bench/internal/stats"
	"fairfactor/bench/internal/wait"
)

// Events is `bench events`.
var Events = command.Comparison{
	Name:    "events",
	Summary: "memory, CPU and delay of thousands of subscribers to events",
	Help: `Opens that many streams of GET /events?caller_id=, each for a caller of its own, and one
more for all. The memory of the node is read before and after, its CPU over ten seconds in which
nothing happens. Then small jobs are submitted for callers at random, at a rate that leaves the
node idle half of the time. The delay of an end is the time from finished_at in the event to its
arrival. Last, half of the subscribers listen to everything, and some jobs end: each end goes out
that many times.`,
	Prepare: func(f *flag.FlagSet) command.Measurement {
		e := events{idle: 10 * time.Second}
		f.IntVar(&e.subscribers, "subscribers", 10_000, "streams")
		f.IntVar(&e.jobs, "jobs", 5_000, "jobs whose ends are timed")
		f.IntVar(&e.rate, "rate", 500, "jobs a second")
		f.IntVar(&e.shared, "shared", 20, "jobs that go to half of the subscribers")
		return e.measure
	},
}

type events struct {
	subscribers, jobs, rate, shared int

	idle time.Duration // over which the CPU of a node without events is read
}

// listeners are streams and what came in on them.
type listeners struct {
	begun, ended atomic.Int64
	delays       *stats.Latencies
	all          sync.WaitGroup
}

func (e *events) measure(ctx context.Context, h *harness.Harness) ([]report.Row, error) {
	if err := harness.RaiseFileLimit(uint64(e.subscribers + harness.SpareFiles)); err != nil {
		return nil, err
	}
	node, err := h.Node(ctx, h.Folder(), nil)
	if err != nil {
		return nil, err
	}
	defer node.Kill()
	c, err := client.New(node.URL, 8)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if _, err := c.Batch("events-warm", []string{"600851475143"}); err != nil {
		return nil, err
	}
	before, err := node.Resident()
	if err != nil {
		return nil, err
	}
	l := &listeners{delays: stats.NewLatencies()}
	hangUp, err := l.listen(ctx, node.URL, e.subscribers, func(i int) string { return fmt.Sprintf("?caller_id=events-%d", i) })
	defer hangUp()
	if err != nil {
		return nil, err
	}
	after, err := node.Resident()
	if err != nil {
		return nil, err
	}
	h.Say("%d subscribers listen", e.subscribers)
	idle, err := cpuOver(ctx, node, e.idle)
	if err != nil {
		return nil, err
	}
	rows := []report.Row{
		report.Figure("subscribers", float64(e.subscribers), ""),
		report.Figure("resident memory of the node for each", (after-before)/float64(e.subscribers)/1024, "KiB").AtMost(32),
		report.Figure("CPU of the node while nothing happens", 100*idle.Seconds()/e.idle.Seconds(), "% of a core").AtMost(10),
	}
	delays, err := e.single(ctx, h, node, c, l)
	if rows = append(rows, delays...); err != nil {
		return rows, err
	}
	hangUp()
	shared, err := e.toMany(ctx, h, node, c)
	return append(rows, shared...), err
}

// cpuOver is what a node uses within a time.
func cpuOver(ctx context.Context, node *harness.Process, while time.Duration) (time.Duration, error) {
	begin, err := node.CPU()
	if err != nil {
		return 0, err
	}
	if err := wait.For(ctx, while); err != nil {
		return 0, err
	}
	end, err := node.CPU()
	return end - begin, err
}

// single times ends that one subscriber each hears.
func (e *events) single(ctx context.Context, h *harness.Harness, node *harness.Process, c *client.Client, l *listeners) ([]report.Row, error) {
	rng := random.New(h.Seed, 1)
	begin, err := node.CPU()
	if err != nil {
		return nil, err
	}
	tick := time.NewTicker(time.Second / time.Duration(e.rate))
	defer tick.Stop()
	for range e.jobs {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if _, err := c.Batch(fmt.Sprintf("events-%d", rng.IntN(e.subscribers)), []string{fmt.Sprint(1_000_000 + rng.Uint64N(1e15))}); err != nil {
			return nil, err
		}
	}
	if err := l.heard(ctx, e.jobs); err != nil {
		return nil, err
	}
	end, err := node.CPU()
	return []report.Row{
		report.Figure("ends, each heard by one", float64(l.delays.Count()), ""),
		report.Figure("p50 from the end of a job to its event", stats.Millis(l.delays.At(50)), "ms"),
		report.Figure("p99 from the end of a job to its event", stats.Millis(l.delays.At(99)), "ms").AtMost(100),
		report.Figure("CPU of the node for a job, all of it", (end-begin).Seconds()*1e6/float64(e.jobs), "us"),
	}, err
}

// toMany times ends that many subscribers hear.
func (e *events) toMany(ctx context.Context, h *harness.Harness, node *harness.Process, c *client.Client) ([]report.Row, error) {
	l, n := &listeners{delays: stats.NewLatencies()}, max(e.subscribers/2, 1)
	hangUp, err := l.listen(ctx, node.URL, n, func(int) string { return "" })
	defer hangUp()
	if err != nil {
		return nil, err
	}
	h.Say("%d subscribers listen to everything", n)
	begin, err := node.CPU()
	if err != nil {
		return nil, err
	}
	for i := range e.shared {
		if _, err := c.Batch("events-shared", []string{fmt.Sprint(1_000_000 + i)}); err != nil {
			return nil, err
		}
		if err := l.heard(ctx, n*(i+1)); err != nil {
			return nil, err
		}
	}
	end, err := node.CPU()
	return []report.Row{
		report.Figure("subscribers that hear each end", float64(n), ""),
		report.Figure("p50 until one of them has it", stats.Millis(l.delays.At(50)), "ms"),
		report.Figure("p99 until one of them has it", stats.Millis(l.delays.At(99)), "ms"),
		report.Figure("CPU of the node for one event to one of them", (end-begin).Seconds()*1e6/float64(n*e.shared*2), "us"),
	}, err
}

// heard waits until so many ends have come in.
func (l *listeners) heard(ctx context.Context, ends int) error {
	return wait.Until(ctx, time.Millisecond, func() (bool, error) { return l.ended.Load() >= int64(ends), nil })
}

// listen opens streams and returns when all have begun. hangUp closes them.
func (l *listeners) listen(ctx context.Context, url string, n int, query func(i int) string) (hangUp func(), err error) {
	conns, err := client.Dial(ctx, strings.TrimPrefix(url, "http://"), n)
	hangUp = func() {
		for _, conn := range conns {
			conn.Close()
		}
		l.all.Wait()
	}
	if err != nil {
		return hangUp, err
	}
	for i, conn := range conns {
		if _, err := fmt.Fprintf(conn, "GET /events%s HTTP/1.1\r\nHost: node\r\n\r\n", query(i)); err != nil {
			return hangUp, err
		}
		l.all.Go(func() { l.read(conn) })
	}
	return hangUp, wait.Until(ctx, 5*time.Millisecond, func() (bool, error) { return l.begun.Load() >= int64(n), nil })
}

// read reads a stream to its end.
func (l *listeners) read(conn net.Conn) {
	lines, begun := bufio.NewReaderSize(conn, 1024), false
	for {
		line, err := lines.ReadSlice('\n')
		if err != nil {
			return
		}
		if !begun && bytes.HasPrefix(line, []byte("id: ")) {
			begun = true
			l.begun.Add(1)
		}
		_, text, found := bytes.Cut(line, []byte(`"finished_at":"`))
		text, _, _ = bytes.Cut(text, []byte(`"`))
		if at, err := time.Parse(time.RFC3339Nano, string(text)); found && err == nil {
			l.delays.Add(time.Since(at))
			l.ended.Add(1)
		}
	}
}
