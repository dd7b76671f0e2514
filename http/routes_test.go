package http_test

import (
	"strings"
	"testing"
)

func TestMethods(t *testing.T) {
	s := start(t)
	id := s.submit("7").String()
	allowed := map[string]string{
		"/compute": "GET, HEAD, POST, DELETE, OPTIONS", "/compute/batch": "POST, OPTIONS", "/compute/" + id: "GET, HEAD, DELETE, OPTIONS",
		"/compute/" + id + "/retry": "POST, OPTIONS", "/callers": "GET, HEAD, OPTIONS", "/callers/alice": "GET, HEAD, PUT, OPTIONS",
		"/fairness": "GET, HEAD, OPTIONS", "/nodes": "GET, HEAD, OPTIONS", "/livez": "GET, HEAD, OPTIONS", "/readyz": "GET, HEAD, OPTIONS",
		"/groups/team-a": "PUT, OPTIONS", "/favicon.ico": "GET, HEAD, OPTIONS",
		"/metrics": "GET, HEAD, OPTIONS", "/openapi.json": "GET, HEAD, OPTIONS", "/": "GET, HEAD, OPTIONS",
	}
	for path, allow := range allowed {
		a := s.do("OPTIONS", path, "")
		if a.status != 204 || a.header.Get("Allow") != allow || a.body != "" {
			t.Errorf("OPTIONS %s: %d, Allow %q, want %q", path, a.status, a.header.Get("Allow"), allow)
		}
		for _, method := range []string{"GET", "POST", "PUT", "DELETE", "PATCH", "TRACE", "BREW"} {
			if strings.Contains(allow, method) {
				continue
			}
			a := s.do(method, path, "")
			a.problem(t, method+" "+path, 405, "method-not-allowed")
			if a.header.Get("Allow") != allow {
				t.Errorf("%s %s: Allow %q, want %q", method, path, a.header.Get("Allow"), allow)
			}
		}
		if !strings.Contains(allow, "HEAD") || path == "/metrics" {
			continue // metrics change while they are read
		}
		get, head := s.do("GET", path, ""), s.do("HEAD", path, "")
		if get.status != 200 || head.status != 200 || head.body != "" || get.header.Get("Content-Type") != head.header.Get("Content-Type") ||
			(get.header.Get("Content-Length") != head.header.Get("Content-Length") && !strings.HasPrefix(path, "/callers")) { // ages change
			t.Errorf("HEAD %s: %d %v, GET: %d %v", path, head.status, head.header, get.status, get.header)
		}
	}
}

func TestUnknownPaths(t *testing.T) {
	s := start(t)
	for _, path := range []string{"/x", "/compute/", "//compute", "/compute//retry", "/Compute", "/callers/", "/callers/a/b", "/compute/a/b/c", "/..", "/./compute", "/compute/../compute", "/favicon.svg", "/events/", "/%"} {
		for _, method := range []string{"GET", "POST", "OPTIONS"} {
			a, err := s.raw(method, path)
			if err != nil {
				t.Errorf("%s %s: %v", method, path, err)
				continue
			}
			a.problem(t, method+" "+path, 404, "not-found")
		}
	}
}

