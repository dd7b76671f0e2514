package main

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fairfactor"
	httpd "fairfactor/http"
)

// stateNames are the names of all states.
var stateNames = []string{"pending", "running", "completed", "failed", "cancelled"}

// filterFlags are the flags that select jobs.
type filterFlags struct{ caller, status, number, since, until string }

func (f *filterFlags) add(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringVar(&f.caller, "caller", "", "only this caller's jobs")
	fs.StringVar(&f.status, "status", "", "only jobs that are "+strings.Join(stateNames, ", ")+"; several with commas between them")
	fs.StringVar(&f.number, "number", "", "only jobs with this number")
	fs.StringVar(&f.since, "since", "", "only jobs submitted since then: a time like 2026-01-31T12:00:00Z, or how long ago, like 90m")
	fs.StringVar(&f.until, "until", "", "only jobs submitted before then, in the same form")
	complete(cmd, "status", stateNames)
}

// addQuarantined defines the filter of verbs that look at jobs: it is not for those that
// change many, which leave such jobs alone.
func addQuarantined(cmd *cobra.Command, to *bool) {
	cmd.Flags().BoolVar(to, "quarantined", false, "only jobs that failed because processes died with them or of their numbers")
}

// query returns what the flags say; now is the time.
func (f *filterFlags) query(now time.Time) (q fairfactor.Query, err error) {
	q.Caller = f.caller
	states, unknown, ok := fairfactor.ParseStates(f.status)
	if !ok {
		return q, fairfactor.Errorf(fairfactor.Invalid, "--status %q is not one of %s", unknown, strings.Join(stateNames, ", "))
	}
	q.States = states
	if f.number != "" {
		if q.Number, err = submittedNumber(f.number); err != nil {
			return q, err
		}
	}
	if q.Since, err = momentOf("since", f.since, now); err == nil {
		q.Until, err = momentOf("until", f.until, now)
	}
	return q, err
}

// momentOf reads a time, or how long ago it was.
func momentOf(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at.UTC(), nil
	}
	if _, err := fairfactor.ParsePosition(text); err == nil {
		return time.Time{}, fairfactor.Errorf(fairfactor.Invalid, "--%s %s is a position among the events, which fairfactor events --after takes: give a time like 2026-01-31T12:00:00Z or a duration like 90m", flag, text)
	}
	ago, err := time.ParseDuration(text)
	if err != nil || ago < 0 {
		return time.Time{}, fairfactor.Errorf(fairfactor.Invalid, "--%s %q is neither a time like 2026-01-31T12:00:00Z nor a duration like 90m", flag, text)
	}
	return now.Add(-ago).UTC(), nil
}

func newList(io streams) *cobra.Command {
	r := &remote{io: io}
	var filters filterFlags
	var limit int
	var follow, quarantined bool
	cmd := &cobra.Command{
		Use: "list", Short: "List jobs, newest first", Args: noArguments,
		Long: `list shows the newest jobs that suit all filters. With --follow the newest comes last,
and a line follows each time that a job which suits the filters is accepted, begins to
run or ends, until Ctrl-C. When the connection breaks, it goes on where it was, also at
another node behind the same URL.`,
		Example: `  fairfactor list --caller nightly --status failed,cancelled
  fairfactor list --number 2^67-1
  fairfactor list --since 90m --limit 1000 -o json
  fairfactor list --quarantined
  fairfactor list --follow --status failed`,
	}
	filters.add(cmd)
	addQuarantined(cmd, &quarantined)
	cmd.Flags().IntVar(&limit, "limit", 50, "most jobs to show; with --follow, of those that are there already: 0 shows changes only")
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on with a line for each change")
	withStatuses(cmd, statusDone, statusError, statusUsage, statusNodeAway)
	return r.command(cmd, func(ctx context.Context, jobs fairfactor.Jobs, p printer, _ []string) error {
		if limit < 1 && (!follow || limit < 0) {
			return fairfactor.Errorf(fairfactor.Invalid, "--limit %d is not 1 or more", limit)
		}
		q, err := filters.query(time.Now())
		if err != nil {
			return err
		}
		q.Quarantined = quarantined
		if follow {
			f := &follower{client: jobs.(*httpd.Client), query: q, limit: limit, p: p, io: io}
			return f.run(ctx)
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
