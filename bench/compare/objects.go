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
	"fairfactor/bench/internal/verify"
)

// Objects is `bench objects`.
var Objects = command.Comparison{
	Name:    "objects",
	Summary: "heap objects, bytes and CPU of a job",
	Help: `Submits jobs to a node and reads before and after how many heap objects and bytes
it has allocated since its start (go_memstats_mallocs_total and
go_memstats_alloc_bytes_total of GET /metrics) and how much CPU it has used. The
difference is divided by the jobs: all that a job costs, from the socket to the
stored result. Once by single POSTs, 50 and 256 at once, and once by batches. Each
way has some jobs beforehand that are not counted: batches as many as there are, because
the buffers of the store grow with the first some hundred thousand and are used again.`,
	Prepare: func(f *flag.FlagSet) command.Measurement {
		o := &objects{callers: 10}
		f.IntVar(&o.jobs, "jobs", 50_000, "jobs of each kind")
		f.IntVar(&o.group, "group", 1000, "numbers in a batch")
		return o.measure
	},
}

type objects struct{ jobs, callers, group int }

// warmPart is the part of single POSTs that is done before anything is counted.
const warmPart = 10

func (o *objects) measure(ctx context.Context, h *harness.Harness) ([]report.Row, error) {
	node, err := h.Node(ctx, h.Folder(), nil)
	if err != nil {
		return nil, err
	}
	defer node.Kill()
	c, err := client.New(node.URL, singles)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	var rows []report.Row
	for i, way := range []struct {
		name           string
		submit         submitter
		objects, bytes float64 // at most
		before         int     // jobs beforehand
	}{
		{"single POST, 50 at once", bySingles(50), 15, 1536, o.jobs / warmPart},
		{fmt.Sprintf("single POST, %d at once", singles), bySingles(singles), 15, 1536, max(o.jobs/warmPart, singles)},
		{fmt.Sprintf("line of a batch of %d", o.group), completion{group: o.group}.byBatch, 3, 400, max(o.jobs, o.callers*o.group)},
	} {
		h.Say("%s", way.name)
		rng := random.New(h.Seed, uint64(i))
		callers, err := load.CallerNames(rng, o.callers, nil)
		if err != nil {
			return rows, err
		}
		run := func(jobs int) error {
			return o.run(ctx, c, way.submit, callers, random.Many(jobs, rng, random.Uniform))
		}
		if err := run(way.before + 1); err != nil {
			return rows, err
		}
		before, err := usageOf(c, node)
		if err != nil {
			return rows, err
		}
		if err := run(o.jobs); err != nil {
			return rows, err
		}
		after, err := usageOf(c, node)
		if err != nil {
			return rows, err
		}
		each := 1 / float64(o.jobs)
		rows = append(rows,
			report.Figure("heap objects, "+way.name, (after.objects-before.objects)*each, "").AtMost(way.objects),
			report.Figure("bytes of them, "+way.name, (after.bytes-before.bytes)*each, "bytes").AtMost(way.bytes),
			report.Figure("CPU of the node, "+way.name, float64((after.cpu-before.cpu).Microseconds())*each, "us"))
	}
	return rows, nil
}

// run submits numbers and waits until all are done and right.
func (o *objects) run(ctx context.Context, c *client.Client, submit submitter, callers, numbers []string) error {
	all, err := submit(ctx, c, callers, numbers)
	if err != nil {
		return err
	}
	// Long polls first: a look at the metrics costs as much as hundreds of jobs, and on a
	// busy machine there would be thousands of looks.
	last := map[string]string{}
	for _, a := range all {
		last[a.Caller] = a.ID
	}
	for _, id := range last {
		for job := (client.Job{}); job.Status != "completed"; {
			if job, err = c.Job(id + "?wait=10"); err != nil {
				return err
			}
			if err := ctx.Err(); err != nil {
				return err
			}
		}
	}
	if err := client.WaitIdle(ctx, c); err != nil {
		return err
	}
	// A sample is enough to know that jobs are done: reading all of them would be
	// counted too.
	sample := all[:min(len(all), 100)]
	jobs := map[string]client.Job{}
	for _, a := range sample {
		if jobs[a.ID], err = c.Job(a.ID); err != nil {
			return err
		}
	}
	if t := verify.Jobs(sample, jobs); t.Completed != len(sample) {
		return fmt.Errorf("of %d jobs %+v", len(sample), t)
	}
	return nil
}

// consumption is what a node has used since its start.
type consumption struct {
	objects, bytes float64
	cpu            time.Duration
}

func usageOf(c *client.Client, node *harness.Process) (u consumption, err error) {
	m, err := c.Metrics()
	if err != nil {
		return u, err
	}
	u.objects, u.bytes = m["go_memstats_mallocs_total"], m["go_memstats_alloc_bytes_total"]
	u.cpu, err = node.CPU()
	return u, err
}
