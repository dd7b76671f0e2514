package http_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"fairfactor"
	httpd "fairfactor/http"
	kept "fairfactor/store/memory"
)

// journal is a store whose changes the test makes, and jobs that it lets run.
type journal struct {
	*kept.Store
	t       *testing.T
	mu      sync.Mutex
	running []fairfactor.Job
	writers map[string]*writer
}

// writer is the activation of a caller.
type writer struct {
	claim fairfactor.Claim
	last  uint64
}

func newJournal(t *testing.T) *journal {
	return &journal{Store: kept.New(), t: t, writers: map[string]*writer{}}
}

func (s *journal) Stored(ctx context.Context, ids []fairfactor.ID) ([]fairfactor.Job, error) {
	return s.Jobs(ctx, ids)
}

func (s *journal) Running(context.Context) []fairfactor.Job {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]fairfactor.Job(nil), s.running...)
}

// runs lets jobs run, instead of those that ran before.
func (s *journal) runs(jobs ...fairfactor.Job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = jobs
}

// change makes changes of one caller in one group.
func (s *journal) change(caller string, op fairfactor.Op, jobs ...fairfactor.Job) {
	s.t.Helper()
	changes := make([]fairfactor.Change, len(jobs))
	for i := range jobs {
		w := s.writers[caller]
		changes[i] = fairfactor.Change{Op: op, Caller: caller, Number: w.claim.Number, Epoch: w.claim.Epoch, Job: &jobs[i]}
	}
	if errs, err := s.Apply(context.Background(), changes); err != nil || errs != nil {
		s.t.Errorf("changes: %v, %v", errs, err)
	}
}

// accept accepts n jobs of a caller.
func (s *journal) accept(caller string, n int) []fairfactor.Job {
	s.t.Helper()
	w := s.writers[caller]
	if w == nil {
		claim, err := s.ClaimCaller(context.Background(), caller, "")
		if err != nil {
			s.t.Fatal(err)
		}
		w = &writer{claim: claim}
		s.writers[caller] = w
	}
	jobs := make([]fairfactor.Job, n)
	for i := range jobs {
		w.last++
		jobs[i] = fairfactor.Job{
			ID: fairfactor.ID{Nonce: w.last * 7919, Caller: w.claim.Number, Seq: w.last}, Caller: caller, Number: fmt.Sprint(1000 + w.last), Order: w.last,
			State: fairfactor.Pending, Submitted: time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC),
		}
	}
	s.change(caller, fairfactor.Accept, jobs...)
	return jobs
}

// finish ends jobs of a caller.
func (s *journal) finish(caller string, state fairfactor.State, jobs ...fairfactor.Job) {
	s.t.Helper()
	ended := append([]fairfactor.Job(nil), jobs...)
	for i := range ended {
		ended[i].State, ended[i].Finished = state, time.Date(2024, 5, 6, 7, 8, 10, 0, time.UTC)
		if state == fairfactor.Completed {
			ended[i].Factors = []fairfactor.Factor{{Prime: ended[i].Number, Exponent: 1}}
		}
	}
	s.change(caller, fairfactor.Finish, ended...)
}

// telling is a server that tells events.
type telling struct {
	*service
	source *journal
}

// sourceJobs answers for single jobs from the source.
type sourceJobs struct {
	fairfactor.Jobs
	source *journal
}

func (j sourceJobs) Job(ctx context.Context, id fairfactor.ID) (fairfactor.Job, error) {
	for _, job := range j.source.Running(ctx) {
		if job.ID == id {
			return job, nil
		}
	}
	return j.source.Job(ctx, id)
}

func startTelling(t *testing.T, heartbeat time.Duration, queued int) *telling {
	t.Helper()
	source := newJournal(t)
	return &telling{source: source, service: startServer(t, newMemory(), func(cfg httpd.Config) *httpd.Server {
		cfg.Events, cfg.Jobs = source, sourceJobs{cfg.Jobs, source}
		return httpd.NewQuick(cfg, heartbeat, queued)
	})}
}

// event is one block of a stream.
type event struct {
	name, id, data, comment string
	closed                  bool // the end of the stream
}

// in is what an event is about in short: its name and the number of its job.
func (e event) in() string {
	_, number, _ := strings.Cut(e.data, `"number":"`)
	number, _, _ = strings.Cut(number, `"`)
	return strings.TrimSpace(e.name + " " + number)
}

// subscriber is one stream.
type subscriber struct {
	t      *testing.T
	body   io.ReadCloser
	lines  *bufio.Reader
	lastID string
}

// subscribe opens a stream.
func (s *telling) subscribe(path string, headers ...string) *subscriber {
	s.t.Helper()
	req, err := http.NewRequest("GET", s.url+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { resp.Body.Close() })
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" || resp.Header.Get("Cache-Control") != "no-store" {
		s.t.Fatalf("%s: %s %v", path, resp.Status, resp.Header)
	}
	return &subscriber{t: s.t, body: resp.Body, lines: bufio.NewReader(resp.Body)}
}

// ready waits until the stream has begun, which its first id tells.
func (c *subscriber) ready() *subscriber {
	c.t.Helper()
	for c.lastID == "" {
		if e := c.block(); e.closed || e.data != "" {
			c.t.Fatalf("the stream begins with %+v", e)
		}
	}
	return c
}

// block returns the next block.
func (c *subscriber) block() (e event) {
	for any := false; ; {
		line, err := c.lines.ReadString('\n')
		if err != nil {
			return event{closed: true}
		}
		line = strings.TrimSuffix(line, "\n")
		if line == "" && any {
			return e
		}
		any = any || line != ""
		name, value, _ := strings.Cut(line, ": ")
		switch name {
		case "event":
			e.name = value
		case "id":
			e.id, c.lastID = value, value
		case "data":
			e.data = value
		case "":
			e.comment = value
		}
	}
}

// next returns the next event with data.
func (c *subscriber) next() event {
	for {
		if e := c.block(); e.closed || e.data != "" {
			return e
		}
	}
}

// expect reads events and compares them in short.
func (c *subscriber) expect(want ...string) {
	c.t.Helper()
	for i, w := range want {
		if e := c.next(); e.in() != w || e.closed {
			c.t.Fatalf("event %d of %d is %+v, want %s", i+1, len(want), e, w)
		}
	}
}
