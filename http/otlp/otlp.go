// Package otlp sends spans of jobs to a collector, by the protocol of OpenTelemetry over
// HTTP, in its binary form. Only jobs whose submitter sent a sampled traceparent have
// any; the header decides, not the node.
//
// It makes spans of what a job says of itself when it has ended, and has no state of its own
// for jobs. What waits for the collector is bounded: above that, spans are dropped and counted.
// The node's work never waits. Start reading at [Exporter].
package otlp

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"fairfactor"
)

// Config is what an exporter needs.
type Config struct {
	Endpoint string // of the collector, without /v1/traces
	Version  string // of the service
	Node     string // its id
	Logger   *slog.Logger
}

// Bounds of what is on its way. A collector that is away for longer than its requests and
// pauses take costs the spans of that time.
const (
	queueSpans  = 8192                   // that wait
	batchSpans  = 512                    // in a request
	gatherTime  = time.Second            // that the first one of a request waits for others
	attemptTime = 10 * time.Second       // as the specification of the exporter has it
	attempts    = 4                      // of a request, see [Exporter.post]
	firstPause  = 500 * time.Millisecond // between the first two; then twice as long
	lastPause   = 10 * time.Second       // also if the collector asks for more
	answerBytes = 64 << 10               // of an answer that are read
)

// Exporter gathers spans and sends them. Its methods but Run may be called by many goroutines.
type Exporter struct {
	cfg      Config
	url      string
	resource *resource.Resource
	client   *http.Client
	queue    chan *trace.Span

	Sent, Dropped atomic.Uint64 // spans
}

// New returns an exporter that sends when it runs.
func New(cfg Config) (*Exporter, error) {
	if err := CheckEndpoint(cfg.Endpoint); err != nil {
		return nil, err
	}
	return &Exporter{
		cfg: cfg, url: strings.TrimSuffix(cfg.Endpoint, "/") + "/v1/traces", client: &http.Client{Timeout: attemptTime}, queue: make(chan *trace.Span, queueSpans),
		resource: &resource.Resource{Attributes: []*common.KeyValue{
			text("service.name", "fairfactor"), text("service.version", cfg.Version), text("service.instance.id", cfg.Node),
		}},
	}, nil
}

// CheckEndpoint refuses what is not the address of a collector.
func CheckEndpoint(endpoint string) error {
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return fairfactor.Errorf(fairfactor.Invalid, "%.100q is not the address of a collector: write http://host:4318", endpoint)
	}
	return nil
}

// Submitted takes in that a submission was answered.
func (e *Exporter) Submitted(j *fairfactor.Job, begun, answered time.Time) {
	if j.Trace != nil && j.Trace.Sampled() {
		e.add(submitted(j, begun, answered))
	}
}

// Ended takes in a job whose end has become durable.
func (e *Exporter) Ended(j *fairfactor.Job, durable time.Time) {
	if j.Trace != nil && j.Trace.Sampled() {
		e.add(ended(j, durable)...)
	}
}

func (e *Exporter) add(spans ...*trace.Span) {
	for _, s := range spans {
		select {
		case e.queue <- s:
		default:
			e.Dropped.Add(1)
		}
	}
}

// Run sends until ctx ends, and then what is left, once. It is to be called once.
func (e *Exporter) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			e.rest(context.WithoutCancel(ctx))
			return
		case first := <-e.queue:
			e.send(ctx, e.gather(ctx, first), attempts)
		}
	}
}

// rest sends what waits.
func (e *Exporter) rest(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, attemptTime)
	defer cancel()
	for ctx.Err() == nil {
		var batch []*trace.Span
		for len(batch) < batchSpans && len(e.queue) > 0 {
			batch = append(batch, <-e.queue)
		}
		if len(batch) == 0 {
			return
		}
		e.send(ctx, batch, 1)
	}
	e.Dropped.Add(uint64(len(e.queue)))
}

// gather returns the first span and those that come soon after it.
func (e *Exporter) gather(ctx context.Context, first *trace.Span) []*trace.Span {
	batch := []*trace.Span{first}
	timer := time.NewTimer(gatherTime)
	defer timer.Stop()
	for len(batch) < batchSpans {
		select {
		case s := <-e.queue:
			batch = append(batch, s)
		case <-timer.C:
			return batch
		case <-ctx.Done():
			return batch
		}
	}
	return batch
}

// send makes up to so many attempts to send spans, and drops them if none works. When ctx ends
// while it waits, the last one follows at once.
func (e *Exporter) send(ctx context.Context, batch []*trace.Span, tries int) {
	// The request of the protocol has the same form as the message for files.
	body, err := proto.Marshal(&trace.TracesData{ResourceSpans: []*trace.ResourceSpans{{
		Resource: e.resource, ScopeSpans: []*trace.ScopeSpans{{Scope: &common.InstrumentationScope{Name: "fairfactor", Version: e.cfg.Version}, Spans: batch}},
	}}})
	pause := firstPause
	for again := err == nil; again; {
		tries--
		var after time.Duration
		after, again, err = e.post(context.WithoutCancel(ctx), body)
		if err == nil {
			e.Sent.Add(uint64(len(batch)))
			return
		}
		if again = again && tries > 0; again {
			timer := time.NewTimer(min(max(pause, after), lastPause))
			select {
			case <-timer.C:
			case <-ctx.Done():
				tries = min(tries, 1)
			}
			timer.Stop()
			pause *= 2
		}
	}
	e.Dropped.Add(uint64(len(batch)))
	e.cfg.Logger.Warn("spans are dropped: the collector does not take them", "spans", len(batch), "err", err)
}

// post makes one attempt. It says whether another one may work, and how long the collector
// wants it to wait.
func (e *Exporter) post(ctx context.Context, body []byte) (after time.Duration, again bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, bytes.NewReader(body))
	if err != nil {
		return 0, false, err
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	req.Header.Set("User-Agent", "fairfactor/"+e.cfg.Version)
	resp, err := e.client.Do(req)
	if err != nil {
		return 0, true, err
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, answerBytes) // so that the connection can be used again
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout: // as the protocol has it
		seconds, _ := time.ParseDuration(resp.Header.Get("Retry-After") + "s")
		return seconds, true, errors.New(statusText(resp.StatusCode))
	}
	if resp.StatusCode/100 != 2 {
		return 0, false, errors.New(statusText(resp.StatusCode))
	}
	return 0, false, nil
}
