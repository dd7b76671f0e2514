package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/user"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"fairfactor"
	httpd "fairfactor/http"
)

// remote is what the verbs against a node have in common.
type remote struct {
	io     streams
	url    string
	output string
}

// clientCommands are the verbs against a node.
func clientCommands(io streams) []*cobra.Command {
	return []*cobra.Command{
		newSubmit(io), newGet(io), newWait(io), newList(io), newCancel(io), newRetry(io), newCallers(io), newNodes(io), newReady(io), newTop(io),
	}
}

// command completes a verb: the flags all verbs have, and the connection.
func (r *remote) command(cmd *cobra.Command, do func(ctx context.Context, jobs fairfactor.Jobs, p printer, args []string) error) *cobra.Command {
	cmd.Flags().StringVar(&r.url, "url", "http://127.0.0.1:5555", "URL of a node")
	cmd.Flags().StringVarP(&r.output, "output", "o", "table", "table or json")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if r.output != "table" && r.output != "json" {
			return fairfactor.Errorf(fairfactor.Invalid, "--output %q is not table or json", r.output)
		}
		client, err := httpd.NewClient(r.url)
		if err != nil {
			return err
		}
		p := printer{out: r.io.out, json: r.output == "json"}
		return do(cmd.Context(), client, p, args)
	}
	return withEnv(cmd)
}

func newSubmit(streams streams) *cobra.Command {
	r := &remote{io: streams}
	var caller, key string
	var wait bool
	cmd := &cobra.Command{
		Use:   "submit [N ...]",
		Short: "Submit numbers to a node",
		Long: `submit hands numbers to a node, which answers when they are on disk. Without
arguments it reads them from standard input, separated by white space.

` + expressionsHelp,
		Example: `  fairfactor submit 600851475143
  fairfactor submit '2^67-1'
  fairfactor submit --caller nightly --wait 100000000000000000050700000000000000004563
  seq 1000000 1001000 | fairfactor submit --caller batch -o json`,
	}
	cmd.Flags().StringVar(&caller, "caller", defaultCaller(), "in whose name")
	cmd.Flags().StringVar(&key, "key", "", "idempotency key, for one number")
	cmd.Flags().BoolVar(&wait, "wait", false, "wait until the jobs have ended")
	return r.command(cmd, func(ctx context.Context, jobs fairfactor.Jobs, p printer, args []string) error {
		if key != "" && len(args) != 1 {
			return fairfactor.Errorf(fairfactor.Invalid, "--key goes with exactly one number")
		}
		next := wordsOf(args)
		if len(args) == 0 {
			next = wordsIn(ctx, streams.in)
		}
		accepted, failed, err := submitAll(ctx, jobs, caller, key, next, streams)
		if err != nil {
			if len(accepted) > 0 {
				p.jobs(accepted) // they go on at the node, and nobody else has their ids
			}
			return err
		}
		if wait {
			return waitAll(ctx, jobs, p, accepted, failed, streams)
		}
		p.jobs(accepted)
		return silentIf(failed)
	})
}

// submitAll sends numbers in groups and tells of those that are refused.
func submitAll(ctx context.Context, jobs fairfactor.Jobs, caller, key string, next words, streams streams) (accepted []fairfactor.Job, failed bool, err error) {
	const groupSize = 1000
	for more := true; more; {
		var subs []fairfactor.Submission
		for len(subs) < groupSize {
			word, err := next()
			if errors.Is(err, io.EOF) {
				more = false
				break
			}
			if err != nil {
				return accepted, failed, fmt.Errorf("reading standard input: %w", err)
			}
			number, err := submittedNumber(word)
			if err != nil {
				failed = true
				fmt.Fprintf(streams.err, "fairfactor: %s\n", fairfactor.MessageOf(err))
				continue
			}
			subs = append(subs, fairfactor.Submission{Number: number, Key: key})
		}
		if len(subs) == 0 {
			break
		}
		receipts, err := jobs.Submit(ctx, caller, subs)
		if err != nil {
			return accepted, failed, err
		}
		for i, receipt := range receipts {
			if receipt.Err != nil {
				failed = true
				fmt.Fprintf(streams.err, "fairfactor: %.60s: %s\n", subs[i].Number, fairfactor.MessageOf(receipt.Err))
				continue
			}
			accepted = append(accepted, receipt.Job)
		}
	}
	return accepted, failed, nil
}

