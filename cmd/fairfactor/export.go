package main

import (
	"bufio"
	"context"
	"time"

	"github.com/spf13/cobra"

	"fairfactor"
	httpd "fairfactor/http"
)

func newExport(io streams) *cobra.Command {
	r := &remote{io: io}
	var caller, since string
	cmd := &cobra.Command{
		Use: "export", Short: "Write all jobs, one JSON object a line", Args: cobra.NoArgs,
		Long: `export writes all jobs that a node knows, or those of one caller, newest first, however many
there are. If it fails on the way, what was written is not all.`,
		Example: `  fairfactor export > jobs.ndjson
  fairfactor export --caller nightly --since 2026-01-31T00:00:00Z
  fairfactor export --since 24h`,
	}
	cmd.Flags().StringVar(&caller, "caller", "", "only this caller's jobs")
	cmd.Flags().StringVar(&since, "since", "", "only jobs submitted since then: a time as in 2026-01-31T12:00:00Z, or a duration as in 24h")
	withStatuses(cmd, statusDone, statusError, statusUsage, statusNodeAway)
	return r.command(cmd, func(ctx context.Context, jobs fairfactor.Jobs, p printer, _ []string) error {
		from, err := momentOf("since", since, time.Now())
		if err != nil {
			return err
		}
		out := bufio.NewWriter(p.out)
		if err := jobs.(*httpd.Client).Export(ctx, caller, from, out); err != nil {
			out.Flush()
			return err
		}
		return out.Flush()
	})
}
