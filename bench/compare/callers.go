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
	"fairfactor/bench/internal/stats"
	"fairfactor/bench/internal/wait"
)

// Callers is `bench callers`.
var Callers = command.Comparison{
	Name:     "callers",
	Summary:  "what very many callers cost: rates, memory, an idle node, and a kill while all of them wait",
	Separate: true,
	Limit:    time.Hour,
	Help: `Two nodes get the same jobs, uniform in 10^6 .. 10^20, by single POSTs, 256 at once:
one from ten callers, the other each from a caller of its own that it has never heard
of. They take turns, 100,000 jobs at a time, until the second knows -callers callers.
The rates are completed jobs a second from the first submission to the last end; the
ratio is of the sums, once for the first 100,000 and once for all. Then the second
node is left alone until its memory has settled, and its CPU is measured for ten
seconds more.

Last, a third node gets -waiting jobs of about 5 ms from as many callers and is killed
(SIGKILL) while they wait. The time runs from the start of the new process until its
workers use as much CPU as before, by its own count (fairfactor_turn_cpu_seconds_total).`,
	Prepare: func(f *flag.FlagSet) command.Measurement {
		var m manyCallers
		f.IntVar(&m.callers, "callers", 1_000_000, "callers of the second node, one job each")
		f.IntVar(&m.chunk, "chunk", 100_000, "jobs between two changes of the node")
		f.IntVar(&m.waiting, "waiting", 100_000, "callers that wait when the third node is killed")
		f.DurationVar(&m.settle, "settle", 2*time.Minute, "wait for the memory to settle no longer than this")
		f.DurationVar(&m.idle, "idle", 10*time.Second, "time over which the idle node's CPU is measured")
		return m.measure
	},
}

type manyCallers struct {
	callers, chunk, waiting int
	settle, idle            time.Duration
}

// fewCallers is what many are compared with.
const fewCallers = 10

func (m *manyCallers) measure(ctx context.Context, h *harness.Harness) ([]report.Row, error) {
	var rows []report.Row
	for _, part := range []func(context.Context, *harness.Harness) ([]report.Row, error){m.rates, m.kill} {
		measured, err := part(ctx, h)
		rows = append(rows, measured...)
		if err != nil {
			return rows, err
		}
	}
	return rows, nil
}

// served is what a node has done so far.
type served struct {
	jobs int
	took time.Duration
	cpu  time.Duration
}

func (s *served) add(o served) { s.jobs, s.took, s.cpu = s.jobs+o.jobs, s.took+o.took, s.cpu+o.cpu }
func (s served) rate() float64 { return stats.PerSecond(s.jobs, s.took) }
func (s served) each() float64 {
	return float64(s.cpu.Nanoseconds()) / 1000 / float64(max(s.jobs, 1))
}

// callerSide is one of the two nodes.
type callerSide struct {
	node   *harness.Process
	client *client.Client
	names  func(jobs int) []string
	all    served
}

// rates compares the two nodes, and looks at the second when all is done.
func (m *manyCallers) rates(ctx context.Context, h *harness.Harness) (rows []report.Row, err error) {
	rng := random.New(h.Seed, 0)
	few := load.TaggedNames(rng, fewCallers)
	sides := []*callerSide{
		{names: func(int) []string { return few }},
		{names: func(jobs int) []string { return load.TaggedNames(rng, jobs) }},
	}
	for _, s := range sides {
		if s.node, err = h.Node(ctx, h.Folder(), nil); err != nil {
			return nil, err
		}
		defer s.node.Kill()
		if s.client, err = client.New(s.node.URL, singles); err != nil {
			return nil, err
		}
		defer s.client.Close()
	}
	for done := 0; done < m.callers; {
		jobs := min(m.chunk, m.callers-done)
		numbers := random.Many(jobs, rng, random.Uniform)
		for _, s := range sides {
			one, err := s.serve(ctx, numbers)
			if err != nil {
				return rows, err
			}
			s.all.add(one)
		}
		if done += jobs; done == jobs || done == m.callers {
			rows = append(rows, m.rateRows(done, sides[0].all, sides[1].all)...)
		}
		h.Say("%d callers, one job each: %.0f/s; %d callers: %.0f/s", done, sides[1].all.rate(), fewCallers, sides[0].all.rate())
	}
	sides[0].node.Kill()
	idle, err := m.idleRows(ctx, h, sides[1])
	return append(rows, idle...), err
}

