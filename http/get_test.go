package http_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"fairfactor"
	httpd "fairfactor/http"
)

func (s *service) get(body string) []line {
	s.t.Helper()
	a := s.do("POST", "/compute/get", body, ndjson)
	if a.status != 200 || a.header.Get("Content-Type") != "application/x-ndjson" {
		s.t.Fatalf("get: %d %v %.300s", a.status, a.header, a.body)
	}
	return linesOf(s.t, a.body)
}

func TestGetAnswersLineByLine(t *testing.T) {
	s := start(t)
	first, second := s.submit("91"), s.submit("7")
	s.jobs.finish(first, fairfactor.Completed, sevenThirteen, "")
	missing := fairfactor.ID{Nonce: 1, Caller: 99, Seq: 1}
	body := fmt.Sprintf("%q\n{\"request_id\":%q,\"status\":\"pending\"}\r\n%s\n\n%q\n{\"id\":7}\n\"no id\"\n%s\n%q",
		first, second, first, missing, strings.Repeat("x", 64<<10+1), second)
	want := []line{
		{ID: first.String(), Status: "completed", Number: "91"},
		{ID: second.String(), Status: "pending", Number: "7"},
		{ID: first.String(), Status: "completed", Number: "91"},
		{Status: 400.0, Type: "bad-request"},
		{ID: missing.String(), Status: 404.0, Type: "not-found"},
		{Status: 400.0, Type: "bad-request"},
		{ID: "no id", Status: 404.0, Type: "not-found"},
		{Status: 413.0, Type: "too-large"},
		{ID: second.String(), Status: "pending", Number: "7"},
	}
	got := s.get(body)
	if len(got) != len(want) {
		t.Fatalf("%d lines, want %d: %+v", len(got), len(want), got)
	}
	for i, w := range want {
		g := got[i]
		if g.ID != w.ID || g.Status != w.Status || g.Number != w.Number || strings.TrimPrefix(g.Type, "urn:fairfactor:problem:") != w.Type {
			t.Errorf("line %d: %+v, want %+v", i+1, g, w)
		}
	}
	whole := s.do("GET", "/compute/"+first.String(), "").body
	if a := s.do("POST", "/compute/get", first.String(), ndjson); a.body != whole {
		t.Errorf("the job is not as GET gives it:\n%s%s", a.body, whole)
	}
}

func TestGetRefuses(t *testing.T) {
	s := start(t)
	id := s.submit("91").String()
	s.do("POST", "/compute/get", id, "Content-Type: text/plain").problem(t, "text", 415, "unsupported-media-type")
	s.do("POST", "/compute/get?caller_id=a", id, ndjson).problem(t, "a parameter", 400, "bad-request")
	if a := s.do("GET", "/compute/get", ""); a.status != 405 || a.header.Get("Allow") != "POST, OPTIONS" {
		t.Errorf("GET: %d %v", a.status, a.header)
	}
	s.jobs.fail(&fairfactor.Error{Code: fairfactor.Unavailable, Message: "the store is away", Retry: time.Second})
	for _, l := range s.get(id + "\n" + id) {
		if l.Status != 503.0 || l.Retry != 1 || l.ID != id {
			t.Errorf("a store that is away: %+v", l)
		}
	}
}

// TestGetStreams: answers come while the request is still open, so neither side
// holds all of it.
func TestGetStreams(t *testing.T) {
	s := start(t)
	id := s.submit("91").String()
	out, in := io.Pipe()
	req, err := http.NewRequest("POST", s.url+"/compute/get", out)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-ndjson")
	go func() { _, _ = io.WriteString(in, id+"\n") }()
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answers := bufio.NewReader(resp.Body)
	for range 5 {
		if text, err := answers.ReadString('\n'); err != nil || !strings.Contains(text, id) {
			t.Fatalf("an answer: %q, %v", text, err)
		}
		go func() { _, _ = io.WriteString(in, id+"\n") }()
	}
	if text, err := answers.ReadString('\n'); err != nil || !strings.Contains(text, id) {
		t.Fatalf("an answer: %q, %v", text, err)
	}
	in.Close()
	if rest, err := io.ReadAll(answers); err != nil || len(rest) > 0 {
		t.Errorf("after the end: %q, %v", rest, err)
	}
}

