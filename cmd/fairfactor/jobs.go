package main

import (
	"context"

	"github.com/spf13/cobra"

	"fairfactor"
)

func newGet(io streams) *cobra.Command {
	return forEachJob(io, &cobra.Command{
		Use: "get ID ...", Short: "Show jobs as they are now", Args: someArguments,
		Example: `  fairfactor get bmx1rhz2q40000002400000004 -o json`,
	}, fairfactor.Jobs.Job)
}

// forEachJob completes a verb that does one thing with each job and shows it.
func forEachJob(io streams, cmd *cobra.Command, do func(fairfactor.Jobs, context.Context, fairfactor.ID) (fairfactor.Job, error)) *cobra.Command {
	r := &remote{io: io}
	withStatuses(cmd, statusDone, "1  error: not done for any of the jobs", statusUsage, statusSomeFailed, statusNodeAway)
	return r.command(cmd, func(ctx context.Context, jobs fairfactor.Jobs, p printer, args []string) error {
		return r.each(args, func(id fairfactor.ID) error {
			job, err := do(jobs, ctx, id)
			if err == nil {
				p.job(job)
			}
			return err
		})
	})
}