// waitAll waits for jobs in their order and prints each as it ends.
func waitAll(ctx context.Context, jobs fairfactor.Jobs, p printer, all []fairfactor.Job, failed bool, streams streams) error {
	out := bufio.NewWriter(p.out)
	defer out.Flush()
	start := time.Now()
	told := start
	for i, job := range all {
		for !job.State.Final() {
			slice, cancel := context.WithTimeout(ctx, 5*time.Second)
			now, err := jobs.Wait(slice, job.ID)
			cancel()
			if err != nil {
				return err
			}
			if job = now; ctx.Err() != nil {
				return fairfactor.Errorf(fairfactor.Canceled, "interrupted: job %s goes on at the node", job.ID)
			}
			if time.Since(told) > time.Second {
				told = time.Now()
				out.Flush()
				fmt.Fprintf(streams.err, "waiting for %v: %d of %d jobs have ended\n", time.Since(start).Round(time.Second), i, len(all))
			}
		}
		failed = failed || job.State != fairfactor.Completed
		printer{out: out, json: p.json}.ended(job)
	}
	return silentIf(failed)
}

func silentIf(failed bool) error {
	if failed {
		return errSilent
	}
	return nil
}

// defaultCaller is the user's name, if it can be a caller's.
func defaultCaller() string {
	if u, err := user.Current(); err == nil {
		if name, err := fairfactor.ParseCaller(u.Username); err == nil {
			return name
		}
	}
	return "cli"
}

func newGet(io streams) *cobra.Command {
	r := &remote{io: io}
	cmd := &cobra.Command{
		Use: "get ID ...", Short: "Show jobs as they are now", Args: cobra.MinimumNArgs(1),
		Example: `  fairfactor get bmx1rhz2q40000002400000004 -o json`,
	}
	return r.command(cmd, func(ctx context.Context, jobs fairfactor.Jobs, p printer, args []string) error {
		return each(args, func(id fairfactor.ID) error {
			job, err := jobs.Job(ctx, id)
			if err == nil {
				p.job(job)
			}
			return err
		})
	})
}

func newWait(io streams) *cobra.Command {
	r := &remote{io: io}
	cmd := &cobra.Command{
		Use: "wait ID ...", Short: "Wait until jobs have ended", Args: cobra.MinimumNArgs(1),
		Example: `  fairfactor wait $(fairfactor submit 600851475143 -o json | jq -r .request_id)`,
	}
	return r.command(cmd, func(ctx context.Context, jobs fairfactor.Jobs, p printer, args []string) error {
		var all []fairfactor.Job
		err := each(args, func(id fairfactor.ID) error {
			job, err := jobs.Job(ctx, id)
			all = append(all, job)
			return err
		})
		if err != nil {
			return err
		}
		return waitAll(ctx, jobs, p, all, false, io)
	})
}

// each runs a function for each id, up to the first error.
func each(args []string, do func(fairfactor.ID) error) error {
	for _, arg := range args {
		id, err := fairfactor.ParseID(arg)
		if err != nil {
			return err
		}
		if err := do(id); err != nil {
			return err
		}
	}
	return nil
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
	cmd.Flags().IntVar(&limit, "limit", 50, "jobs at the most")
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
		var all []fairfactor.Job
		for len(all) < limit {
			q.Limit = min(limit-len(all), fairfactor.MaxPage)
			page, err := jobs.List(ctx, q)
			if err != nil {
				return err
			}
			all = append(all, page.Jobs...)
			if page.Next == "" {
				break
			}
			q.Cursor = page.Next
		}
		p.jobs(all)
		return nil
	})
}

