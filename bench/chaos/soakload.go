package chaos

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"fairfactor/bench/internal/client"
	"fairfactor/bench/internal/random"
	"fairfactor/bench/internal/stats"
	"fairfactor/bench/internal/verify"
	"fairfactor/bench/internal/wait"
)

// Callers of a soak: some come back again and again, the others once. Checkers look at
// what was accepted; as many batches as may wait for them bound how far the load is ahead.
const (
	oldCallers   = 50
	newCallers   = 3 // of ten batches, those of a caller that is new
	soakCheckers = 4
	batchesAhead = 64
	batchTime    = 2 * time.Minute // until a batch is accepted, or has ended, in spite of faults
	honestPause  = 100 * time.Millisecond
	afterTrouble = 10 * time.Second // the honest caller's waits count again
)

// soakLoad is the load of a soak and what came of it.
type soakLoad struct {
	balancer *balancer
	seed     uint64
	size     int // of a batch, at most
	waits    *stats.Latencies
	batches  chan []verify.Accepted
	senders  sync.WaitGroup
	checkers sync.WaitGroup

	mu      sync.Mutex
	taken   int               // guarded by mu; jobs accepted
	fresh   int               // guarded by mu; new callers
	tally   verify.Tally      // guarded by mu
	ids     map[uint64]string // guarded by mu; the latest jobs by their place in the order
	order   []uint64          // guarded by mu; places in ids, the oldest first
	harmed  bool              // guarded by mu; a fault is being made
	quietAt time.Time         // guarded by mu; when the last one was over
}

// placesKept bounds how many places in the order are remembered, to find one that was
// given twice.
const placesKept = 1_000_000

func newSoakLoad(seed uint64, addrs []string, size int) *soakLoad {
	return &soakLoad{
		balancer: newBalancer(addrs, 32, longCheckTime), seed: seed, size: size, waits: stats.NewLatencies(),
		batches: make(chan []verify.Accepted, batchesAhead), ids: map[uint64]string{},
	}
}

// start lets senders submit until run ends; ctx is that of the requests.
func (l *soakLoad) start(ctx, run context.Context, senders int) {
	for i := range senders {
		rng := random.New(l.seed, uint64(i))
		l.senders.Go(func() { l.send(ctx, run, rng) })
	}
	l.senders.Go(func() { l.honest(ctx, run, random.New(l.seed, 999)) })
	for range soakCheckers {
		l.checkers.Go(func() {
			for batch := range l.batches {
				l.check(ctx, batch)
			}
		})
	}
}

// finish waits until all that was accepted is checked.
func (l *soakLoad) finish() verify.Tally {
	l.senders.Wait()
	close(l.batches)
	l.checkers.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.tally
}

func (l *soakLoad) accepted() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.taken
}

func (l *soakLoad) callers() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fresh + oldCallers + 1
}

// String says how far the load is.
func (l *soakLoad) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return fmt.Sprintf("%d accepted, %d checked, %d bad, %d new callers, p99 %v", l.taken, l.tally.Completed, l.tally.Bad(), l.fresh, l.waits.At(99).Round(time.Millisecond))
}

// trouble says that a fault begins or is over.
func (l *soakLoad) trouble(begins bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.harmed, l.quietAt = begins, time.Now().Add(afterTrouble)
}

func (l *soakLoad) quiet() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.harmed && time.Now().After(l.quietAt)
}

func (l *soakLoad) fault(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tally.Unfinished++
	l.tally.Fault(format, args...)
}

// send submits one batch after the other. Each line has a key, so a batch that had no
// whole answer is sent again.
func (l *soakLoad) send(ctx, run context.Context, rng *rand.Rand) {
	for n := 0; run.Err() == nil; n++ {
		caller := fmt.Sprintf("old-%d", rng.IntN(oldCallers))
		if rng.IntN(10) < newCallers {
			caller = fmt.Sprintf("new-%016x", rng.Uint64())
			l.mu.Lock()
			l.fresh++
			l.mu.Unlock()
		}
		batch := make([]verify.Accepted, 1+rng.IntN(l.size))
		var body strings.Builder
		for i := range batch {
			batch[i] = verify.Accepted{Caller: caller, Number: random.Uniform(rng)}
			fmt.Fprintf(&body, "{\"number\":%q,\"key\":\"%016x\"}\n", batch[i].Number, rng.Uint64())
		}
		if !l.submit(ctx, batch, body.String()) {
			return
		}
		select {
		case l.batches <- batch:
		case <-ctx.Done():
			return
		}
	}
}

