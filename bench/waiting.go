package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"sync"
	"time"
)

var waitingComparison = comparison{
	name:    "waiting",
	summary: "memory of a waiting job, and a restart with all of them waiting",
	help: `Fills a node that has one worker with jobs of a few milliseconds each, much
faster than the worker can do them. The heap is read before (after some jobs, with
all callers active) and after; the difference is divided by the jobs that wait at
that moment: accepted minus ended. The heap is the least of go_memstats_heap_alloc
over some seconds, with GOGC=10 in the node's environment, so that it is at most a
tenth above what is live. It includes the store's caches. Then the node is killed
and started again on the same data; the time runs until it says that it is ready.`,
	prepare: func(f *flag.FlagSet) measurement {
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

func (w *waiting) measure(ctx context.Context, b *bench) ([]row, error) {
	folder := b.folder()
	node, err := b.node(ctx, folder, []string{tightCollection}, "--workers", "1")
	if err != nil {
		return nil, err
	}
	defer node.kill()
	c, err := newClient(node.url, w.callers)
	if err != nil {
		return nil, err
	}
	defer c.close()
	number, took := sized(newRand(b.seed, 0), waitingWork)
	b.say("jobs of %v (%d digits)", took.Round(10*time.Microsecond), len(number))
	if err := w.fill(ctx, c, number, warmJobs); err != nil {
		return nil, err
	}
	before, err := settled(ctx, c, node)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	if err := w.fill(ctx, c, number, w.jobs/w.callers); err != nil {
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
	rows := []row{
		figure("jobs waiting", float64(after.waiting), ""),
		figure("accepted/s by batch while filling", perSecond(w.jobs, filling), "/s"),
		figure("heap of a waiting job", (after.heap-before.heap)/more, "bytes").atMost(200),
		figure("heap in use, for a waiting job", (after.inUse-before.inUse)/more, "bytes"),
		figure("resident memory, for a waiting job", (after.resident-before.resident)/more, "bytes"),
		figure("resident memory of the node", after.resident/(1<<20), "MiB"),
	}
	node.kill()
	again, err := b.node(ctx, folder, nil, "--workers", "1")
	if err != nil {
		return rows, err
	}
	defer again.kill()
	return append(rows, figure("ready after a kill, all jobs waiting", again.ready.Seconds(), "s").atMost(3)), w.continues(ctx, again)
}

// fill submits that many jobs of each caller.
func (w waiting) fill(ctx context.Context, c *client, number string, each int) error {
	numbers := make([]string, each)
	for i := range numbers {
		numbers[i] = number
	}
	var mu sync.Mutex // guards errs
	var errs []error
	var wg sync.WaitGroup
	for i := range w.callers {
		wg.Go(func() {
			_, err := fill(ctx, c, fmt.Sprintf("waiting-%d", i), numbers, waitingGroup)
			mu.Lock()
			defer mu.Unlock()
			errs = append(errs, err)
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// settled reads the memory of a node: the least within some seconds.
func settled(ctx context.Context, c *client, node *process) (memory, error) {
	m := memory{heap: math.Inf(1), inUse: math.Inf(1), resident: math.Inf(1)}
	for start := time.Now(); time.Since(start) < settling; {
		now, err := c.metrics()
		if err != nil {
			return m, err
		}
		resident, err := node.resident()
		if err != nil {
			return m, err
		}
		m.heap = min(m.heap, now["go_memstats_heap_alloc_bytes"])
		m.inUse = min(m.inUse, now["go_memstats_heap_inuse_bytes"])
		m.resident = min(m.resident, resident)
		m.waiting = now.unfinished()
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return m, err
		}
	}
	return m, nil
}

// continues waits until a restarted node has ended a job, which shows that it
// went on with those that waited.
func (w waiting) continues(ctx context.Context, node *process) error {
	c, err := newClient(node.url, 1)
	if err != nil {
		return err
	}
	defer c.close()
	return until(ctx, 20*time.Millisecond, func() (bool, error) {
		m, err := c.metrics()
		return m[`fairfactor_jobs_total{state="completed"}`] > 0, err
	})
}
