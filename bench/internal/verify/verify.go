// Package verify checks what a node says of accepted jobs: all known, completed,
// and factored correctly. It shares no code with the engine.
package verify

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"sync"
	"time"

	"fairfactor/bench/internal/client"
)

// Accepted is a job that a node said it keeps.
type Accepted struct {
	ID, Caller, Number string
	At                 time.Time // when the 202 arrived; set by the load generator only
}

// Tally says what became of accepted jobs. Every job is counted once in
// Completed, Failed, Unfinished, Lost or Wrong; Twice counts in addition.
type Tally struct {
	Completed  int      `json:"completed"`
	Failed     int      `json:"failed"` // or cancelled
	Unfinished int      `json:"unfinished"`
	Lost       int      `json:"lost"`  // the node does not know them
	Wrong      int      `json:"wrong"` // another number, not all factors, or not primes
	Twice      int      `json:"twice"` // ids given twice, or places in the order given twice
	Examples   []string `json:"examples,omitempty"`
}

// MaxExamples bounds how many faults are told in words.
const MaxExamples = 5

// Fault keeps the first few faults in words.
func (t *Tally) Fault(format string, args ...any) {
	if len(t.Examples) < MaxExamples {
		t.Examples = append(t.Examples, fmt.Sprintf(format, args...))
	}
}

// Add adds another tally's counts and faults.
func (t *Tally) Add(o Tally) {
	t.Completed += o.Completed
	t.Failed += o.Failed
	t.Unfinished += o.Unfinished
	t.Lost += o.Lost
	t.Wrong += o.Wrong
	t.Twice += o.Twice
	for _, e := range o.Examples {
		t.Fault("%s", e)
	}
}

// Bad is how many jobs broke the promise that was made with their acceptance.
func (t *Tally) Bad() int { return t.Failed + t.Unfinished + t.Lost + t.Wrong + t.Twice }

// Collect returns the jobs as the node has them, by id. Completed ones come in
// pages; what is not there is asked for one by one. Ids that the node does not
// know are missing from the result.
func Collect(ctx context.Context, c *client.Client, all []Accepted) (map[string]client.Job, error) {
	wanted := map[string]map[string]bool{} // caller to ids
	for _, a := range all {
		if wanted[a.Caller] == nil {
			wanted[a.Caller] = map[string]bool{}
		}
		wanted[a.Caller][a.ID] = true
	}
	jobs := make(map[string]client.Job, len(all))
	for caller, ids := range wanted {
		if err := collectPages(ctx, c, caller, ids, jobs); err != nil {
			return jobs, err
		}
	}
	return jobs, collectRest(ctx, c, all, jobs)
}

// collectPages reads a caller's completed jobs until all ids were seen, and
// takes those out of ids.
func collectPages(ctx context.Context, c *client.Client, caller string, ids map[string]bool, jobs map[string]client.Job) error {
	for cursor := ""; len(ids) > 0; {
		if err := ctx.Err(); err != nil {
			return err
		}
		p, err := c.Completed(caller, cursor)
		if err != nil {
			return err
		}
		for _, j := range p.Jobs {
			if ids[j.ID] {
				delete(ids, j.ID)
				jobs[j.ID] = j
			}
		}
		if cursor = p.Next; cursor == "" {
			return nil
		}
	}
	return nil
}

// askers bounds how many single jobs are asked for at once.
const askers = 8

// collectRest asks for the jobs that no page had.
func collectRest(ctx context.Context, c *client.Client, all []Accepted, jobs map[string]client.Job) error {
	var mu sync.Mutex // guards jobs and errs
	var errs []error
	var wg sync.WaitGroup
	rest := make(chan string)
	for range askers {
		wg.Go(func() {
			for id := range rest {
				j, err := c.Job(id)
				mu.Lock()
				if err == nil {
					jobs[id] = j
				} else if !client.IsNotFound(err) {
					errs = append(errs, err)
				}
				mu.Unlock()
			}
		})
	}
	for _, a := range all {
		mu.Lock()
		_, known := jobs[a.ID]
		mu.Unlock()
		if !known && ctx.Err() == nil {
			rest <- a.ID
		}
	}
	close(rest)
	wg.Wait()
	return errors.Join(append(errs, ctx.Err())...)
}

// Jobs checks every accepted job against what the node says of it. It shares
// no code with the engine.
func Jobs(all []Accepted, jobs map[string]client.Job) (t Tally) {
	ids, places := map[string]bool{}, map[uint64]string{}
	for _, a := range all {
		if ids[a.ID] {
			t.Twice++
			t.Fault("id %s was given to two jobs", a.ID)
			continue
		}
		ids[a.ID] = true
		j, known := jobs[a.ID]
		t.count(a, j, known)
		if j.Turn != 0 {
			if other := places[j.Turn]; other != "" {
				t.Twice++
				t.Fault("jobs %s and %s have the same place %d in the order", other, a.ID, j.Turn)
			}
			places[j.Turn] = a.ID
		}
	}
	return t
}

// count puts one job where it belongs.
func (t *Tally) count(a Accepted, j client.Job, known bool) {
	switch {
	case !known:
		t.Lost++
		t.Fault("job %s of %s is unknown", a.ID, a.Caller)
	case j.Status == "pending" || j.Status == "running":
		t.Unfinished++
		t.Fault("job %s of %s is %s", a.ID, a.Caller, j.Status)
	case j.Status != "completed":
		t.Failed++
		t.Fault("job %s of %s, number %s, is %s", a.ID, a.Caller, a.Number, j.Status)
	case j.Number != a.Number || j.Caller != a.Caller:
		t.Wrong++
		t.Fault("job %s of %s is said to be %s of %s, not %s", a.ID, a.Caller, j.Number, j.Caller, a.Number)
	default:
		if err := Factors(j.Number, j.Result); err != nil {
			t.Wrong++
			t.Fault("job %s: %v", a.ID, err)
			return
		}
		t.Completed++
	}
}

// Factors returns an error unless the result is the factorization of the
// number: primes in canonical digits that multiply to it.
func Factors(number string, result map[string]int) error {
	product := big.NewInt(1)
	for text, exponent := range result {
		p, ok := new(big.Int).SetString(text, 10)
		if !ok || p.String() != text || exponent < 1 || exponent > 4*len(number) {
			return fmt.Errorf("%s: %q^%d is no prime power", number, text, exponent)
		}
		prime := false
		if p.IsUint64() {
			prime = isPrime(p.Uint64())
		} else {
			prime = p.ProbablyPrime(20)
		}
		if !prime {
			return fmt.Errorf("%s: %v is not prime", number, p)
		}
		product.Mul(product, p.Exp(p, big.NewInt(int64(exponent)), nil))
	}
	if product.String() != number {
		return fmt.Errorf("%s: the factors multiply to %s", number, product)
	}
	return nil
}

// Span is from the first submission to the last end; zero times without jobs.
func Span(jobs map[string]client.Job) (first, last time.Time) {
	for _, j := range jobs {
		if first.IsZero() || j.Submitted.Before(first) {
			first = j.Submitted
		}
		if j.Finished.After(last) {
			last = j.Finished
		}
	}
	if last.Before(first) {
		last = first
	}
	return first, last
}
