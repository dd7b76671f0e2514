package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"sync/atomic"
	"time"

	"fairfactor/bench/internal/client"
	"fairfactor/bench/internal/command"
	"fairfactor/bench/internal/harness"
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
	f.StringVar(&l.url, "url", defaultURL(), "URL of the node [FAIRFACTOR_URL]; FAIRFACTOR_KEY has its API key")
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

// maxConcurrency bounds the connections: a machine has no more open files.
const maxConcurrency = 500_000

func (l *loadFlags) check() error {
	switch {
	case l.requests < 1 || l.requests > 100_000_000:
		return fmt.Errorf("-requests %d is not between 1 and 100000000", l.requests)
	case l.clients < 1 || l.clients > 1_000_000:
		return fmt.Errorf("-clients %d is not between 1 and 1000000", l.clients)
	case l.concurrency < 1 || l.concurrency > maxConcurrency:
		return fmt.Errorf("-concurrency %d is not between 1 and %d", l.concurrency, maxConcurrency)
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
	if err := harness.RaiseFileLimit(uint64(l.concurrency + harness.SpareFiles)); err != nil {
		return err
	}
	c, err := client.New(l.url, l.concurrency)
	if err != nil {
		return err
	}
	defer c.Close()
	c.Authorise(os.Getenv("FAIRFACTOR_KEY"))
	// What hangs when the run is interrupted must not hold it up.
	defer context.AfterFunc(ctx, func() { time.AfterFunc(interruptGrace, c.Hangup) })()
	rng := random.New(l.seed, 0)
	callers, err := l.callers(c, rng)
	if err != nil {
		return fmt.Errorf("no node answers at %s (fairfactor serve starts one): %w", l.url, err)
	}
	fmt.Fprintf(out, "Seed: %d\n\n", l.seed)
	jobs := verify.NewStream(c, callers)
	work := load.Load{
		Callers: callers, Numbers: random.Many(l.requests, rng, random.Uniform), Concurrency: l.concurrency, Accepted: jobs.Add,
	}
	memory := measureMemory(c, l.concurrency)
	if l.concurrency >= manyConns {
		if err := c.Connect(ctx, min(l.concurrency, l.requests)); err != nil {
			return err
		}
	}
	s, followErr := l.submit(ctx, c, work, jobs, progress)
	memory.full(c)
	r := newLoadReport(l, s)
	r.printSubmitted(out)
	memory.print(out)

	late, cancel := context.WithTimeout(ctx, l.limit)
	defer cancel()
	fmt.Fprintln(out, "\nChecking computation results...")
	waitErr := errors.Join(followErr, watch(late, jobs, out))
	if ctx.Err() != nil {
		waitErr = fmt.Errorf("interrupted after %d of %d submissions", s.Accepted+s.Failed, l.requests)
	}
	r.addJobs(jobs)
	r.printJobs(out)
	if waitErr == nil {
		fmt.Fprintf(out, "\nReported %v after the last job ended\n", jobs.SinceLastEnd().Round(time.Millisecond))
	}
	return r.finish(l, waitErr)
}

// interruptGrace is how long requests may still be answered after an interrupt.
const interruptGrace = time.Second

// callers returns names that the node has not heard of, so that their accounts
// count this run only.
func (l *loadFlags) callers(c *client.Client, rng *rand.Rand) ([]string, error) {
	if l.clients > load.ManyNames {
		_, err := c.Get("/livez")
		return load.TaggedNames(rng, l.clients), err
	}
	return load.CallerNames(rng, l.clients, func(name string) (bool, error) {
		_, err := c.Account(name)
		if client.IsNotFound(err) {
			return false, nil
		}
		return true, err
	})
}

// submit submits all numbers; what ends meanwhile is checked as far as that has to
// be to keep up.
func (l *loadFlags) submit(ctx context.Context, c *client.Client, work load.Load, jobs *verify.Stream, progress io.Writer) (load.Result, error) {
	var sent atomic.Int64
	live := command.StartProgress(progress, func() string { return fmt.Sprintf("submitted %d of %d, %v", sent.Load(), l.requests, jobs) })
	defer live.Stop()
	done, followed := make(chan struct{}), make(chan error, 1)
	go func() { followed <- jobs.Follow(ctx, done) }()
	s := work.Submit(ctx, c, &sent)
	close(done)
	return s, <-followed
}

// Pauses between two status checks: the longer, the less there is to do.
const (
	shortestPause = 50 * time.Millisecond
	longestPause  = 400 * time.Millisecond
)

// watch checks jobs until all have ended, and prints how far it is now and then.
func watch(ctx context.Context, jobs *verify.Stream, out io.Writer) error {
	start := time.Now()
	var told time.Time
	for pause := shortestPause; ; {
		before := jobs.Left()
		if err := jobs.CatchUp(ctx); err != nil {
			return err
		}
		left := jobs.Left()
		if left == 0 || time.Since(told) >= time.Second {
			told = time.Now()
			t := jobs.Tally()
			fmt.Fprintf(out, "\nStatus Check (elapsed time: %v):\n- Completed: %d\n- Pending: %d\n- Not Found/Failed: %d\n",
				time.Since(start), t.Completed, left, t.Lost+t.Failed+t.Wrong)
		}
		if left == 0 {
			return nil
		}
		if pause = shortestPause; left == before {
			pause = longestPause
		}
		if err := wait.For(ctx, pause); err != nil {
			return err
		}
	}
}
