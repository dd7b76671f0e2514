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
	"fairfactor/bench/internal/wait"
)

// Besides single numbers, callers send one key twice at once, cancel jobs, try to
// retry what has not failed, and submit batches.

// slowDigits are the digits of a number that is to be cancelled: often, but not always,
// it has not ended by then.
const slowDigits = 45

// twice submits a number with a key on two connections at the same moment: there
// must be one job.
func (s *workload) twice(ctx context.Context, l *submission) {
	other := *l
	var work sync.WaitGroup
	work.Go(func() { s.submit(ctx, &other) })
	s.submit(ctx, l)
	work.Wait()
	l.merge(&other)
}

// merge adds what came of the same number and key on another connection.
func (l *submission) merge(other *submission) {
	both := l.Outcome == accepted && other.Outcome == accepted
	worse := func(o outcome) bool { return l.Outcome == o || other.Outcome == o }
	l.Attempts += other.Attempts
	if other.Ended.After(l.Ended) {
		l.Ended = other.Ended
	}
	if l.Fault == "" {
		l.Fault = other.Fault
	}
	switch {
	case both && l.ID != other.ID:
		l.Outcome, l.Fault = unexpected, fmt.Sprintf("key %s is job %s and job %s", l.Key, l.ID, other.ID)
	case worse(unexpected):
		l.Outcome = unexpected
	case other.Outcome == accepted:
		l.Outcome, l.ID = accepted, other.ID
	case l.Outcome != accepted && worse(unknown):
		l.Outcome = unknown
	}
}

// cancellation is what a caller knows of its wish to cancel a job.
type cancellation string

// Answers to it.
const (
	cancelled cancellation = "cancelled" // 200: the job must stay cancelled
	tooLate   cancellation = "too late"  // 409 to the only attempt: the job had ended by itself
	maybe     cancellation = "maybe"     // an attempt had no answer
	swept     cancellation = "swept"     // all jobs of the caller were: this one must have ended by then
)

// cancel asks for the end of a job until there is an answer.
func (s *workload) cancel(ctx context.Context, l *submission) {
	for began := time.Now(); time.Since(began) < longestTrial && ctx.Err() == nil; wait.For(ctx, againAfter) {
		attempt, stop := context.WithTimeout(ctx, attemptTime)
		status, raw, err := s.balancer.pick().send(attempt, http.MethodDelete, "/compute/"+l.ID, nil, "")
		stop()
		switch {
		case err != nil && notSent(err):
		case err != nil || status == http.StatusGatewayTimeout:
			l.Cancel = maybe
		case status == http.StatusOK:
			l.Cancel = cancelled
			return
		case status == http.StatusConflict:
			if l.Cancel == "" {
				l.Cancel = tooLate
			}
			return
		case status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests:
		default:
			l.Outcome, l.Fault = unexpected, fmt.Sprintf("DELETE of %s: %d %.200s", l.ID, status, raw)
			return
		}
	}
}

// retry asks for another try of a job that has ended and not failed: it must be
// refused.
func (s *workload) retry(ctx context.Context, l *submission) {
	attempt, stop := context.WithTimeout(ctx, attemptTime)
	defer stop()
	status, raw, err := s.balancer.pick().send(attempt, http.MethodPost, "/compute/"+l.ID+"/retry", nil, "")
	if err == nil && status != http.StatusConflict && status != http.StatusServiceUnavailable && status != http.StatusGatewayTimeout {
		l.Outcome, l.Fault = unexpected, fmt.Sprintf("retry of %s, which has not failed: %d %.200s", l.ID, status, raw)
	}
}

// batch submits some numbers in one request. What is refused is sent again by
// itself.
func (s *workload) batch(ctx context.Context, caller string, rng *rand.Rand) {
	var all []*submission
	var body strings.Builder
	for range s.batchSize {
		l := s.begin(caller, random.Uniform(rng))
		l.Attempts, l.Outcome = 1, refused
		all = append(all, l)
		fmt.Fprintf(&body, "{\"number\":%q}\n", l.Number)
	}
	header := http.Header{"Content-Type": {"application/x-ndjson"}, "X-Caller-Id": {caller}}
	attempt, stop := context.WithTimeout(ctx, attemptTime)
	status, raw, err := s.balancer.pick().send(attempt, http.MethodPost, "/compute/batch", header, body.String())
	stop()
	answers := bytes.Split(bytes.TrimSpace(raw), []byte("\n"))
	for i, l := range all {
		l.Ended = time.Now()
		switch {
		case err != nil && notSent(err):
			l.Fault = err.Error()
		case status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests:
			l.Fault = fmt.Sprintf("%d %.200s", status, raw)
		case err == nil && status == http.StatusOK && i < len(answers):
			l.line(answers[i])
		case err != nil || status == http.StatusGatewayTimeout:
			l.Outcome, l.Fault = unknown, fmt.Sprintf("batch: %v, %d", err, status)
		default:
			l.Outcome, l.Fault = unexpected, fmt.Sprintf("batch: %d %.200s", status, raw)
		}
	}
	for _, l := range all {
		if l.Outcome == refused {
			s.submit(ctx, l)
		}
		s.over(l)
	}
}

// line notes what a batch's answer says of one number.
func (l *submission) line(raw []byte) {
	if id := client.RequestID(raw); id != "" {
		l.Outcome, l.ID = accepted, id
		return
	}
	var problem struct{ Status int }
	err := json.Unmarshal(raw, &problem)
	l.Fault = fmt.Sprintf("batch: %.200s", raw)
	switch {
	case err == nil && (problem.Status == http.StatusServiceUnavailable || problem.Status == http.StatusTooManyRequests):
	case err == nil && problem.Status == http.StatusGatewayTimeout:
		l.Outcome = unknown
	default:
		l.Outcome = unexpected
	}
}
