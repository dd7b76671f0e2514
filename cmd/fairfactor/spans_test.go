package main

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// TestSpansOfJobs: the collector of a node gets the spans of jobs whose submitters sampled
// them, alone and in a batch, at the latest when the node stops; each in its submitter's trace.
func TestSpansOfJobs(t *testing.T) {
	spans := make(chan *trace.Span, 1000)
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var data trace.TracesData
		if err := proto.Unmarshal(body, &data); err != nil || r.URL.Path != "/v1/traces" {
			t.Errorf("%s: %v", r.URL, err)
		}
		for _, rs := range data.ResourceSpans {
			for _, ss := range rs.ScopeSpans {
				for _, s := range ss.Spans {
					spans <- s
				}
			}
		}
	}))
	defer collector.Close()
	p := serve(t, t.TempDir(), "--otlp-endpoint", collector.URL)
	traces := []string{"0af7651916cd43dd8448eb211c80319c", "1bf7651916cd43dd8448eb211c80319c", "2cf7651916cd43dd8448eb211c80319c"}
	const parent = "b7ad6b7169203331"
	post := func(path, kind, body, traceparent string) {
		t.Helper()
		req, err := http.NewRequest(http.MethodPost, p.url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Caller-ID", "alice")
		req.Header.Set("Content-Type", kind)
		req.Header.Set("Prefer", "wait=60")
		if traceparent != "" {
			req.Header.Set("traceparent", traceparent)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if answer, _ := io.ReadAll(resp.Body); resp.StatusCode != 200 {
			t.Fatalf("%s: %d %s", path, resp.StatusCode, answer)
		}
	}
	post("/compute", "application/json", `{"number":"1000000016000000063"}`, "00-"+traces[0]+"-"+parent+"-01")
	post("/compute", "application/json", `{"number":"1000000016000000063"}`, "00-"+traces[1]+"-"+parent+"-00")
	post("/compute", "application/json", `{"number":"1000000016000000063"}`, "")
	post("/compute/batch", "application/x-ndjson", `{"number":"91"}`+"\n", "00-"+traces[2]+"-"+parent+"-01")
	p.until("the jobs have ended", func() bool {
		_, body := p.get("/callers/alice")
		return strings.Contains(body, `"completed":4`)
	})
	if status := p.terminate(); status != 0 {
		t.Errorf("exit status %d", status)
	}
	got := map[string]map[string]*trace.Span{}
	for len(spans) > 0 {
		s := <-spans
		of := hex.EncodeToString(s.TraceId)
		if got[of] == nil {
			got[of] = map[string]*trace.Span{}
		}
		if got[of][s.Name] != nil {
			t.Errorf("there are two spans %s of %s", s.Name, of)
		}
		got[of][s.Name] = s
	}
	if len(got) != 2 {
		t.Errorf("spans of %d traces came", len(got))
	}
	for _, of := range []string{traces[0], traces[2]} {
		all := got[of]
		if len(all) != 5 {
			t.Errorf("%s has %v", of, all)
			continue
		}
		for name, want := range map[string]string{"job": "submit", "wait": "job", "turns": "job", "store": "job"} {
			if string(all[name].ParentSpanId) != string(all[want].SpanId) {
				t.Errorf("%s: %s is no part of %s", of, name, want)
			}
		}
		s := all["submit"]
		if hex.EncodeToString(s.ParentSpanId) != parent {
			t.Errorf("the submission is a part of %x", s.ParentSpanId)
		}
		if now := uint64(time.Now().UnixNano()); s.StartTimeUnixNano > s.EndTimeUnixNano || s.EndTimeUnixNano > now {
			t.Errorf("the submission lasts from %d to %d, it is %d", s.StartTimeUnixNano, s.EndTimeUnixNano, now)
		}
	}
}

func TestSpansNeedACollector(t *testing.T) {
	if status, _, err := execute(t, "", "serve", "--data", t.TempDir(), "--otlp-endpoint", "localhost:4318"); status != exitUsage || !strings.Contains(err, "--otlp-endpoint") {
		t.Errorf("status %d, %q", status, err)
	}
}
