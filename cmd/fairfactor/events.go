package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"fairfactor"
	httpd "fairfactor/http"
)

func newEvents(io streams) *cobra.Command {
	r := &remote{io: io}
	var caller, job, after string
	cmd := &cobra.Command{
		Use: "events", Short: "Show what happens to jobs, as it happens", Args: noArguments,
		Long: `events prints a line for each thing that happens to a job: accepted, running,
progress, completed, failed, cancelled. It goes on until it is interrupted, or until
the job of --job has ended. When the connection breaks, it goes on where it was, also
at another node behind the same URL.

Each event has a position, the member id with -o json. With --after it begins behind
one.`,
		Example: `  fairfactor events
  fairfactor events --caller nightly -o json | jq -r 'select(.event == "failed") | .job.request_id'
  fairfactor events --job bmx1rhz2q40000002400000004
  fairfactor events --after 1-4711-3`,
	}
	cmd.Flags().StringVar(&caller, "caller", "", "only this caller's jobs")
	cmd.Flags().StringVar(&job, "job", "", "only the job with this id, until it has ended")
	cmd.Flags().StringVar(&after, "after", "", "position to go on from, the id of an event")
	withStatuses(cmd, "0  done: the job of --job has completed, or the command was interrupted", statusError, statusUsage,
		"3  some failed: the job of --job failed or was cancelled", statusNodeAway)
	return r.command(cmd, func(ctx context.Context, jobs fairfactor.Jobs, p printer, _ []string) error {
		w, err := watchOf(caller, job, after)
		if err != nil {
			return err
		}
		var last fairfactor.Job
		err = jobs.(*httpd.Client).Follow(ctx, w, func(t httpd.Told) error {
			if last = t.Job; t.Name == "gap" {
				fmt.Fprintf(io.err, "fairfactor: events before %s are missing: the node does not have them any more\n", t.At)
				return nil
			}
			return p.event(t)
		})
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil && last.State.Final() && last.State != fairfactor.Completed:
			return &exit{status: exitSomeFailed}
		case errors.Is(err, errGone):
			return nil
		}
		return err
	})
}

// watchOf says what the flags ask for.
func watchOf(caller, job, after string) (w httpd.Watch, err error) {
	w.Caller = caller
	if caller != "" && job != "" {
		return w, fairfactor.Errorf(fairfactor.Invalid, "--caller and --job exclude each other")
	}
	if job != "" {
		if w.Job, err = fairfactor.ParseID(job); err != nil {
			return w, err
		}
	}
	if after != "" {
		if w.After, err = fairfactor.ParsePosition(after); err != nil {
			return w, fairfactor.Errorf(fairfactor.Invalid, "--after: %s", fairfactor.MessageOf(err))
		}
	}
	return w, err
}

// errGone ends a stream whose reader has gone.
var errGone = errors.New("the output is closed")

// event writes one event, at once.
func (p printer) event(t httpd.Told) error {
	var err error
	if p.json {
		_, err = fmt.Fprintf(p.out, "{\"event\":%q,\"id\":%q,\"job\":%s}\n", t.Name, t.At, t.Data)
	} else {
		_, err = io.WriteString(p.out, eventLine(&t, p.width)+"\n")
	}
	if err != nil {
		return errGone
	}
	return nil
}

// eventLine is an event for people, cut to the width of the terminal unless that is 0.
func eventLine(t *httpd.Told, width int) string {
	what := result(&t.Job)
	if g := t.Job.Progress; g != nil && t.Job.State == fairfactor.Running {
		what = fmt.Sprintf("%s %.0f %%", g.Phase, g.Percent)
	}
	line := strings.TrimRight(fmt.Sprintf("%-9s  %s  %s  %s  %s", t.Name, t.Job.ID, t.Job.Caller, t.Job.Number, what), " ")
	if width > 0 && len(line) > width {
		line = line[:max(width-1, 0)] + "…"
	}
	return line
}
