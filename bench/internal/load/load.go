// Package load submits numbers to a node, one by one or in batches.
package load

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"fairfactor/bench/internal/client"
	"fairfactor/bench/internal/stats"
	"fairfactor/bench/internal/verify"
	"fairfactor/bench/internal/wait"
)

// Load is a set of numbers to submit and how.
type Load struct {
	Callers     []string
	Numbers     []string
	Concurrency int
	// Accepted is called for every accepted job by many goroutines, if it is there.
	// [Result.Jobs] is empty then.
	Accepted func(verify.Accepted)
}

// Result is what came of submitting.
type Result struct {
	Jobs      []verify.Accepted
	Accepted  int
	Failed    int
	Fault     string // the first failure in words
	Repeats   int    // submissions repeated after 429 or 503
	Latencies *stats.Latencies
	Began     time.Time
	Took      time.Duration
}

// patience bounds how long one number is offered again after 429 or 503.
const patience = time.Minute

// Submit sends every number once, number i as caller i modulo their count, and
// counts them in done. It ends early when ctx ends.
func (l Load) Submit(ctx context.Context, c *client.Client, done *atomic.Int64) Result {
	s := Result{Latencies: stats.NewLatencies(), Began: time.Now()}
	var next atomic.Int64
	var mu sync.Mutex // guards s
	var wg sync.WaitGroup
	for range min(l.Concurrency, len(l.Numbers)) {
		wg.Go(func() {
			own := sender{poster: c.Poster(), latencies: s.Latencies, tell: l.Accepted}
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(l.Numbers) {
					break
				}
				own.send(ctx, l.Callers[i%len(l.Callers)], l.Numbers[i])
				done.Add(1)
			}
			mu.Lock()
			defer mu.Unlock()
			s.Jobs = append(s.Jobs, own.jobs...)
			s.Accepted += own.accepted
			s.Failed += own.failed
			s.Repeats += own.repeats
			if s.Fault == "" {
				s.Fault = own.fault
			}
		})
	}
	wg.Wait()
	s.Took = time.Since(s.Began)
	return s
}

// sender is one goroutine of a load.
type sender struct {
	poster    *client.Poster
	latencies *stats.Latencies
	tell      func(verify.Accepted)
	jobs      []verify.Accepted
	accepted  int
	failed    int
	repeats   int
	fault     string
}

// send submits one number, again after 429 and 503 as the node asks.
func (s *sender) send(ctx context.Context, caller, number string) {
	for first := time.Now(); ; {
		start := time.Now()
		r, err := s.poster.Post(caller, number)
		took := time.Since(start)
		switch {
		case err != nil:
			s.fail("%v", err)
			return
		case r.ID != "":
			s.latencies.Add(took)
			s.accepted++
			a := verify.Accepted{ID: r.ID, Caller: caller, Number: number, At: start.Add(took)}
			if s.tell != nil {
				s.tell(a)
			} else {
				s.jobs = append(s.jobs, a)
			}
			return
		case r.Status != fasthttp.StatusTooManyRequests && r.Status != fasthttp.StatusServiceUnavailable || time.Since(first) > patience:
			s.fail("number %s of %s: status %d", number, caller, r.Status)
			return
		}
		s.repeats++
		if err := wait.For(ctx, max(r.Retry, 10*time.Millisecond)); err != nil {
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
