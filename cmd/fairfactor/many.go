package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fairfactor"
)

// operationEvery is how often the node is asked how far an operation is.
const operationEvery = 250 * time.Millisecond

func newCancel(io streams) *cobra.Command {
	cmd := &cobra.Command{
		Use: "cancel ID ... | --caller C", Short: "End unfinished jobs, or all of a caller",
		Long: `cancel ends the jobs that are named. With --caller it ends all unfinished jobs of that
caller that suit the other flags, however many; the node goes on with that also when
this command is stopped. Jobs that are submitted meanwhile are left alone.`,
		Example: `  fairfactor cancel bmx1rhz2q40000002400000004
  fairfactor cancel --caller nightly
  fairfactor cancel --caller nightly --status pending --since 2h`,
	}
	return newMany(io, cmd, "caller", fairfactor.Jobs.Cancel, fairfactor.Jobs.CancelAll)
}

func newRetry(io streams) *cobra.Command {
	cmd := &cobra.Command{
		Use: "retry ID ... | --status failed", Short: "Put failed jobs back into their queue, or all of them",
		Long: `retry puts the jobs that are named back at the end of their callers' queues. With
--status failed it does so with all failed jobs that suit the other flags, however many;
the node goes on with that also when this command is stopped.`,
		Example: `  fairfactor retry bmx1rhz2q40000002400000004
  fairfactor retry --status failed
  fairfactor retry --status failed --caller nightly --since 24h`,
	}
	return newMany(io, cmd, "status", fairfactor.Jobs.Retry, fairfactor.Jobs.RetryAll)
}

// newMany completes a command that changes the jobs that are named, or all that suit
// its flags. needs is a flag that must be among them.
func newMany(io streams, cmd *cobra.Command, needs string, one func(fairfactor.Jobs, context.Context, fairfactor.ID) (fairfactor.Job, error),
	all func(fairfactor.Jobs, context.Context, fairfactor.Query) (fairfactor.Operation, error),
) *cobra.Command {
	r := &remote{io: io}
	var filters filterFlags
	filters.add(cmd)
	onlyTyped(cmd.Flags(), "caller", "status", "number", "since", "until")
	withStatuses(cmd, statusDone, "1  error: not done for any of the jobs", statusUsage, statusSomeFailed, statusNodeAway)
	return r.command(cmd, func(ctx context.Context, jobs fairfactor.Jobs, p printer, ids []string) error {
		if err := refuseEmpty(cmd.Flags()); err != nil {
			return err
		}
		switch filtered := filters != (filterFlags{}); {
		case filtered && len(ids) > 0:
			return fairfactor.Errorf(fairfactor.Invalid, "name jobs by their ids, or by --%s and other flags, not both", needs)
		case !filtered && len(ids) == 0:
			return fairfactor.Errorf(fairfactor.Invalid, "name jobs by their ids, or by --%s", needs)
		case !filtered:
			return r.each(ids, func(id fairfactor.ID) error {
				job, err := one(jobs, ctx, id)
				if err == nil {
					p.job(job)
				}
				return err
			})
		case !cmd.Flags().Changed(needs):
			return fairfactor.Errorf(fairfactor.Invalid, "these flags need --%s: it says which jobs", needs)
		}
		q, err := filters.query(time.Now())
		if err != nil {
			return err
		}
		op, err := all(jobs, ctx, q)
		if err == nil {
			err = r.follow(ctx, jobs, &op)
		}
		if err == nil {
			p.operation(op)
		}
		return err
	})
}

// refuseEmpty refuses flags that are there without a value, as --number "$N" is where a
// script has no N: without the filter far more jobs would suit.
func refuseEmpty(fs *pflag.FlagSet) (err error) {
	fs.Visit(func(f *pflag.Flag) {
		if isOnlyTyped(f) && f.Value.String() == "" && err == nil {
			err = fairfactor.Errorf(fairfactor.Invalid, "--%s is empty: leave it out for all jobs", f.Name)
		}
	})
	return err
}

// follow shows on standard error how far an operation is until it is done.
func (r *remote) follow(ctx context.Context, jobs fairfactor.Jobs, op *fairfactor.Operation) (err error) {
	shown := ""
	for {
		if *op, err = jobs.Operation(ctx, op.ID); err != nil {
			return err
		}
		least := ""
		if op.Uncounted {
			least = "at least "
		}
		if line := fmt.Sprintf("operation %s: %d of %s%d jobs", op.ID, op.Done+op.Skipped, least, op.Matched); line != shown {
			fmt.Fprintln(r.io.err, line)
			shown = line
		}
		if !op.Finished.IsZero() {
			return nil
		}
		select {
		case <-time.After(operationEvery):
		case <-ctx.Done():
			return fairfactor.Wrap(fairfactor.Canceled, ctx.Err(), "stopped; the node goes on with operation "+op.ID)
		}
	}
}

func newPause(io streams) *cobra.Command {
	return newPaused(io, true, &cobra.Command{
		Use: "pause CALLER ...", Short: "Let the jobs of callers wait",
		Long: `pause keeps callers from getting turns: their jobs are accepted and wait, also when the
node is started again. Jobs that run stop after their turn and go on from there later.`,
		Example: `  fairfactor pause nightly`,
	})
}

func newResume(io streams) *cobra.Command {
	return newPaused(io, false, &cobra.Command{
		Use: "resume CALLER ...", Short: "Let callers that are paused go on",
		Example: `  fairfactor resume nightly`,
	})
}

func newPaused(io streams, paused bool, cmd *cobra.Command) *cobra.Command {
	r := &remote{io: io}
	cmd.Args = someArguments
	withStatuses(cmd, statusDone, "1  error: not done for any of the callers", statusUsage, statusSomeFailed, statusNodeAway)
	return r.command(cmd, func(ctx context.Context, jobs fairfactor.Jobs, p printer, args []string) error {
		all, failed := r.named(args, func(name string) (fairfactor.Caller, error) { return jobs.SetPaused(ctx, name, paused) })
		if len(all) > 0 {
			p.callers(all)
		}
		return failed
	})
}
