package http_test

import (
	"testing"

	"fairfactor"
)

const (
	traceparent  = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	otherTrace   = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
	anotherTrace = "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what"
)

// TestTraceIsKept: a job keeps the traceparent of its submission, and of a header that is not
// as it should be nothing.
func TestTraceIsKept(t *testing.T) {
	s := start(t)
	for header, want := range map[string]any{
		traceparent:        traceparent,
		anotherTrace:       "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
		"":                 nil,
		"00-0-0-0":         nil,
		traceparent + "-x": nil,
	} {
		if a := s.post(`{"number":"91"}`, "traceparent: "+header); a.status != 202 {
			t.Fatalf("%q: %d %s", header, a.status, a.body)
		}
		id := s.newest()
		if got := s.do("GET", "/compute/"+id.String(), "").doc["traceparent"]; got != want {
			t.Errorf("%q: the job has %v, want %v", header, got, want)
		}
	}
}

// TestTracesOfABatch: lines belong to the trace of the request, or to one of their own.
func TestTracesOfABatch(t *testing.T) {
	s := start(t)
	body := `{"number":"7"}` + "\n" + `{"number":"11","traceparent":"` + otherTrace + `"}` + "\n" +
		`{"number":"13","traceparent":"` + traceparent + `x"}` + "\n" + `{"number":"17","traceparent":7}` + "\n"
	a := s.do("POST", "/compute/batch", body, "X-Caller-ID: alice", ndjson, "traceparent: "+traceparent)
	lines := linesOf(t, a.body)
	if len(lines) != 4 || lines[2].Status != 400.0 || lines[3].Status != 400.0 {
		t.Fatalf("answered %s", a.body)
	}
	for i, want := range []string{traceparent, otherTrace} {
		if got := s.do("GET", "/compute/"+lines[i].ID, "").text("traceparent"); got != want {
			t.Errorf("line %d has %v, want %v", i, got, want)
		}
	}
}

// TestClientPassesTracesOn, one by one and in a batch.
func TestClientPassesTracesOn(t *testing.T) {
	s := start(t)
	c := connect(t, s.url)
	trace, _ := fairfactor.ParseTrace([]byte(otherTrace))
	for _, subs := range [][]fairfactor.Submission{
		{{Number: "7", Trace: &trace}},
		{{Number: "11", Trace: &trace}, {Number: "13"}},
	} {
		receipts, err := c.Submit(t.Context(), "alice", subs, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := range receipts {
			job, err := c.Job(t.Context(), receipts[i].Job.ID)
			if err != nil {
				t.Fatal(err)
			}
			if (job.Trace == nil) != (subs[i].Trace == nil) || job.Trace != nil && *job.Trace != trace {
				t.Errorf("%s has the trace %v", job.Number, job.Trace)
			}
		}
	}
}