// rateRows compares what both have done so far.
func (m *manyCallers) rateRows(callers int, few, many served) []report.Row {
	least := 0.7
	if callers > 300_000 {
		least = 0.5
	}
	who := grouped(callers) + " callers"
	return []report.Row{
		report.Figure("completed/s, "+who, many.rate(), "/s").Against(fmt.Sprintf("%d callers", fewCallers), few.rate(), stats.RatioOf(many.rate(), few.rate())).AtLeast(least),
		report.Figure("CPU of a job, "+who, many.each(), "us").Against(fmt.Sprintf("%d callers", fewCallers), few.each(), stats.RatioOf(many.each(), few.each())),
	}
}

func grouped(n int) string { return report.Grouped(int64(n)) }

// serve submits numbers and waits until all are completed.
func (s *callerSide) serve(ctx context.Context, numbers []string) (d served, err error) {
	before, err := s.node.CPU()
	if err != nil {
		return d, err
	}
	m, err := s.client.Metrics()
	if err != nil {
		return d, err
	}
	completed := m.Completed()
	start := time.Now()
	if _, err := bySingles(singles)(ctx, s.client, s.names(len(numbers)), numbers); err != nil {
		return d, err
	}
	if err := client.WaitIdle(ctx, s.client); err != nil {
		return d, err
	}
	d.took, d.jobs = time.Since(start), len(numbers)
	after, err := s.node.CPU()
	if err != nil {
		return d, err
	}
	d.cpu = after - before
	if m, err = s.client.Metrics(); err != nil {
		return d, err
	}
	if got := m.Completed() - completed; got != len(numbers) {
		return d, fmt.Errorf("%d of %d jobs were completed", got, len(numbers))
	}
	return d, nil
}

// Memory has settled when it has not fallen by more than a part of itself for some
// time.
const (
	settledFor  = 15 * time.Second
	settledPart = 0.02
)

// idleRows waits until the memory has settled and measures what an idle node uses.
func (m *manyCallers) idleRows(ctx context.Context, h *harness.Harness, s *callerSide) ([]report.Row, error) {
	h.Say("waiting until the memory of the idle node has settled")
	least, since := 0.0, time.Now()
	for start := time.Now(); time.Since(start) < m.settle && time.Since(since) < min(settledFor, m.settle); {
		now, err := s.node.Resident()
		if err != nil {
			return nil, err
		}
		if least == 0 || now < least*(1-settledPart) {
			least, since = now, time.Now()
		}
		if err := wait.For(ctx, 500*time.Millisecond); err != nil {
			return nil, err
		}
	}
	before, err := s.node.CPU()
	if err != nil {
		return nil, err
	}
	if err := wait.For(ctx, m.idle); err != nil {
		return nil, err
	}
	after, err := s.node.CPU()
	if err != nil {
		return nil, err
	}
	resident, err := s.node.Resident()
	if err != nil {
		return nil, err
	}
	most, err := s.node.MostResident()
	if err != nil {
		return nil, err
	}
	metrics, err := s.client.Metrics()
	if err != nil {
		return nil, err
	}
	const mib = 1 << 20
	who := grouped(m.callers) + " callers known"
	memory := report.Figure("resident memory of the idle node, "+who, resident/mib, "MiB")
	if m.callers >= 1_000_000 {
		memory = memory.AtMost(600)
	}
	return []report.Row{
		memory,
		report.Figure("most that it ever was", most/mib, "MiB"),
		report.Figure("heap in use, by /metrics", metrics["go_memstats_heap_inuse_bytes"]/mib, "MiB"),
		report.Figure("stacks in use, by /metrics", metrics["go_memstats_stack_inuse_bytes"]/mib, "MiB"),
		report.Figure("callers with an actor, by /metrics", metrics["fairfactor_callers_active"], ""),
		report.Figure("CPU of the idle node, "+who, (after-before).Seconds()/m.idle.Seconds(), "cores").AtMost(0.01),
	}, nil
}
