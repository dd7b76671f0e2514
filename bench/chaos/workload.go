package chaos

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"fairfactor/bench/internal/client"
	"fairfactor/bench/internal/random"
	"fairfactor/bench/internal/wait"
)

// outcome is what a caller knows of its submission.
type outcome string

// Outcomes of a [submission].
const (
	accepted   outcome = "accepted"   // a 202, or a 200 for a key used before
	refused    outcome = "refused"    // every attempt was answered with a refusal, or not begun
	unknown    outcome = "unknown"    // an attempt had no answer: the job may exist
	unexpected outcome = "unexpected" // an answer that no good submission should have
)

// submission is one number that a caller wants factored, and what came of it:
// the callers' log is made of these.
type submission struct {
	Caller   string    `json:"caller"`
	Number   string    `json:"number"`
	Key      string    `json:"key,omitempty"`
	Outcome  outcome   `json:"outcome"`
	ID       string    `json:"id,omitempty"`
	Began    time.Time `json:"began"`
	Ended    time.Time `json:"ended"`              // the last answer, or the end of waiting for one
	Finished time.Time `json:"finished,omitempty"` // seen completed, of those that were watched
	Attempts int       `json:"attempts"`
	Fault    string    `json:"fault,omitempty"` // the last that went wrong, in words

	Cancel cancellation `json:"cancel,omitempty"` // empty if the caller did not ask for it, or was refused
	Swept  time.Time    `json:"swept,omitzero"`   // when all jobs of the caller had been cancelled

	Deadline time.Time `json:"deadline,omitzero"`
	Held     bool      `json:"held,omitempty"`   // the caller was paused when this was submitted
	Resumed  time.Time `json:"resumed,omitzero"` // when it was first told to go on; zero if it never was
}

// workload are the callers' clients: each caller has some connections that submit
// one number after the other, and one that also waits until each is completed.
// Half of the numbers carry an idempotency key and are sent again until there is
// an answer; the others are given up once their fate is unknown. What else they do
// is in kinds.go, what operators do in operator.go, and what they see of their jobs is
// compared by sightings.
type workload struct {
	balancer  *balancer
	sightings sightings
	orders    orders
	callers   []string
	operators int
	conns     int           // of each caller, besides the one that waits
	batchSize int           // numbers in a batch
	think     time.Duration // longest pause between two submissions of a connection
	seed      uint64

	mu     sync.Mutex
	logs   []submission              // guarded by mu; those that are over, in that order
	flying map[*submission]time.Time // guarded by mu; when those that are not were begun
	work   sync.WaitGroup
	stop   context.CancelFunc
}

// How long one attempt may take, and how long a number is tried.
const (
	attemptTime  = 20 * time.Second
	longestTrial = 90 * time.Second
	againAfter   = 20 * time.Millisecond // after a refusal: a balancer asks another node at once
)

// start lets all connections submit until end is called. If ctx ends before,
// nothing more is sent and no answer is waited for.
func (s *workload) start(ctx context.Context) {
	more, stop := context.WithCancel(ctx)
	s.stop, s.flying = stop, map[*submission]time.Time{}
	for c, caller := range s.callers {
		for i := range s.conns + 1 {
			rng := random.New(s.seed, uint64(c*1000+i))
			s.work.Go(func() { s.connection(ctx, more, caller, rng, i == 0) })
		}
	}
	for i := range s.operators {
		rng := random.New(s.seed, uint64(len(s.callers)*1000+i))
		s.work.Go(func() { s.operator(ctx, more, i+1, rng) })
	}
}

// end lets each connection finish its number, and returns all submissions.
func (s *workload) end() []submission {
	s.stop()
	s.work.Wait()
	return s.since(0)
}

// count is how many submissions are over.
func (s *workload) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.logs)
}

// since returns the submissions that are over, without the first ones.
func (s *workload) since(first int) []submission {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.logs[first:])
}

// served reports whether all is well again after a moment, given how many
// submissions were over then: for each caller a number that was begun later is
// completed, and none that was begun earlier is still under way.
func (s *workload) served(at time.Time, first int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, began := range s.flying {
		if began.Before(at) {
			return false
		}
	}
	again := map[string]bool{}
	for _, l := range s.logs[first:] {
		if l.Began.After(at) && !l.Finished.IsZero() {
			again[l.Caller] = true
		}
	}
	return len(again) == len(s.callers)
}

// connection submits one number after the other until more ends; ctx is that of
// the requests.
func (s *workload) connection(ctx, more context.Context, caller string, rng *rand.Rand, watch bool) {
	var recent []string // accepted jobs, to look at again
	for more.Err() == nil {
		if id := s.one(ctx, caller, rng, watch); id != "" {
			recent = append(recent[max(0, len(recent)+1-recentJobs):], id)
		}
		if len(recent) > 0 && rng.IntN(3) == 0 {
			s.read(ctx, recent[rng.IntN(len(recent))], "")
		}
		if wait.For(more, time.Duration(rng.Int64N(int64(s.think)))) != nil {
			return
		}
	}
}

