package main

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"sync"
	"time"
)

// accepted is a job that a node said it keeps.
type accepted struct {
	id, caller, number string
	at                 time.Time // when the 202 arrived; set by the load generator only
}

// tally says what became of accepted jobs. Every job is counted once in
// Completed, Failed, Unfinished, Lost or Wrong; Twice counts beside.
type tally struct {
	Completed  int      `json:"completed"`
	Failed     int      `json:"failed"` // or cancelled
	Unfinished int      `json:"unfinished"`
	Lost       int      `json:"lost"`  // the node does not know them
	Wrong      int      `json:"wrong"` // another number, not all factors, or not primes
	Twice      int      `json:"twice"` // ids given twice, or places in the order given twice
	Examples   []string `json:"examples,omitempty"`
}

// maxExamples bounds how many faults are told in words.
const maxExamples = 5

func (t *tally) fault(format string, args ...any) {
	if len(t.Examples) < maxExamples {
		t.Examples = append(t.Examples, fmt.Sprintf(format, args...))
	}
}

// bad is how many jobs broke the promise that was made with their acceptance.
func (t *tally) bad() int { return t.Failed + t.Unfinished + t.Lost + t.Wrong + t.Twice }

// collect returns the jobs as the node has them, by id. Completed ones come in
// pages; what is not there is asked for one by one. Ids that the node does not
// know are missing from the result.
func collect(ctx context.Context, c *client, all []accepted) (map[string]job, error) {
	wanted := map[string]map[string]bool{} // caller to ids
	for _, a := range all {
		if wanted[a.caller] == nil {
			wanted[a.caller] = map[string]bool{}
		}
		wanted[a.caller][a.id] = true
	}
	jobs := make(map[string]job, len(all))
	for caller, ids := range wanted {
		if err := collectPages(ctx, c, caller, ids, jobs); err != nil {
			return jobs, err
		}
	}
	return jobs, collectRest(ctx, c, all, jobs)
}

// collectPages reads a caller's completed jobs until all ids were seen, and
// takes those out of ids.
func collectPages(ctx context.Context, c *client, caller string, ids map[string]bool, jobs map[string]job) error {
	for cursor := ""; len(ids) > 0; {
		if err := ctx.Err(); err != nil {
			return err
		}
		p, err := c.completed(caller, cursor)
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
func collectRest(ctx context.Context, c *client, all []accepted, jobs map[string]job) error {
	var mu sync.Mutex // guards jobs and errs
	var errs []error
	var wg sync.WaitGroup
	rest := make(chan string)
	for range askers {
		wg.Go(func() {
			for id := range rest {
				j, err := c.job(id)
				mu.Lock()
				if err == nil {
					jobs[id] = j
				} else if !missing(err) {
					errs = append(errs, err)
				}
				mu.Unlock()
			}
		})
	}
	for _, a := range all {
		mu.Lock()
		_, known := jobs[a.id]
		mu.Unlock()
		if !known && ctx.Err() == nil {
			rest <- a.id
		}
	}
	close(rest)
	wg.Wait()
	return errors.Join(append(errs, ctx.Err())...)
}

// verify checks every accepted job against what the node says of it. It shares
// no code with the engine.
func verify(all []accepted, jobs map[string]job) (t tally) {
	ids, places := map[string]bool{}, map[uint64]string{}
	for _, a := range all {
		if ids[a.id] {
			t.Twice++
			t.fault("id %s was given to two jobs", a.id)
			continue
		}
		ids[a.id] = true
		t.count(a, jobs)
		if j := jobs[a.id]; j.Turn != 0 {
			if other := places[j.Turn]; other != "" {
				t.Twice++
				t.fault("jobs %s and %s have the same place %d in the order", other, a.id, j.Turn)
			}
			places[j.Turn] = a.id
		}
	}
	return t
}

// count puts one job where it belongs.
func (t *tally) count(a accepted, jobs map[string]job) {
	j, known := jobs[a.id]
	switch {
	case !known:
		t.Lost++
		t.fault("job %s of %s is unknown", a.id, a.caller)
	case j.Status == "pending" || j.Status == "running":
		t.Unfinished++
		t.fault("job %s of %s is %s", a.id, a.caller, j.Status)
	case j.Status != "completed":
		t.Failed++
		t.fault("job %s of %s, number %s, is %s", a.id, a.caller, a.number, j.Status)
	case j.Number != a.number || j.Caller != a.caller:
		t.Wrong++
		t.fault("job %s of %s is said to be %s of %s, not %s", a.id, a.caller, j.Number, j.Caller, a.number)
	default:
		if err := checkFactors(j.Number, j.Result); err != nil {
			t.Wrong++
			t.fault("job %s: %v", a.id, err)
			return
		}
		t.Completed++
	}
}

// checkFactors returns an error unless the result is the factorization of the
// number: primes in canonical digits that multiply to it.
func checkFactors(number string, result map[string]int) error {
	product := big.NewInt(1)
	for prime, exponent := range result {
		p, ok := new(big.Int).SetString(prime, 10)
		if !ok || p.String() != prime || exponent < 1 || exponent > 4*len(number) {
			return fmt.Errorf("%s: %q^%d is no prime power", number, prime, exponent)
		}
		// Below 2^64 the test without random bases is exact (math/big).
		bases := 20
		if p.IsUint64() {
			bases = 0
		}
		if !p.ProbablyPrime(bases) {
			return fmt.Errorf("%s: %s is not prime", number, prime)
		}
		product.Mul(product, p.Exp(p, big.NewInt(int64(exponent)), nil))
	}
	if product.String() != number {
		return fmt.Errorf("%s: the factors multiply to %s", number, product)
	}
	return nil
}
