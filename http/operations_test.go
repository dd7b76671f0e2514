package http_test

import (
	"fmt"
	"strings"
	"testing"
)

func TestOperations(t *testing.T) {
	s := start(t)
	for range 3 {
		s.submit("7")
	}
	for _, row := range []struct{ method, path, kind string }{
		{"DELETE", "/compute", "bad-request"},
		{"DELETE", "/compute?caller_id=client-1&status=failed", "bad-request"},
		{"DELETE", "/compute?caller_id=client-1&since=yesterday", "bad-request"},
		{"POST", "/compute/retry?status=pending", "bad-request"},
		{"DELETE", "/compute?caller_id=client-1&number=x", "bad-request"},
		{"DELETE", "/compute?caller_id=alice&status=", "bad-request"},
		{"POST", "/compute/retry?caller_id=", "bad-request"},
	} {
		s.do(row.method, row.path, "").problem(t, row.method+" "+row.path, 400, row.kind)
	}
	a := s.do("DELETE", "/compute?caller_id=alice", "")
	if a.status != 202 || a.number("matched") != 3 || a.header.Get("Location") != "/operations/"+a.text("operation") {
		t.Fatalf("cancel: %d %v %s", a.status, a.header, a.body)
	}
	b := s.do("GET", a.header.Get("Location"), "")
	if b.status != 200 || b.text("status") != "done" || b.number("done") != 3 || b.text("kind") != "cancel" || b.text("caller_id") != "alice" || b.text("job_status") != "pending,running" {
		t.Errorf("operation: %d %s", b.status, b.body)
	}
	if a := s.do("POST", "/compute/retry", ""); a.status != 202 || a.number("matched") != 0 {
		t.Errorf("retry: %d %s", a.status, a.body)
	}
	s.do("GET", "/operations/nothing", "").problem(t, "a stranger", 404, "not-found")
}

func TestFilters(t *testing.T) {
	s := start(t)
	first, second := s.submit("7"), s.submit("91")
	s.do("DELETE", "/compute/"+first.String(), "")
	for path, want := range map[string]string{
		"?status=cancelled": first.String(), "?status=pending,running": second.String(), "?number=91": second.String(), "?number=0091": second.String(),
		"?number=91&status=cancelled": "", "?quarantined=true": "", "?quarantined=true&status=cancelled": "", "?until=2000-01-01T00:00:00Z": "", "?until=0001-01-01T00:00:00Z": "", "?since=2000-01-01T00:00:00.5%2B01:00&status=cancelled": first.String(),
	} {
		a := s.do("GET", "/compute"+path, "")
		if a.status != 200 || strings.Count(a.body, "request_id") != min(len(want), 1) || !strings.Contains(a.body, want) {
			t.Errorf("%s: %d %s, want %q", path, a.status, a.body, want)
		}
	}
	for _, path := range []string{"?status=bogus", "?status=failed,", "?number=", "?number=1e9", "?since=now", "?until=", "?quarantined=false", "?quarantined="} {
		s.do("GET", "/compute"+path, "").problem(t, path, 400, "bad-request")
	}
	for method, path := range map[string]string{"DELETE": "/compute?caller_id=alice&quarantined=true", "POST": "/compute/retry?quarantined=true"} {
		s.do(method, path, "").problem(t, path, 400, "bad-request") // many of them are changed by no filter
	}
}

func TestPausedCaller(t *testing.T) {
	s := start(t)
	s.submit("7")
	for _, paused := range []bool{true, false} {
		a := s.do("PUT", "/callers/alice", fmt.Sprintf(`{"paused":%v}`, paused))
		if a.status != 200 || !strings.Contains(a.body, fmt.Sprintf(`"paused":%v`, paused)) {
			t.Errorf("paused %v: %d %s", paused, a.status, a.body)
		}
	}
	s.do("PUT", "/callers/alice", `{"paused":"yes"}`).problem(t, "a string", 400, "bad-request")
}
