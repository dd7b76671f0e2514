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
	var filters filterFlags
	var quarantined bool
	cmd := &cobra.Command{
		Use: "export", Short: "Write all jobs, one JSON object a line", Args: noArguments,
		Long: `export writes all jobs that suit the filters, newest first, however many there are.
If it fails on the way, what was written is not all.`,
		Example: `  fairfactor export > jobs.ndjson
  fairfactor export --caller nightly --since 2026-01-31T00:00:00Z
  fairfactor export --since 24h --status failed`,
	}
	filters.add(cmd)
	addQuarantined(cmd, &quarantined)
	withStatuses(cmd, statusDone, statusError, statusUsage, statusNodeAway)
	return r.command(cmd, func(ctx context.Context, jobs fairfactor.Jobs, p printer, _ []string) error {
		q, err := filters.query(time.Now())
		if err != nil {
			return err
		}
		q.Quarantined = quarantined
		out := bufio.NewWriter(p.out)
		if err := jobs.(*httpd.Client).Export(ctx, q, out); err != nil {
			out.Flush()
			return err
		}
		return out.Flush()
	})
}
