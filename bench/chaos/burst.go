package chaos

import (
	"context"
	"errors"
	"sync"
	"time"

	"fairfactor/bench/internal/client"
	"fairfactor/bench/internal/load"
	"fairfactor/bench/internal/random"
)

// Jobs of each caller in the burst at the end, and their digits: about a
// millisecond each.
const (
	burstJobs   = 150
	burstDigits = 30
)

// burst has all callers submit many like jobs at once, each at another node, so
// that the order of their hand-outs shows how fair it is.
func (sb *sandbox) burst(ctx context.Context) error {
	errs := make([]error, len(sb.workload.callers))
	var wg sync.WaitGroup
	for i, caller := range sb.workload.callers {
		numbers := make([]string, burstJobs)
		for n := range numbers {
			numbers[n] = random.Semiprime(sb.rng, burstDigits)
		}
		addr := sb.fleet.Nodes[i%len(sb.fleet.Nodes)].HTTP
		wg.Go(func() { errs[i] = sb.burstOf(ctx, addr, caller, numbers) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (sb *sandbox) burstOf(ctx context.Context, addr, caller string, numbers []string) error {
	c, err := client.New("http://"+addr, 1)
	if err != nil {
		return err
	}
	defer c.Close()
	began := time.Now()
	jobs, err := load.Fill(ctx, c, caller, numbers, len(numbers))
	for _, j := range jobs {
		sb.workload.note(submission{Caller: caller, Number: j.Number, Outcome: accepted, ID: j.ID, Began: began, Ended: time.Now(), Attempts: 1})
	}
	for _, number := range numbers[len(jobs):] {
		sb.workload.note(submission{Caller: caller, Number: number, Outcome: unknown, Began: began, Ended: time.Now(), Attempts: 1})
	}
	return err
}