// submit sends a batch until all its lines are accepted.
func (l *soakLoad) submit(ctx context.Context, batch []verify.Accepted, body string) bool {
	header := http.Header{"Content-Type": {"application/x-ndjson"}, "X-Caller-Id": {batch[0].Caller}}
	var last string
	for began := time.Now(); time.Since(began) < batchTime && ctx.Err() == nil; wait.For(ctx, againAfter) {
		attempt, stop := context.WithTimeout(ctx, attemptTime)
		status, raw, err := l.balancer.pick().send(attempt, http.MethodPost, "/compute/batch", header.Clone(), body)
		stop()
		last = fmt.Sprintf("%d %v %.200s", status, err, raw)
		lines := bytes.Split(bytes.TrimSpace(raw), []byte("\n"))
		if err != nil || status != http.StatusOK || len(lines) != len(batch) {
			continue
		}
		missing := 0
		for i, line := range lines {
			if batch[i].ID = client.RequestID(line); batch[i].ID == "" {
				missing++
				last = string(line)
			}
		}
		if missing == 0 {
			l.mu.Lock()
			l.taken += len(batch)
			l.mu.Unlock()
			return true
		}
	}
	if ctx.Err() == nil {
		l.fault("a batch of %s was not accepted: %s", batch[0].Caller, last)
	}
	return ctx.Err() == nil
}

// check waits until all jobs of a batch have ended, and looks at their results.
func (l *soakLoad) check(ctx context.Context, batch []verify.Accepted) {
	var ids strings.Builder
	for _, a := range batch {
		ids.WriteString(a.ID + "\n")
	}
	header := http.Header{"Content-Type": {"application/x-ndjson"}}
	jobs, left := map[string]client.Job{}, ids.String()
	for began := time.Now(); time.Since(began) < batchTime && ctx.Err() == nil && left != ""; wait.For(ctx, againAfter) {
		attempt, stop := context.WithTimeout(ctx, attemptTime)
		status, raw, err := l.balancer.pick().send(attempt, http.MethodPost, "/compute/get", header.Clone(), left)
		stop()
		if err != nil || status != http.StatusOK {
			continue
		}
		for line := range bytes.Lines(raw) {
			var j client.Job
			if json.Unmarshal(line, &j) == nil && j.ID != "" && j.Status != "" && j.Number != "" {
				jobs[j.ID] = j
			}
		}
		left = ""
		for _, a := range batch {
			if j, known := jobs[a.ID]; !known || !j.Ended() {
				left += a.ID + "\n"
			}
		}
	}
	if ctx.Err() != nil {
		return
	}
	t := verify.Jobs(batch, jobs)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tally.Add(t)
	for _, j := range jobs {
		l.place(j)
	}
}

// place notes the place of a job in the order. l.mu is held.
func (l *soakLoad) place(j client.Job) {
	if j.Turn == 0 {
		return
	}
	if other, taken := l.ids[j.Turn]; taken {
		l.tally.Twice++
		l.tally.Fault("jobs %s and %s have the same place %d in the order", other, j.ID, j.Turn)
	}
	l.ids[j.Turn] = j.ID
	if l.order = append(l.order, j.Turn); len(l.order) > placesKept {
		delete(l.ids, l.order[0])
		l.order = l.order[1:]
	}
}

// honest submits one small number after the other and waits for each.
func (l *soakLoad) honest(ctx, run context.Context, rng *rand.Rand) {
	header := http.Header{"Content-Type": {"application/json"}, "X-Caller-Id": {"honest"}, "Prefer": {"wait=10"}}
	for wait.For(run, honestPause) == nil {
		number, calm, began := random.Small(rng), l.quiet(), time.Now()
		attempt, stop := context.WithTimeout(ctx, attemptTime)
		status, raw, err := l.balancer.pick().send(attempt, http.MethodPost, "/compute", header.Clone(), `{"number":"`+number+`"}`)
		stop()
		if !calm || !l.quiet() || ctx.Err() != nil {
			continue
		}
		l.waits.Add(time.Since(began))
		var j client.Job
		if err == nil && status == http.StatusOK {
			err = json.Unmarshal(raw, &j)
		}
		if err != nil || status != http.StatusOK || verify.Factors(number, j.Result) != nil {
			l.fault("the honest caller's %s: %d %v %.200s", number, status, err, raw)
		}
	}
}