func newCancel(io streams) *cobra.Command {
	r := &remote{io: io}
	cmd := &cobra.Command{
		Use: "cancel ID ...", Short: "End unfinished jobs", Args: cobra.MinimumNArgs(1),
		Example: `  fairfactor cancel bmx1rhz2q40000002400000004`,
	}
	return r.command(cmd, func(ctx context.Context, jobs fairfactor.Jobs, p printer, args []string) error {
		return each(args, func(id fairfactor.ID) error {
			job, err := jobs.Cancel(ctx, id)
			if err == nil {
				p.job(job)
			}
			return err
		})
	})
}

func newRetry(io streams) *cobra.Command {
	r := &remote{io: io}
	cmd := &cobra.Command{
		Use: "retry ID ...", Short: "Put failed jobs back into their queue", Args: cobra.MinimumNArgs(1),
		Example: `  fairfactor retry bmx1rhz2q40000002400000004`,
	}
	return r.command(cmd, func(ctx context.Context, jobs fairfactor.Jobs, p printer, args []string) error {
		return each(args, func(id fairfactor.ID) error {
			job, err := jobs.Retry(ctx, id)
			if err == nil {
				p.job(job)
			}
			return err
		})
	})
}

func newCallers(io streams) *cobra.Command {
	r := &remote{io: io}
	var weight int
	cmd := &cobra.Command{
		Use: "callers [NAME ...]", Short: "Show callers and their accounts",
		Example: `  fairfactor callers
  fairfactor callers nightly --weight 2   # twice the share of others`,
	}
	cmd.Flags().IntVar(&weight, "weight", 0, "set the weight of the callers named")
	return r.command(cmd, func(ctx context.Context, jobs fairfactor.Jobs, p printer, args []string) error {
		switch set := cmd.Flags().Changed("weight"); {
		case set && len(args) == 0:
			return fairfactor.Errorf(fairfactor.Invalid, "--weight goes with the names of callers")
		case set && (weight < 1 || weight > fairfactor.MaxWeight):
			return fairfactor.Errorf(fairfactor.Invalid, "--weight %d is not between 1 and %d", weight, fairfactor.MaxWeight)
		}
		if len(args) == 0 {
			return allCallers(ctx, jobs, p)
		}
		var all []fairfactor.Caller
		for _, name := range slices.Compact(args) {
			c, err := callerOrWeigh(ctx, jobs, name, weight)
			if err != nil {
				return err
			}
			all = append(all, c)
		}
		p.callers(all)
		return nil
	})
}

func callerOrWeigh(ctx context.Context, jobs fairfactor.Jobs, name string, weight int) (fairfactor.Caller, error) {
	if weight == 0 {
		return jobs.Caller(ctx, name)
	}
	return jobs.SetWeight(ctx, name, weight)
}

func allCallers(ctx context.Context, jobs fairfactor.Jobs, p printer) error {
	all, err := everyCaller(ctx, jobs)
	if err == nil {
		p.callers(all)
	}
	return err
}

// everyCaller reads all pages of callers.
func everyCaller(ctx context.Context, jobs fairfactor.Jobs) (all []fairfactor.Caller, err error) {
	for after := ""; ; after = all[len(all)-1].Name {
		page, err := jobs.Callers(ctx, after, fairfactor.MaxPage)
		if err != nil {
			return nil, err
		}
		if all = append(all, page...); len(page) < fairfactor.MaxPage {
			return all, nil
		}
	}
}

func newNodes(io streams) *cobra.Command {
	r := &remote{io: io}
	cmd := &cobra.Command{
		Use: "nodes", Short: "Show the nodes and what their workers do", Args: cobra.NoArgs,
		Example: `  fairfactor nodes -o json`,
	}
	return r.command(cmd, func(ctx context.Context, jobs fairfactor.Jobs, p printer, _ []string) error {
		nodes, err := jobs.Nodes(ctx)
		if err == nil {
			p.nodes(nodes)
		}
		return err
	})
}
