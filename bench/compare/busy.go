package compare

import (
	"context"
	"errors"
	"fmt"
	"time"

	"fairfactor/bench/internal/client"
	"fairfactor/bench/internal/harness"
	"fairfactor/bench/internal/load"
	"fairfactor/bench/internal/random"
	"fairfactor/bench/internal/report"
	"fairfactor/bench/internal/wait"
)

// kill kills a node whose callers all have one job waiting.
func (m *manyCallers) kill(ctx context.Context, h *harness.Harness) ([]report.Row, error) {
	rng := random.New(h.Seed, 1)
	example, took := random.Sized(rng, waitingWork)
	h.Say("%d callers wait for jobs of about %v (%d digits)", m.waiting, took.Round(10*time.Microsecond), len(example))
	folder := h.Folder()
	node, err := h.Node(ctx, folder, nil)
	if err != nil {
		return nil, err
	}
	defer node.Kill()
	c, err := client.New(node.URL, singles)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if _, err := bySingles(singles)(ctx, c, load.TaggedNames(rng, m.waiting), random.Alike(rng, len(example), m.waiting)); err != nil {
		return nil, err
	}
	w, err := watchWork(ctx, c, workWindow)
	if err != nil {
		return nil, err
	}
	metrics, err := c.Metrics()
	if err != nil {
		return nil, err
	}
	left := metrics.Unfinished()
	if left < m.waiting/10 {
		return nil, fmt.Errorf("only %d of %d jobs are waiting: the workers are too fast for this measurement", left, m.waiting)
	}
	h.Say("%d are waiting, workers use %.2f cores; the node is killed", left, w)
	node.Kill()
	began := time.Now()
	again, err := h.Node(ctx, folder, nil)
	if err != nil {
		return nil, err
	}
	defer again.Kill()
	busy, err := untilBusy(ctx, again, began, w)
	if err != nil {
		return nil, err
	}
	resident, err := again.Resident()
	if err != nil {
		return nil, err
	}
	who := grouped(left) + " callers waiting"
	return []report.Row{
		report.Figure("killed with "+who+": ready", again.Ready.Seconds(), "s"),
		report.Figure("killed with "+who+": workers as busy as before", busy.Seconds(), "s").AtMost(2),
		report.Figure("resident memory then", resident/(1<<20), "MiB"),
	}, nil
}

// Workers are as busy as before when they use that part of what they used, over a
// window.
const (
	workWindow = 500 * time.Millisecond
	busyWindow = 250 * time.Millisecond
	busyPart   = 0.9
	busyLimit  = 5 * time.Minute // a node that needs longer has failed
)

// turnCPU is the sample of the CPU that turns have used.
const turnCPU = "fairfactor_turn_cpu_seconds_total"

// watchWork returns how many cores the workers of a node use over a window.
func watchWork(ctx context.Context, c *client.Client, window time.Duration) (float64, error) {
	before, err := c.Metrics()
	if err != nil {
		return 0, err
	}
	start := time.Now()
	if err := wait.For(ctx, window); err != nil {
		return 0, err
	}
	after, err := c.Metrics()
	return (after[turnCPU] - before[turnCPU]) / time.Since(start).Seconds(), err
}

// untilBusy returns the time from began until a window begins in which a node's
// workers are as busy as they were. A node that does not answer is not.
func untilBusy(ctx context.Context, node *harness.Process, began time.Time, cores float64) (time.Duration, error) {
	c, err := client.New(node.URL, 1)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(ctx, busyLimit)
	defer cancel()
	for ctx.Err() == nil {
		since := time.Since(began)
		if now, err := watchWork(ctx, c, busyWindow); err == nil && now >= busyPart*cores {
			return since, nil
		}
		if node.Gone() {
			return 0, fmt.Errorf("the node ended after its restart: %s", node.Log)
		}
	}
	return 0, errors.Join(fmt.Errorf("%v after its start the workers of the node do not use %.2f cores", time.Since(began).Round(time.Second), cores), ctx.Err())
}
