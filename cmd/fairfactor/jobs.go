package main

import (
	"context"

	"github.com/spf13/cobra"

	"fairfactor"
)

func newGet(io streams) *cobra.Command {
	return forEachJob(io, &cobra.Command{
		Use: "get ID ...", Short: "Show jobs as they are now", Args: cobra.MinimumNArgs(1),
		Example: `  fairfactor get bmx1rhz2q40000002400000004 -o json`,
	}, fairfactor.Jobs.Job)
}

func newCancel(io streams) *cobra.Command {
	return forEachJob(io, &cobra.Command{
		Use: "cancel ID ...", Short: "End unfinished jobs", Args: cobra.MinimumNArgs(1),
		Example: `  fairfactor cancel bmx1rhz2q40000002400000004`,
	}, fairfactor.Jobs.Cancel)
}

func newRetry(io streams) *cobra.Command {
	return forEachJob(io, &cobra.Command{
		Use: "retry ID ...", Short: "Put failed jobs back into their queue", Args: cobra.MinimumNArgs(1),
		Example: `  fairfactor retry bmx1rhz2q40000002400000004`,
	}, fairfactor.Jobs.Retry)
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

func newList(io streams) *cobra.Command {
	r := &remote{io: io}
	var caller, status string
	var limit int
	cmd := &cobra.Command{
		Use: "list", Short: "List jobs, newest first", Args: cobra.NoArgs,
		Example: `  fairfactor list --caller nightly --status failed
  fairfactor list --limit 1000 -o json`,
	}
	cmd.Flags().StringVar(&caller, "caller", "", "only this caller's jobs")
	cmd.Flags().StringVar(&status, "status", "", "only jobs that are pending, running, completed, failed or cancelled")
	cmd.Flags().IntVar(&limit, "limit", 50, "most jobs to show")
	complete(cmd, "status", []string{"pending", "running", "completed", "failed", "cancelled"})
	withStatuses(cmd, statusDone, statusError, statusUsage, statusNodeAway)
	return r.command(cmd, func(ctx context.Context, jobs fairfactor.Jobs, p printer, _ []string) error {
		if limit < 1 {
			return fairfactor.Errorf(fairfactor.Invalid, "--limit %d is not 1 or more", limit)
		}
		q := fairfactor.Query{Caller: caller}
		if status != "" {
			state, ok := fairfactor.ParseState(status)
			if !ok {
				return fairfactor.Errorf(fairfactor.Invalid, "--status %q is not pending, running, completed, failed or cancelled", status)
			}
			q.State = state
		}
		all, err := newest(ctx, jobs, q, limit)
		if err == nil {
			p.jobs(all)
		}
		return err
	})
}

// newest reads pages until there are enough jobs, or no more.
func newest(ctx context.Context, jobs fairfactor.Jobs, q fairfactor.Query, limit int) (all []fairfactor.Job, err error) {
	for len(all) < limit {
		q.Limit = min(limit-len(all), fairfactor.MaxPage)
		page, err := jobs.List(ctx, q)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Jobs...)
		if page.Next == "" {
			break
		}
		q.Cursor = page.Next
	}
	return all, nil
}
