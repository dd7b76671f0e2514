package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"fairfactor"
	httpd "fairfactor/http"
)

// TestWhatWasFoundIsPrinted: a job that ended without its answer shows the primes
// that are known.
func TestWhatWasFoundIsPrinted(t *testing.T) {
	job := fairfactor.Job{
		ID: fairfactor.ID{Nonce: 1, Caller: 1, Seq: 1}, Caller: "a", Number: "12", State: fairfactor.Failed,
		Factors: []fairfactor.Factor{{Prime: "2", Exponent: 2}}, Reason: "the limit is used up",
	}
	for _, c := range []struct {
		json bool
		want string
	}{
		{false, "12: failed the limit is used up; found 2 2\n"},
		{true, `"result":null,"found":{"2":2},`},
	} {
		var out bytes.Buffer
		printer{out: &out, json: c.json}.ended(job)
		if !bytes.Contains(out.Bytes(), []byte(c.want)) {
			t.Errorf("json %v: %q lacks %q", c.json, out.String(), c.want)
		}
	}
}

// TestJSONIsWhatTheAPISays: the command line and the API write with the same
// functions, and say of a probable prime that it is not proven.
func TestJSONIsWhatTheAPISays(t *testing.T) {
	now := time.Now()
	id := fairfactor.ID{Nonce: 1, Caller: 1, Seq: 1}
	done := fairfactor.Job{
		ID: id, Caller: "a", Number: "10", State: fairfactor.Completed, Submitted: now, Started: now, Finished: now,
		Factors: []fairfactor.Factor{{Prime: "2", Exponent: 1}, {Prime: "5", Exponent: 1, Probable: true}},
	}
	running := fairfactor.Job{ID: id, Caller: "a", Number: "10", State: fairfactor.Running, Submitted: now, Started: now, Progress: &fairfactor.Progress{Phase: "ecm"}}
	caller := fairfactor.Caller{Name: "a", Group: "team", Weight: 2, Queued: 1, Oldest: now}
	node := fairfactor.Node{ID: "1", Name: "n", Workers: []fairfactor.Worker{{Caller: "a", Since: now}}}
	for _, c := range []struct {
		what  string
		print func(printer)
		want  string
	}{
		{"a completed job", func(p printer) { p.job(done) }, string(httpd.AppendJob(nil, &done))},
		{"a job that was waited for", func(p printer) { p.ended(done) }, `"probable":["5"]`},
		{"a running job", func(p printer) { p.job(running) }, `"progress":{"phase":"ecm"`},
		{"an accepted job", func(p printer) {
			p.jobs([]fairfactor.Job{{ID: id, Caller: "a", Number: "10", State: fairfactor.Pending}})
		}, `{"request_id":"` + id.String() + `","status":"pending","caller_id":"a","number":"10"}`},
		{"a caller", func(p printer) { p.callers([]fairfactor.Caller{caller}) }, `{"caller_id":"a","group":"team","weight":2,"paused":false,"queued":1,`},
		{"a caller's age", func(p printer) { p.callers([]fairfactor.Caller{caller}) }, `"oldest_waiting_seconds":`},
		{"a node", func(p printer) { p.nodes([]fairfactor.Node{node}) }, string(httpd.AppendNode(nil, &node))},
	} {
		var out bytes.Buffer
		c.print(printer{out: &out, json: true})
		if !strings.Contains(out.String(), c.want) || !strings.HasSuffix(out.String(), "}\n") {
			t.Errorf("%s: %q lacks %q", c.what, out.String(), c.want)
		}
	}
	for what, print := range map[string]func(printer){
		"get": func(p printer) { p.job(done) }, "list": func(p printer) { p.jobs([]fairfactor.Job{done}) }, "wait": func(p printer) { p.ended(done) },
	} {
		var out bytes.Buffer
		print(printer{out: &out})
		if !strings.Contains(out.String(), "2 5?") {
			t.Errorf("%s does not say that 5 is not proven: %q", what, out.String())
		}
	}
}
