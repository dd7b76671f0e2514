package main

import (
	"bufio"
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"fairfactor"
)

func newWait(io streams) *cobra.Command {
	r := &remote{io: io}
	var timeout time.Duration
	cmd := &cobra.Command{
		Use: "wait ID ...", Short: "Wait until jobs have ended", Args: someArguments,
		Long: `wait prints each job when it has ended, in the order of the ids. When --timeout is
over, it prints those that have ended until then; the others go on at the node.
With - it reads ids from standard input, also as submit -o json prints them.`,
		Example: `  fairfactor wait bmx1rhz2q40000002400000004
  fairfactor wait --timeout 10s bmx1rhz2q40000002400000004
  seq 1000000 1100000 | fairfactor submit -o json | fairfactor wait -`,
	}
	cmd.Flags().DurationVar(&timeout, "timeout", 0, "how long to wait; 0 is no limit")
	withStatuses(cmd, statusDone, statusError, statusUsage,
		"3  some failed: jobs failed, were cancelled, or are unknown", statusTimedOut, statusNodeAway)
	return r.command(cmd, func(ctx context.Context, jobs fairfactor.Jobs, p printer, args []string) error {
		w := &waiter{jobs: jobs, io: io, timeout: timeout}
		ids, err := jobIDs(args, io.in, w.unknown)
		if err != nil {
			return err
		}
		all := make([]fairfactor.Job, len(ids))
		for i, id := range ids {
			all[i].ID = id
		}
		return w.run(ctx, p, all)
	})
}

// Times and bounds of waiting.
const (
	tellEvery = time.Second     // between two lines on standard error
	askSlice  = 5 * time.Second // of one question; a line is written in between
	lastLooks = 2 * time.Second // for the jobs that were not waited for when the time is over
	mostAsked = 1000            // jobs that are looked at in one question
	leastAsk  = 8
)

// waitAll waits for jobs in their order and prints each as it ends. failed is what
// went wrong before, and the result unless something else does. A timeout of 0 is
// no limit.
func waitAll(ctx context.Context, jobs fairfactor.Jobs, p printer, all []fairfactor.Job, failed error, timeout time.Duration, streams streams) error {
	w := &waiter{jobs: jobs, io: streams, timeout: timeout, failed: failed}
	return w.run(ctx, p, all)
}

// waiter waits for jobs.
type waiter struct {
	jobs    fairfactor.Jobs
	io      streams
	timeout time.Duration

	all     []fairfactor.Job // without a state: not looked at yet
	ask     int              // how many jobs the next question is about
	seen    int              // those before it are as they were just now
	failed  error
	strange int       // unknown jobs
	start   time.Time // of the wait
	told    time.Time // when a line was last written on standard error
}

// unknown says that there is no such job.
func (w *waiter) unknown(text string, err error) {
	w.strange++
	fmt.Fprintf(w.io.err, "fairfactor: %.40s: %s\n", text, fairfactor.MessageOf(err))
}

func (w *waiter) run(ctx context.Context, p printer, all []fairfactor.Job) error {
	out := bufio.NewWriter(p.out)
	defer out.Flush()
	p.out = out
	limited, cancel := ctx, func() {}
	if w.timeout > 0 {
		limited, cancel = context.WithTimeout(ctx, w.timeout)
	}
	defer cancel()
	w.all, w.ask, w.start = all, mostAsked, time.Now()
	w.told = w.start
	asked := len(all) + w.strange
	for i := range all {
		job := &all[i]
		if err := w.await(limited, i, out); err != nil {
			return err
		}
		switch {
		case job.State.Final():
		case job.State == 0 && limited.Err() == nil:
			w.unknown(job.ID.String(), fairfactor.Errorf(fairfactor.NotFound, "there is no job %s", job.ID))
			continue
		case ctx.Err() != nil:
			return fairfactor.Errorf(fairfactor.Canceled, "interrupted: job %s goes on at the node", job.ID)
		default:
			return w.lookAtRest(ctx, p, all[i:])
		}
		if job.State != fairfactor.Completed {
			w.failed = &exit{status: exitSomeFailed}
		}
		p.ended(*job)
	}
	if err := someFailed(w.strange, asked); err != nil {
		return err
	}
	return w.failed
}

// await waits until a job has ended, or the time is over. A job that does not exist
// stays without a state.
func (w *waiter) await(ctx context.Context, i int, out *bufio.Writer) error {
	job := &w.all[i]
	for !job.State.Final() && ctx.Err() == nil {
		if i >= w.seen {
			if err := w.look(ctx, i); err != nil || job.State == 0 || job.State.Final() {
				return w.unless(ctx, err)
			}
		}
		if job.State == 0 {
			return nil
		}
		slice, cancel := context.WithTimeout(ctx, askSlice)
		now, err := w.jobs.Wait(slice, job.ID)
		cancel()
		if err != nil {
			return w.unless(ctx, err)
		}
		*job = now
		w.seen = min(w.seen, i+1) // what follows may have ended meanwhile
		if time.Since(w.told) > tellEvery {
			w.told = time.Now()
			out.Flush()
			fmt.Fprintf(w.io.err, "waiting for %v: %d of %d jobs have ended\n", time.Since(w.start).Round(time.Second), i, len(w.all))
		}
	}
	return nil
}

// unless returns an error unless it only says that the time is over.
func (w *waiter) unless(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// look looks at the jobs from one on: at twice as many as had ended the last time, so
// that those which wait are not looked at over and over.
func (w *waiter) look(ctx context.Context, from int) error {
	some := w.all[from:min(len(w.all), from+w.ask)]
	if err := lookAt(ctx, w.jobs, some); err != nil {
		return err
	}
	ended := 0
	for i := range some {
		if some[i].State.Final() {
			ended++
		}
	}
	w.seen = from + len(some)
	w.ask = min(max(2*ended, leastAsk), mostAsked)
	return nil
}

// lookAt brings jobs up to date that have not ended as far as is known. One that does not
// exist is left without a state.
func lookAt(ctx context.Context, jobs fairfactor.Jobs, some []fairfactor.Job) error {
	var ids []fairfactor.ID
	for i := range some {
		if !some[i].State.Final() {
			ids = append(ids, some[i].ID)
		}
	}
	got, err := jobs.Get(ctx, ids)
	if err != nil {
		return err
	}
	next := 0
	for i := range some {
		if some[i].State.Final() {
			continue
		}
		if some[i] = got[next]; some[i].State == 0 {
			some[i].ID = ids[next]
		}
		next++
	}
	return nil
}

// lookAtRest prints the jobs that have ended when the time to wait is over.
func (w *waiter) lookAtRest(ctx context.Context, p printer, rest []fairfactor.Job) error {
	ctx, cancel := context.WithTimeout(ctx, lastLooks)
	defer cancel()
	open := 0
	for len(rest) > 0 {
		some := rest[:min(len(rest), mostAsked)]
		rest = rest[len(some):]
		if ctx.Err() == nil {
			_ = lookAt(ctx, w.jobs, some) // those that were not looked at count as open
		}
		for i := range some {
			if !some[i].State.Final() {
				open++
				continue
			}
			p.ended(some[i])
		}
	}
	what := fmt.Sprintf("%d jobs go", open)
	if open == 1 {
		what = "1 job goes"
	}
	return &exit{exitTimedOut, fmt.Errorf("timed out after %v: %s on at the node", w.timeout, what)}
}
