package otlp_test

import (
	"context"
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"fairfactor"
	"fairfactor/http/otlp"
)

// collector takes spans as a collector does, and refuses as many requests as it is told to.
type collector struct {
	*httptest.Server
	mu     sync.Mutex
	refuse []int // guarded by mu; statuses
	got    chan *trace.Span
}

func newCollector(t *testing.T, refuse ...int) *collector {
	c := &collector{refuse: refuse, got: make(chan *trace.Span, 100_000)}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if len(c.refuse) > 0 {
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(c.refuse[0])
			c.refuse = c.refuse[1:]
			return
		}
		body, err := io.ReadAll(r.Body)
		var data trace.TracesData
		if err != nil || r.Method != http.MethodPost || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf" || proto.Unmarshal(body, &data) != nil {
			t.Errorf("%s %s with %v: %v", r.Method, r.URL, r.Header, err)
		}
		for _, rs := range data.ResourceSpans {
			if got := rs.Resource.Attributes[0]; got.Key != "service.name" || got.Value.GetStringValue() != "fairfactor" {
				t.Errorf("the resource has %v", rs.Resource)
			}
			for _, ss := range rs.ScopeSpans {
				for _, s := range ss.Spans {
					c.got <- s
				}
			}
		}
	}))
	t.Cleanup(c.Close)
	return c
}

// start runs an exporter; stop ends it and returns when it has.
func start(t *testing.T, endpoint string) (e *otlp.Exporter, stop func()) {
	t.Helper()
	e, err := otlp.New(otlp.Config{Endpoint: endpoint, Version: "1", Node: "n1", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { e.Run(ctx); close(done) }()
	return e, func() { cancel(); <-done }
}

var (
	traced = fairfactor.Trace{ID: [16]byte{10, 15: 11}, Parent: [8]byte{12, 7: 13}, Flags: 1}
	begun  = time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)
)

// job is one that waited a second, ran two and was durable after another three.
func job() *fairfactor.Job {
	return &fairfactor.Job{
		ID: fairfactor.ID{Nonce: 1, Caller: 2, Seq: 3}, Order: 3, Caller: "alice", Number: "91", State: fairfactor.Completed, Trace: &traced,
		Submitted: begun.Add(time.Millisecond), Started: begun.Add(time.Second), Finished: begun.Add(3 * time.Second), Turns: 7, CPU: time.Second, Attempts: 1,
	}
}

// TestSpans: each span of a job has its place in the submitter's trace.
func TestSpans(t *testing.T) {
	c := newCollector(t)
	e, stop := start(t, c.URL+"/")
	j, durable := job(), begun.Add(6*time.Second)
	e.Submitted(j, begun, begun.Add(2*time.Millisecond))
	e.Ended(j, durable)
	stop()
	if len(c.got) != 5 || e.Sent.Load() != 5 || e.Dropped.Load() != 0 {
		t.Fatalf("%d spans came, %d sent, %d dropped", len(c.got), e.Sent.Load(), e.Dropped.Load())
	}
	spans, ids := map[string]*trace.Span{}, map[string]bool{}
	for range 5 {
		s := <-c.got
		spans[s.Name] = s
		ids[hex.EncodeToString(s.SpanId)] = true
		if string(s.TraceId) != string(traced.ID[:]) || len(s.SpanId) != 8 {
			t.Errorf("%s is %x of the trace %x", s.Name, s.SpanId, s.TraceId)
		}
		if a := s.Attributes; a[0].Value.GetStringValue() != j.ID.String() || a[1].Value.GetStringValue() != "alice" {
			t.Errorf("%s has %v", s.Name, a)
		}
	}
	if len(ids) != 5 {
		t.Errorf("ids are not different: %v", ids)
	}
	if s := spans[otlp.Submit]; string(s.ParentSpanId) != string(traced.Parent[:]) || s.Kind != trace.Span_SPAN_KIND_SERVER {
		t.Errorf("the submission is %v", s)
	}
	for name, want := range map[string]struct {
		parent   string
		from, to time.Time
	}{
		otlp.Whole: {otlp.Submit, j.Submitted, durable},
		otlp.Wait:  {otlp.Whole, j.Submitted, j.Started},
		otlp.Turns: {otlp.Whole, j.Started, j.Finished},
		otlp.Store: {otlp.Whole, j.Finished, durable},
	} {
		s := spans[name]
		if string(s.ParentSpanId) != string(spans[want.parent].SpanId) {
			t.Errorf("the parent of %s is %x, that of %s %x", name, s.ParentSpanId, want.parent, spans[want.parent].SpanId)
		}
		if s.StartTimeUnixNano != uint64(want.from.UnixNano()) || s.EndTimeUnixNano != uint64(want.to.UnixNano()) {
			t.Errorf("%s lasts from %d to %d", name, s.StartTimeUnixNano, s.EndTimeUnixNano)
		}
	}
}

// TestOnlySampled: the submitter decides which jobs have spans.
func TestOnlySampled(t *testing.T) {
	c := newCollector(t)
	e, stop := start(t, c.URL)
	plain, unsampled := job(), job()
	plain.Trace = nil
	unsampled.Trace = &fairfactor.Trace{ID: traced.ID, Parent: traced.Parent}
	for _, j := range []*fairfactor.Job{plain, unsampled} {
		e.Submitted(j, begun, begun)
		e.Ended(j, begun)
	}
	stop()
	if len(c.got) > 0 {
		t.Errorf("%d spans of jobs that should have none", len(c.got))
	}
}

// TestTriedAgain: a collector that has no time gets the spans later, one that does not want them
// does not, and neither keeps the exporter from its end.
func TestTriedAgain(t *testing.T) {
	for _, refuse := range [][]int{{http.StatusServiceUnavailable}, {http.StatusTooManyRequests}, {http.StatusBadRequest}} {
		c := newCollector(t, refuse...)
		e, stop := start(t, c.URL)
		e.Ended(job(), begun)
		wanted := refuse[0] != http.StatusBadRequest
		for over := time.Now().Add(time.Minute); e.Sent.Load()+e.Dropped.Load() < 4; {
			if time.Now().After(over) {
				t.Fatalf("%v: nothing came of the spans", refuse)
			}
			time.Sleep(time.Millisecond)
		}
		stop()
		if sent := e.Sent.Load(); (sent == 4) != wanted || (len(c.got) == 4) != wanted {
			t.Errorf("after %v: %d sent, %d dropped, %d came", refuse, sent, e.Dropped.Load(), len(c.got))
		}
	}
}

// TestFullQueue: spans that find no room are dropped at once.
func TestFullQueue(t *testing.T) {
	e, err := otlp.New(otlp.Config{Endpoint: "http://127.0.0.1:1", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	for range 3000 {
		e.Ended(job(), begun)
	}
	if got := e.Dropped.Load(); got != 4*3000-8192 {
		t.Errorf("%d spans were dropped", got)
	}
}

func TestEndpoints(t *testing.T) {
	for endpoint, good := range map[string]bool{
		"http://127.0.0.1:4318": true, "https://collector.example/otlp": true, "127.0.0.1:4318": false, "": false, "grpc://x:4317": false, "http://": false, "http://x/?y": false,
	} {
		if err := otlp.CheckEndpoint(endpoint); (err == nil) != good || err != nil && !strings.Contains(err.Error(), "http://host:4318") {
			t.Errorf("%q: %v", endpoint, err)
		}
	}
}