func TestExport(t *testing.T) {
	s := start(t)
	const jobs = 777
	var ids []string
	for i := range jobs {
		ids = append(ids, s.submit(fmt.Sprint(i+1)).String())
	}
	s.do("POST", "/compute", `{"number":"5"}`, "X-Caller-ID: bob", "Content-Type: application/json")
	all := s.do("GET", "/compute/export", "")
	if all.status != 200 || all.header.Get("Content-Type") != "application/x-ndjson" || strings.Count(all.body, "\n") != jobs+1 {
		t.Fatalf("all: %d %v, %d lines", all.status, all.header, strings.Count(all.body, "\n"))
	}
	got := linesOf(t, s.do("GET", "/compute/export?caller_id=alice", "").body)
	for i, l := range got {
		if l.ID != ids[jobs-1-i] || l.Caller != "alice" {
			t.Fatalf("line %d: %+v, want %s", i+1, l, ids[jobs-1-i])
		}
	}
	last := s.do("GET", "/compute/"+ids[jobs-10], "").text("submitted_at")
	if got := linesOf(t, s.do("GET", "/compute/export?caller_id=alice&since="+last, "").body); len(got) != 10 || got[9].ID != ids[jobs-10] {
		t.Errorf("since %s: %d lines, want 10", last, len(got))
	}
	for _, bad := range []string{"since=yesterday", "since=", "caller_id=a/b", "limit=3"} {
		if a := s.do("GET", "/compute/export?"+bad, ""); a.status != 400 {
			t.Errorf("%s: %d %s", bad, a.status, a.body)
		}
	}
}

// TestBrokenExportIsNotWhole: an export that fails on the way can't be taken for one
// that is complete.
func TestBrokenExportIsNotWhole(t *testing.T) {
	s := start(t)
	for i := range 3 {
		s.submit(fmt.Sprint(i + 1))
	}
	s.jobs.fail(&fairfactor.Error{Code: fairfactor.Unavailable, Message: "the store is away"})
	resp, err := client.Get(s.url + "/compute/export")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err == nil || !strings.Contains(string(body), "the store is away") {
		t.Errorf("%q, %v", body, err)
	}
	c, err := httpd.NewClient(s.url)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := c.Export(context.Background(), fairfactor.Query{}, &out); fairfactor.CodeOf(err) != fairfactor.Unavailable || out.Len() > 0 {
		t.Errorf("client: %q, %v", out.String(), err)
	}
}

// TestExportStopsWhenTheClientHangsUp: a client that has gone costs no more pages, and
// its place is free again.
func TestExportStopsWhenTheClientHangsUp(t *testing.T) {
	s := start(t)
	s.jobs.mu.Lock()
	s.jobs.instant = true
	s.jobs.mu.Unlock()
	for range 12 { // 9 MB of jobs, more than the sockets take
		s.batch(strings.Repeat(`{"number":"`+strings.Repeat("7", maxDigits)+`"}`+"\n", 1000))
	}
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "GET /compute/export HTTP/1.1\r\nHost: node\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(conn).ReadString('}'); err != nil {
		t.Fatal(err)
	}
	conn.Close()
	eventually(t, "the export ends", func() bool { return s.metric(`fairfactor_http_connections{state="active"}`) <= 1 })
}

func TestClientGetsMany(t *testing.T) {
	s := start(t)
	c, err := httpd.NewClient(s.url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	done, open := s.submit("91"), s.submit("7")
	s.jobs.finish(done, fairfactor.Completed, sevenThirteen, "")
	missing := fairfactor.ID{Nonce: 1, Caller: 99, Seq: 1}
	ids := []fairfactor.ID{done, missing, open}
	for len(ids) < 25_000 { // more than go in one request
		ids = append(ids, done)
	}
	jobs, err := c.Get(context.Background(), ids)
	if err != nil || len(jobs) != len(ids) || jobs[0].State != fairfactor.Completed || jobs[1].State != 0 || jobs[2].ID != open || jobs[len(jobs)-1].ID != done {
		t.Fatalf("%d jobs, %v", len(jobs), err)
	}
	s.jobs.fail(&fairfactor.Error{Code: fairfactor.Unavailable, Message: "the store is away"})
	if _, err := c.Get(context.Background(), ids[:1]); fairfactor.CodeOf(err) != fairfactor.Unavailable {
		t.Errorf("a store that is away: %v", err)
	}
}