// recentJobs is how many jobs a connection remembers.
const recentJobs = 16

// one submits one number, or some at once, and notes what came of it. It returns the
// id of a job that was accepted, if it knows one.
func (s *workload) one(ctx context.Context, caller string, rng *rand.Rand, watch bool) string {
	kind := rng.IntN(10)
	if kind == 0 && !watch {
		s.batch(ctx, caller, rng)
		return ""
	}
	cancel := kind == 1 && !watch
	number := random.Uniform(rng)
	if cancel {
		number = random.Semiprime(rng, slowDigits)
	}
	l := s.begin(caller, number)
	defer s.over(l)
	if watch || kind >= 6 {
		l.Key = fmt.Sprintf("%016x", rng.Uint64())
	}
	if kind >= 8 {
		s.twice(ctx, l)
	} else {
		s.submit(ctx, l)
	}
	switch {
	case l.Outcome != accepted:
		return ""
	case cancel:
		s.cancel(ctx, l)
	case watch:
		s.watch(ctx, l)
	}
	if l.Outcome == accepted && (l.Cancel == cancelled || !l.Finished.IsZero() && kind < 3) {
		s.retry(ctx, l)
	}
	return l.ID
}

// begin notes that a number is under way.
func (s *workload) begin(caller, number string) *submission {
	l := &submission{Caller: caller, Number: number, Began: time.Now()}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flying[l] = l.Began
	return l
}

// over notes what came of it.
func (s *workload) over(l *submission) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.flying, l)
	s.logs = append(s.logs, *l)
}

// note adds a submission made outside the workload.
func (s *workload) note(l submission) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.logs = append(s.logs, l)
}

// submit tries one node after the other until the number is accepted, or nothing
// more can be known.
func (s *workload) submit(ctx context.Context, l *submission) {
	header := http.Header{"Content-Type": {"application/json"}, "X-Caller-Id": {l.Caller}}
	if l.Key != "" {
		header.Set("Idempotency-Key", l.Key)
	}
	body := `{"number":"` + l.Number + `"}`
	if !l.Deadline.IsZero() {
		body = fmt.Sprintf(`{"number":%q,"deadline":%q}`, l.Number, l.Deadline.Format(time.RFC3339Nano))
	}
	l.Outcome = refused
	for time.Since(l.Began) < longestTrial && ctx.Err() == nil {
		l.Attempts++
		attempt, cancel := context.WithTimeout(ctx, attemptTime)
		status, raw, err := s.balancer.pick().send(attempt, http.MethodPost, "/compute", header.Clone(), body)
		cancel()
		l.Ended = time.Now()
		switch {
		case err != nil && notSent(err):
			l.Fault = err.Error()
		case err != nil || status == http.StatusGatewayTimeout:
			if err == nil {
				err = fmt.Errorf("%d %.200s", status, raw)
			}
			l.Outcome, l.Fault = unknown, err.Error()
			if l.Key == "" {
				return
			}
		case status == http.StatusAccepted || status == http.StatusOK:
			l.Outcome, l.ID = accepted, client.RequestID(raw)
			if l.ID == "" {
				l.Outcome, l.Fault = unexpected, fmt.Sprintf("no id in %.200s", raw)
			}
			return
		case status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests:
			l.Fault = fmt.Sprintf("%d %.200s", status, raw)
		case status == http.StatusUnprocessableEntity && !l.Deadline.IsZero() && !l.Ended.Before(l.Deadline):
			l.Fault = fmt.Sprintf("%d %.200s", status, raw) // it came too late
			return
		default:
			l.Outcome, l.Fault = unexpected, fmt.Sprintf("%d %.200s", status, raw)
			return
		}
		wait.For(ctx, againAfter)
	}
}

// watch waits until the job is completed.
func (s *workload) watch(ctx context.Context, l *submission) {
	for time.Since(l.Began) < longestTrial && ctx.Err() == nil {
		status, raw, err := s.read(ctx, l.ID, "?wait=10")
		var j client.Job
		if err == nil && status == http.StatusOK && json.Unmarshal(raw, &j) == nil && j.Status == "completed" {
			l.Finished = time.Now()
			return
		}
		if err == nil && status != http.StatusOK && status != http.StatusServiceUnavailable {
			l.Outcome, l.Fault = unexpected, fmt.Sprintf("GET of %s: %d %.200s", l.ID, status, raw)
			return
		}
		wait.For(ctx, againAfter)
	}
}

// read asks some node for an accepted job and compares the answer with earlier
// ones.
func (s *workload) read(ctx context.Context, id, query string) (int, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTime)
	defer cancel()
	before := s.sightings.ended(id)
	status, raw, err := s.balancer.pick().send(ctx, http.MethodGet, "/compute/"+id+query, nil, "")
	if err == nil {
		s.sightings.see(id, before, status, raw)
	}
	return status, raw, err
}
