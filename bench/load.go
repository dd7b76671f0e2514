package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// load is a set of numbers to submit and how.
type load struct {
	callers     []string
	numbers     []string
	concurrency int
}

// submitted is what came of submitting.
type submitted struct {
	jobs      []accepted
	failed    int
	fault     string // the first failure in words
	repeats   int    // submissions repeated after 429 or 503
	latencies *latencies
	began     time.Time
	took      time.Duration
}

// patience bounds how long one number is offered again after 429 or 503.
const patience = time.Minute

// submit sends every number once, number i as caller i modulo their count, and
// counts them in done. It ends early when ctx ends.
func (l load) submit(ctx context.Context, c *client, done *atomic.Int64) submitted {
	s := submitted{latencies: newLatencies(), began: time.Now()}
	var next atomic.Int64
	var mu sync.Mutex // guards s
	var wg sync.WaitGroup
	for range min(l.concurrency, len(l.numbers)) {
		wg.Go(func() {
			own := sender{poster: c.poster(), latencies: s.latencies}
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(l.numbers) {
					break
				}
				own.send(ctx, l.callers[i%len(l.callers)], l.numbers[i])
				done.Add(1)
			}
			mu.Lock()
			defer mu.Unlock()
			s.jobs = append(s.jobs, own.jobs...)
			s.failed += own.failed
			s.repeats += own.repeats
			if s.fault == "" {
				s.fault = own.fault
			}
		})
	}
	wg.Wait()
	s.took = time.Since(s.began)
	return s
}

// sender is one goroutine of a load.
type sender struct {
	poster    *poster
	latencies *latencies
	jobs      []accepted
	failed    int
	repeats   int
	fault     string
}

// send submits one number, again after 429 and 503 as the node asks.
func (s *sender) send(ctx context.Context, caller, number string) {
	for first := time.Now(); ; {
		start := time.Now()
		r, err := s.poster.post(caller, number)
		took := time.Since(start)
		switch {
		case err != nil:
			s.fail("%v", err)
			return
		case r.id != "":
			s.latencies.add(took)
			s.jobs = append(s.jobs, accepted{id: r.id, caller: caller, number: number, at: start.Add(took)})
			return
		case r.status != fasthttp.StatusTooManyRequests && r.status != fasthttp.StatusServiceUnavailable || time.Since(first) > patience:
			s.fail("number %s of %s: status %d", number, caller, r.status)
			return
		}
		s.repeats++
		if err := pause(ctx, max(r.retry, 10*time.Millisecond)); err != nil {
			s.fail("number %s of %s was refused until the end", number, caller)
			return
		}
	}
}

func (s *sender) fail(format string, args ...any) {
	s.failed++
	if s.fault == "" {
		s.fault = fmt.Sprintf(format, args...)
	}
}

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
	if code, ok := parse(f, args, progress); !ok {
		return code
	}
	if err := flags.check(); err != nil {
		fmt.Fprintln(progress, "bench:", err)
		return 2
	}
	return status(flags.run(ctx, out, progress), progress)
}

func (l *loadFlags) run(ctx context.Context, out, progress io.Writer) error {
	c, err := newClient(l.url, l.concurrency)
	if err != nil {
		return err
	}
	defer c.close()
	rng := newRand(l.seed, 0)
	// Names that the node has not heard of, so that their accounts count this
	// run only.
	callers, err := callerNames(rng, l.clients, func(name string) (bool, error) {
		_, err := c.account(name)
		if missing(err) {
			return false, nil
		}
		return true, err
	})
	if err != nil {
		return fmt.Errorf("no node answers at %s (fairfactor serve starts one): %w", l.url, err)
	}
	fmt.Fprintf(out, "Seed: %d\n\n", l.seed)
	work := load{callers: callers, numbers: many(l.requests, rng, uniform), concurrency: l.concurrency}
	var sent atomic.Int64
	live := startProgress(progress, func() string { return fmt.Sprintf("submitted %d of %d", sent.Load(), l.requests) })
	s := work.submit(ctx, c, &sent)
	live.stop()
	r := newReport(l, s)
	r.printSubmitted(out)

	late, cancel := context.WithTimeout(ctx, l.limit)
	defer cancel()
	fmt.Fprintln(out, "\nChecking computation results...")
	waitErr := watch(late, c, callers, len(s.jobs), out)
	// What is known is told after an interrupt too, so the collecting has a
	// time of its own.
	last, stop := context.WithTimeout(context.WithoutCancel(ctx), l.limit)
	defer stop()
	jobs, err := collect(last, c, s.jobs)
	if err != nil {
		return err
	}
	r.addJobs(s, jobs)
	r.printJobs(out)
	if ctx.Err() != nil {
		waitErr = fmt.Errorf("interrupted after %d of %d submissions", len(s.jobs)+s.failed, l.requests)
	}
	return r.finish(l, waitErr)
}

// watch prints the state of the jobs now and then until all have ended. It asks
// for the callers' accounts, which costs the node next to nothing.
func watch(ctx context.Context, c *client, callers []string, total int, out io.Writer) error {
	start := time.Now()
	var told time.Time
	return until(ctx, 100*time.Millisecond, func() (bool, error) {
		elapsed := time.Since(start)
		completed, pending := 0, 0
		for _, name := range callers {
			a, err := c.account(name)
			if missing(err) {
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
