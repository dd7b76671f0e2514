package http_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"fairfactor"
	httpd "fairfactor/http"
)

// Each change that is not a submission has a line that says who, what, from where and
// how it ended. Nothing else has one, and no line has a secret.
func TestAuditLines(t *testing.T) {
	k := startKeyed(t)
	json := "Content-Type: application/json"
	job := k.aliceJob()
	k.as(k.operator, "PUT", "/callers/alice", `{"weight":3,"group":"physics"}`, json)
	k.as(k.operator, "PUT", "/groups/physics", `{"weight":0}`, json)
	k.as(k.operator, "POST", "/keys", `{"role":"viewer"}`, json)
	k.as(k.alices, "DELETE", "/compute/"+job, "")
	k.as(k.alices, "PUT", "/callers/alice", `{"weight":1000}`, json) // refused
	k.as("", "DELETE", "/compute/"+job, "")                          // unknown
	k.as(k.viewer, "GET", "/callers/alice", "")
	var got []string
	for line := range strings.Lines(k.log.String()) {
		if _, rest, ok := strings.Cut(line, "msg=change "); ok {
			got = append(got, strings.TrimSpace(rest))
		}
	}
	const from = " from=127.0.0.1"
	want := []string{
		fmt.Sprintf(`who=%s role=operator%s method=PUT what=/callers/alice values="group=\"physics\" weight=3" status=200`, k.operatorID, from),
		fmt.Sprintf(`who=%s role=operator%s method=PUT what=/groups/physics values="weight=0" status=422`, k.operatorID, from),
		fmt.Sprintf(`who=%s role=operator%s method=POST what=/keys values="role=\"viewer\"" status=201`, k.operatorID, from),
		fmt.Sprintf(`who=%s role=caller%s method=DELETE what=/compute/%s values="" status=200`, k.aliceID, from, job),
	}
	if !slices.Equal(got, want) {
		t.Errorf("the lines are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, secret := range []string{k.operator, k.alices, k.viewer} {
		if strings.Contains(k.log.String(), secret) || strings.Contains(k.log.String(), "ff_") {
			t.Error("the log has a key in it")
		}
	}
	if values := httpd.PlainMembers(`{"weight":2,"webhook_secret":"abc","callback_url":"http://u:p@x","on":true,"list":[1],"name":"a\nb"}`); values != `name="a\nb" on=true weight=2` {
		t.Errorf("shown of a body: %s", values)
	}
}

// Every answer has its line in the access log: a client's mistake, a long poll, an
// answer that is made while it is sent.
func TestAccessLog(t *testing.T) {
	var log lockedBuffer
	k := startKeyed(t)
	s := startServer(t, k.jobs, func(cfg httpd.Config) *httpd.Server {
		cfg.Keys, cfg.AccessLog = k.ring, &log
		return httpd.New(cfg)
	})
	auth := "Authorization: Bearer " + k.alices
	id := s.do("POST", "/compute?caller_id=alice", `{"number":"91"}`, auth, "X-Caller-ID: alice", "X-Request-Id: r1",
		"Traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").text("request_id")
	parsed, err := fairfactor.ParseID(id)
	if err != nil {
		t.Fatal(err)
	}
	polled := make(chan *answer, 1)
	go func() { polled <- s.do("GET", "/compute/"+id+"?wait=60", "", auth, "X-Request-Id: r2") }()
	eventually(t, "the poll waits", func() bool { return k.jobs.polls() > 0 })
	k.jobs.finish(parsed, fairfactor.Completed, nil, "")
	<-polled
	s.do("POST", "/compute/batch", "{\"number\":\"7\"}\n", auth, "X-Caller-ID: alice")
	s.do("GET", "/nowhere?key=ff_x", "")
	s.do("GET", "/nodes", "", "Authorization: Bearer ff_nonsense")
	type line struct {
		From   string  `json:"from"`
		Key    *string `json:"key_id"`
		Method string  `json:"method"`
		Path   string  `json:"path"`
		Status int     `json:"status"`
		Bytes  *int    `json:"bytes"`
		ID     string  `json:"request_id"`
		Trace  string  `json:"trace_id"`
		Parent string  `json:"parent_id"`
	}
	var lines []line
	eventually(t, "all answers are logged", func() bool { return strings.Count(log.String(), "\n") == 5 })
	for text := range strings.Lines(log.String()) {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		lines = append(lines, l)
	}
	for i, want := range []line{
		{Method: "POST", Path: "/compute", Status: 202, ID: "r1", Trace: "4bf92f3577b34da6a3ce929d0e0e4736", Parent: "00f067aa0ba902b7", Key: &k.aliceID},
		{Method: "GET", Path: "/compute/" + id, Status: 200, ID: "r2", Key: &k.aliceID},
		{Method: "POST", Path: "/compute/batch", Status: 200, Key: &k.aliceID},
		{Method: "GET", Path: "/nowhere", Status: http.StatusNotFound},
		{Method: "GET", Path: "/nodes", Status: http.StatusUnauthorized},
	} {
		got := lines[i]
		if got.From != "127.0.0.1" || got.Method != want.Method || got.Path != want.Path || got.Status != want.Status || got.ID != want.ID ||
			got.Trace != want.Trace || got.Parent != want.Parent ||
			(got.Key == nil) != (want.Key == nil) || got.Key != nil && *got.Key != *want.Key || (got.Bytes == nil) != (want.Path == "/compute/batch") {
			t.Errorf("line %d is %+v, want %+v", i, got, want)
		}
	}
	if strings.Contains(log.String(), "ff_") {
		t.Error("the access log has a key in it")
	}
}
