package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"fairfactor"
)

func newWait(io streams) *cobra.Command {
	r := &remote{io: io}
	var timeout time.Duration
	cmd := &cobra.Command{
		Use: "wait ID ...", Short: "Wait until jobs have ended", Args: cobra.MinimumNArgs(1),
		Long: `wait prints each job when it has ended, in the order of the ids. When --timeout is
over, it prints those that have ended until then; the others go on at the node.`,
		Example: `  fairfactor wait $(fairfactor submit 600851475143 -o json | jq -r .request_id)
  fairfactor wait --timeout 10s bmx1rhz2q40000002400000004`,
	}
	cmd.Flags().DurationVar(&timeout, "timeout", 0, "how long to wait; 0 is no limit")
	withStatuses(cmd, statusDone, statusError, statusUsage,
		"3  some failed: jobs failed, were cancelled, or are unknown", statusTimedOut, statusNodeAway)
	return r.command(cmd, func(ctx context.Context, jobs fairfactor.Jobs, p printer, args []string) error {
		if timeout < 0 {
			return fairfactor.Errorf(fairfactor.Invalid, "--timeout %v is negative", timeout)
		}
		var all []fairfactor.Job
		failed := r.each(args, func(id fairfactor.ID) error {
			job, err := jobs.Job(ctx, id)
			if err == nil {
				all = append(all, job)
			}
			return err
		})
		var partly *exit
		if failed != nil && (len(all) == 0 || !errors.As(failed, &partly)) {
			return failed
		}
		return waitAll(ctx, jobs, p, all, failed, timeout, io)
	})
}

// Times of waiting.
const (
	tellEvery = time.Second     // between two lines on standard error
	askSlice  = 5 * time.Second // of one question; a line is written in between
	lastLooks = 2 * time.Second // for the jobs that were not waited for when the time is over
)

// waitAll waits for jobs in their order and prints each as it ends. failed is what
// went wrong before, and the result unless something else does. A timeout of 0 is
// no limit.
func waitAll(ctx context.Context, jobs fairfactor.Jobs, p printer, all []fairfactor.Job, failed error, timeout time.Duration, streams streams) error {
	out := bufio.NewWriter(p.out)
	defer out.Flush()
	p.out = out
	limited, cancel := ctx, func() {}
	if timeout > 0 {
		limited, cancel = context.WithTimeout(ctx, timeout)
	}
	defer cancel()
	start := time.Now()
	told := start
	for i, job := range all {
		for !job.State.Final() {
			slice, cancel := context.WithTimeout(limited, askSlice)
			now, err := jobs.Wait(slice, job.ID)
			cancel()
			switch {
			case err != nil && limited.Err() == nil:
				return err
			case err == nil:
				job = now
			}
			if ctx.Err() != nil {
				return fairfactor.Errorf(fairfactor.Canceled, "interrupted: job %s goes on at the node", job.ID)
			}
			if limited.Err() != nil && !job.State.Final() {
				return lookAtRest(ctx, jobs, p, all[i:], timeout)
			}
			if time.Since(told) > tellEvery {
				told = time.Now()
				out.Flush()
				fmt.Fprintf(streams.err, "waiting for %v: %d of %d jobs have ended\n", time.Since(start).Round(time.Second), i, len(all))
			}
		}
		if job.State != fairfactor.Completed {
			failed = &exit{status: exitSomeFailed}
		}
		p.ended(job)
	}
	return failed
}

// lookAtRest prints the jobs that have ended when the time to wait is over.
func lookAtRest(ctx context.Context, jobs fairfactor.Jobs, p printer, rest []fairfactor.Job, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, lastLooks)
	defer cancel()
	open := 0
	for _, job := range rest {
		if !job.State.Final() && ctx.Err() == nil {
			if now, err := jobs.Job(ctx, job.ID); err == nil {
				job = now
			}
		}
		if !job.State.Final() {
			open++
			continue
		}
		p.ended(job)
	}
	what := fmt.Sprintf("%d jobs go", open)
	if open == 1 {
		what = "1 job goes"
	}
	return &exit{exitTimedOut, fmt.Errorf("timed out after %v: %s on at the node", timeout, what)}
}
