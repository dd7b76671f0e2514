package compare

import (
	"context"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"fairfactor/bench/internal/client"
	"fairfactor/bench/internal/command"
	"fairfactor/bench/internal/harness"
	"fairfactor/bench/internal/random"
	"fairfactor/bench/internal/report"
	"fairfactor/bench/internal/stats"
	"fairfactor/bench/internal/wait"
)

// Waiting is `bench waiting`.
var Waiting = command.Comparison{
	Name:    "waiting",
	Summary: "memory of a waiting job, and a restart with all of them waiting",
	Help: `Fills a node that has one worker with jobs of a few milliseconds each, much
faster than the worker can do them. The heap is read before (after some jobs, with
all callers active) and after; the difference is divided by the jobs that wait at
that moment: accepted minus ended. The heap is the least of go_memstats_heap_alloc
over some seconds, with GOGC=10 in the node's environment, so that it is at most a
tenth above what is live. It includes the store's caches. Then the node is killed
and started again on the same data; the time runs until it says that it is ready.`,
	Prepare: func(f *flag.FlagSet) command.Measurement {
		w := waiting{callers: 10}
		f.IntVar(&w.jobs, "jobs", 1_000_000, "jobs that wait")
		return w.measure
	},
}

type waiting struct{ jobs, callers int }

// Work of a waiting job, and how many different numbers there are.
const (
	waitingWork     = 5 * time.Millisecond
	waitingGroup    = 5_000
	warmJobs        = 100 // each caller's, before the first reading
	settling        = 5 * time.Second
	tightCollection = "GOGC=10"
)

// memory is one reading.
type memory struct {
	heap, inUse, resident float64 // bytes
	waiting               int
}

func (w *waiting) measure(ctx context.Context, h *harness.Harness) ([]report.Row, error) {
	folder := h.Folder()
	node, err := h.Node(ctx, folder, []string{tightCollection}, "--workers", "1")
	if err != nil {
		return nil, err
	}
	defer node.Kill()
	c, err := client.New(node.URL, w.callers)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	rng := random.New(h.Seed, 0)
	example, took := random.Sized(rng, waitingWork)
	h.Say("jobs of about %v (%d digits)", took.Round(10*time.Microsecond), len(example))
	if err := w.fill(ctx, c, rng, len(example), warmJobs*w.callers); err != nil {
		return nil, err
	}
	before, err := settled(ctx, c, node)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	if err := w.fill(ctx, c, rng, len(example), w.jobs); err != nil {
		return nil, err
	}
	filling := time.Since(start)
	after, err := settled(ctx, c, node)
	if err != nil {
		return nil, err
	}
	more := float64(after.waiting - before.waiting)
	if more < float64(w.jobs)/2 {
		return nil, fmt.Errorf("only %.0f of %d jobs are waiting: the worker is too fast for this measurement", more, w.jobs)
	}
	rows := []report.Row{
		report.Figure("jobs waiting", float64(after.waiting), ""),
		report.Figure("accepted/s by batch while filling", stats.PerSecond(w.jobs, filling), "/s"),
		report.Figure("heap of a waiting job", (after.heap-before.heap)/more, "bytes").AtMost(200),
		report.Figure("heap in use, for a waiting job", (after.inUse-before.inUse)/more, "bytes"),
		report.Figure("resident memory, for a waiting job", (after.resident-before.resident)/more, "bytes"),
		report.Figure("resident memory of the node", after.resident/(1<<20), "MiB"),
	}
	node.Kill()
	again, err := h.Node(ctx, folder, nil, "--workers", "1")
	if err != nil {
		return rows, err
	}
	defer again.Kill()
	return append(rows, report.Figure("ready after a kill, all jobs waiting", again.Ready.Seconds(), "s").AtMost(3)), w.continues(ctx, again)
}

// fill submits new numbers of about that many digits from all callers.
func (w waiting) fill(ctx context.Context, c *client.Client, rng *rand.Rand, digits, jobs int) error {
	names := make([]string, w.callers)
	for i := range names {
		names[i] = fmt.Sprintf("waiting-%d", i)
	}
	_, err := completion{group: waitingGroup}.byBatch(ctx, c, names, random.Alike(rng, digits, jobs))
	return err
}

// settled reads the memory of a node: the least within some seconds.
func settled(ctx context.Context, c *client.Client, node *harness.Process) (memory, error) {
	m := memory{heap: math.Inf(1), inUse: math.Inf(1), resident: math.Inf(1)}
	for start := time.Now(); time.Since(start) < settling; {
		now, err := c.Metrics()
		if err != nil {
			return m, err
		}
		resident, err := node.Resident()
		if err != nil {
			return m, err
		}
		m.heap = min(m.heap, now["go_memstats_heap_alloc_bytes"])
		m.inUse = min(m.inUse, now["go_memstats_heap_inuse_bytes"])
		m.resident = min(m.resident, resident)
		m.waiting = now.Unfinished()
		if err := wait.For(ctx, 50*time.Millisecond); err != nil {
			return m, err
		}
	}
	return m, nil
}

// continues waits until a restarted node has ended a job, which shows that it
// went on with those that waited.
func (w waiting) continues(ctx context.Context, node *harness.Process) error {
	c, err := client.New(node.URL, 1)
	if err != nil {
		return err
	}
	defer c.Close()
	return wait.Until(ctx, 20*time.Millisecond, func() (bool, error) {
		m, err := c.Metrics()
		return m[`fairfactor_jobs_total{state="completed"}`] > 0, err
	})
}