func TestMediaTypes(t *testing.T) {
	s := start(t)
	for _, row := range []struct {
		path   string
		header string
		ok     bool
	}{
		{"/compute", "Content-Type: application/json", true},
		{"/compute", "Content-Type: application/json; charset=utf-8", true},
		{"/compute", "Content-Type: Application/JSON;charset=\"UTF-8\"", true},
		{"/compute", "Content-Type: application/json; profile=x", true},
		{"/compute", "X: no type at all", true},
		{"/compute", "Content-Encoding: identity", true},
		{"/compute", "Content-Type: application/json; charset=utf-16", false},
		{"/compute", "Content-Type: application/x-www-form-urlencoded", true}, // what curl -d says
		{"/compute", "Content-Type: multipart/form-data; boundary=x", false},
		{"/compute", "Content-Type: text/json", false},
		{"/compute", "Content-Type: application/jsonx", false},
		{"/compute", "Content-Type: application/x-ndjson", false},
		{"/compute", "Content-Type: nonsense", false},
		{"/compute", "Content-Encoding: gzip", false},
		{"/compute/batch", "Content-Type: application/x-ndjson", true},
		{"/compute/batch", "Content-Type: application/x-ndjson; charset=utf-8", true},
		{"/compute/batch", "Content-Type: application/jsonl", true},
		{"/compute/batch", "X: no type at all", true},
		{"/compute/batch", "Content-Type: application/x-www-form-urlencoded", true},
		{"/compute/batch", "Content-Type: application/json", false},
		{"/compute/batch", "Content-Encoding: br", false},
	} {
		a := s.do("POST", row.path, `{"number":"7"}`, "X-Caller-ID: alice", row.header)
		if !row.ok {
			a.problem(t, row.path+" "+row.header, 415, "unsupported-media-type")
		} else if a.status >= 300 {
			t.Errorf("%s %s: %d %s", row.path, row.header, a.status, a.body)
		}
	}
}

func TestRequestIDIsSentBack(t *testing.T) {
	s := start(t)
	for id, back := range map[string]string{
		"abc-123": "abc-123", strings.Repeat("x", 128): strings.Repeat("x", 128), strings.Repeat("x", 129): "", "a b": "", "é": "",
	} {
		for _, path := range []string{"/livez", "/nowhere"} {
			if a := s.do("GET", path, "", "X-Request-Id: "+id); a.header.Get("X-Request-Id") != back {
				t.Errorf("%s: %q came back as %q", path, id, a.header.Get("X-Request-Id"))
			}
		}
	}
}

func TestPageAndDocument(t *testing.T) {
	s := start(t)
	a := s.do("GET", "/", "")
	if a.status != 200 || a.header.Get("Content-Type") != "text/html; charset=utf-8" || !strings.Contains(a.header.Get("Content-Security-Policy"), "default-src 'none'") ||
		a.header.Get("X-Content-Type-Options") != "nosniff" || !strings.HasPrefix(strings.ToLower(a.body), "<!doctype html>") {
		t.Errorf("%d %v", a.status, a.header)
	}
	if a = s.do("GET", "/openapi.json", ""); a.status != 200 || a.header.Get("Content-Type") != "application/json" || a.doc == nil {
		t.Errorf("%d %v", a.status, a.header)
	}
}

func TestMetricsCountRequests(t *testing.T) {
	s := start(t)
	s.submit("7")
	s.submit("8")
	s.post(`{"number":"0"}`)
	s.do("GET", "/nowhere", "")
	s.do("BREW", "/compute", "")
	for series, want := range map[string]float64{
		`fairfactor_http_requests_total{method="POST",route="/compute",status="202"}`:             2,
		`fairfactor_http_requests_total{method="POST",route="/compute",status="422"}`:             1,
		`fairfactor_http_requests_total{method="GET",route="other",status="404"}`:                 1,
		`fairfactor_http_requests_total{method="other",route="/compute",status="405"}`:            1,
		`fairfactor_http_request_duration_seconds_count{method="POST",route="/compute"}`:          3,
		`fairfactor_http_connections_refused_total{how="refused"}`:                                0,
		`fairfactor_http_request_duration_seconds_bucket{method="POST",route="/compute",le="60"}`: 3,
	} {
		if got := s.metric(series); got != want && !strings.Contains(series, "bucket") {
			t.Errorf("%s is %v, want %v", series, got, want)
		}
	}
	a := s.do("GET", "/metrics", "", "Accept: application/openmetrics-text; version=1.0.0")
	if !strings.HasPrefix(a.header.Get("Content-Type"), "application/openmetrics-text") || !strings.HasSuffix(a.body, "# EOF\n") {
		t.Errorf("OpenMetrics: %v", a.header)
	}
}
