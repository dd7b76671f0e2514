package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"fairfactor/bench/internal/client"
	"fairfactor/bench/internal/command"
	"fairfactor/bench/internal/load"
	"fairfactor/bench/internal/random"
	"fairfactor/bench/internal/verify"
	"fairfactor/bench/internal/wait"
)

// loadFlags are the flags of the load generator.
type loadFlags struct {
	requests, clients, concurrency int
	url, json, html                string
	seed                           uint64
	limit                          time.Duration
}

func (l *loadFlags) declare(f *flag.FlagSet) {
	f.IntVar(&l.requests, "requests", 20000, "numbers to submit")
	f.IntVar(&l.clients, "clients", 10, "callers that submit them")
	f.IntVar(&l.concurrency, "concurrency", 50, "requests at once")
	f.StringVar(&l.url, "url", defaultURL(), "URL of the node [FAIRFACTOR_URL]")
	f.StringVar(&l.json, "json", "", "write a report for machines to this `file`")
	f.StringVar(&l.html, "html", "", "write a report for people to this `file`")
	f.Uint64Var(&l.seed, "seed", uint64(time.Now().UnixNano()), "seed of the random numbers")
	f.DurationVar(&l.limit, "limit", 30*time.Minute, "give up waiting for the jobs after this time")
}

func defaultURL() string {
	if u := os.Getenv("FAIRFACTOR_URL"); u != "" {
		return u
	}
	return "http://localhost:5555"
}

func (l *loadFlags) check() error {
	switch {
	case l.requests < 1 || l.requests > 100_000_000:
		return fmt.Errorf("-requests %d is not between 1 and 100000000", l.requests)
	case l.clients < 1 || l.clients > 1_000_000:
		return fmt.Errorf("-clients %d is not between 1 and 1000000", l.clients)
	case l.concurrency < 1 || l.concurrency > 20_000:
		return fmt.Errorf("-concurrency %d is not between 1 and 20000", l.concurrency)
	}
	return nil
}

// loadCommand is the load generator: it submits, waits for all jobs, verifies
// them and reports. An interrupt ends the waiting, and the report says what is
// known by then.
func loadCommand(ctx context.Context, args []string, out, progress io.Writer) int {
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	var flags loadFlags
	flags.declare(f)
	f.Usage = func() {
		fmt.Fprint(f.Output(), "bench loads a running node, waits until all jobs are done and verifies every answer.\n\nFlags:\n")
		f.PrintDefaults()
		fmt.Fprint(f.Output(), "\nComparisons, each with private nodes of its own; bench NAME -h explains:\n")
		describe(f.Output())
	}
	if code, ok := command.Parse(f, args, progress); !ok {
		return code
	}
	if err := flags.check(); err != nil {
		fmt.Fprintln(progress, "bench:", err)
		return 2
	}
	return command.Status(flags.run(ctx, out, progress), progress)
}

func (l *loadFlags) run(ctx context.Context, out, progress io.Writer) error {
	c, err := client.New(l.url, l.concurrency)
	if err != nil {
		return err
	}
	defer c.Close()
	rng := random.New(l.seed, 0)
	// Names that the node has not heard of, so that their accounts count this
	// run only.
	callers, err := load.CallerNames(rng, l.clients, func(name string) (bool, error) {
		_, err := c.Account(name)
		if client.IsNotFound(err) {
			return false, nil
		}
		return true, err
	})
	if err != nil {
		return fmt.Errorf("no node answers at %s (fairfactor serve starts one): %w", l.url, err)
	}
	fmt.Fprintf(out, "Seed: %d\n\n", l.seed)
	work := load.Load{Callers: callers, Numbers: random.Many(l.requests, rng, random.Uniform), Concurrency: l.concurrency}
	var sent atomic.Int64
	live := command.StartProgress(progress, func() string { return fmt.Sprintf("submitted %d of %d", sent.Load(), l.requests) })
	s := work.Submit(ctx, c, &sent)
	live.Stop()
	r := newLoadReport(l, s)
	r.printSubmitted(out)

	late, cancel := context.WithTimeout(ctx, l.limit)
	defer cancel()
	fmt.Fprintln(out, "\nChecking computation results...")
	waitErr := watch(late, c, callers, len(s.Jobs), out)
	// What is known is told after an interrupt too, so the collecting has a
	// time of its own.
	last, stop := context.WithTimeout(context.WithoutCancel(ctx), l.limit)
	defer stop()
	jobs, err := verify.Collect(last, c, s.Jobs)
	if err != nil {
		return err
	}
	r.addJobs(s, jobs)
	r.printJobs(out)
	if ctx.Err() != nil {
		waitErr = fmt.Errorf("interrupted after %d of %d submissions", len(s.Jobs)+s.Failed, l.requests)
	}
	return r.finish(l, waitErr)
}

// watch prints the state of the jobs now and then until all have ended. It asks
// for the callers' accounts, which costs the node next to nothing.
func watch(ctx context.Context, c *client.Client, callers []string, total int, out io.Writer) error {
	start := time.Now()
	var told time.Time
	return wait.Until(ctx, 100*time.Millisecond, func() (bool, error) {
		elapsed := time.Since(start)
		completed, pending := 0, 0
		for _, name := range callers {
			a, err := c.Account(name)
			if client.IsNotFound(err) {
				continue
			} else if err != nil {
				return false, err
			}
			completed += a.Completed
			pending += a.Queued
		}
		if pending == 0 || time.Since(told) >= time.Second {
			told = time.Now()
			fmt.Fprintf(out, "\nStatus Check (elapsed time: %v):\n- Completed: %d\n- Pending: %d\n- Not Found/Failed: %d\n",
				elapsed, completed, pending, max(0, total-completed-pending))
		}
		return pending == 0, nil
	})
}
