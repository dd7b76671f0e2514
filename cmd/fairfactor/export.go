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
		from, err := sinceOf(since, time.Now())
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

// sinceOf reads a time, or a duration before now; an empty text is the zero time.
func sinceOf(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return at, fairfactor.Errorf(fairfactor.Invalid, "--since %q is neither a time as in 2026-01-31T12:00:00Z nor a duration as in 24h", text)
	}
	return at, nil
}
