package http_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fairfactor"
)

// TestBoundsOfACaller: each is set alone and stays until it is taken away.
func TestBoundsOfACaller(t *testing.T) {
	s := start(t)
	for _, row := range []struct{ put, want string }{
		{`{"max_rate":50}`, `"max_queue":null,"max_rate":50,"max_digits":null,"max_cpu_seconds_per_day":null}`},
		{`{"max_queue":1,"max_digits":80,"max_cpu_seconds_per_day":3600}`, `"max_queue":1,"max_rate":50,"max_digits":80,"max_cpu_seconds_per_day":3600}`},
		{`{"weight":3,"max_rate":null,"max_queue":null}`, `"max_queue":null,"max_rate":null,"max_digits":80,"max_cpu_seconds_per_day":3600}`},
	} {
		if a := s.do("PUT", "/callers/alice", row.put); a.status != 200 || !strings.Contains(a.body, row.want) {
			t.Errorf("PUT %s: %d %s", row.put, a.status, a.body)
		}
	}
	if c, err := s.jobs.Caller(deadline(), "alice"); err != nil || c.Weight != 3 || c.Bounds != (fairfactor.Bounds{MaxDigits: 80, MaxCPU: time.Hour}) {
		t.Errorf("%+v, %v", c, err)
	}
	for _, body := range []string{
		`{"max_rate":0}`, `{"max_rate":-1}`, `{"max_queue":1.5}`, `{"max_digits":"9"}`, `{"max_rate":1000001}`, `{"max_cpu_seconds_per_day":1000000001}`, `{"max_queue":true}`,
	} {
		s.do("PUT", "/callers/alice", body).problem(t, body, 422, "bad-bound")
	}
}

// TestRefusalsSayTheBound: a 429 of a caller's bound has the headers of
// draft-ietf-httpapi-ratelimit-headers-10; a number that is too long is 422, with a key too.
func TestRefusalsSayTheBound(t *testing.T) {
	for _, row := range []struct {
		quota         fairfactor.Quota
		code          fairfactor.Code
		fact          string
		policy, limit string
	}{
		{fairfactor.Quota{Name: "rate", Unit: "requests", Limit: 50, Window: time.Second, Reset: 20 * time.Millisecond}, fairfactor.Limit, "max_rate", `"rate";q=50;w=1`, `"rate";r=0;t=1`},
		{fairfactor.Quota{Name: "cpu", Unit: "cpu-seconds", Limit: 9, Window: 24 * time.Hour, Reset: 2 * time.Hour}, fairfactor.Limit, "max_cpu_seconds_per_day", `"cpu";q=9;qu="cpu-seconds";w=86400`, `"cpu";r=0;t=7200`},
		{fairfactor.Quota{Name: "queue", Unit: "jobs", Limit: 7}, fairfactor.Limit, "max_queue", `"queue";q=7;qu="jobs"`, `"queue";r=0`},
		{fairfactor.Quota{Name: "digits", Unit: "digits", Limit: 7}, fairfactor.Invalid, "max_digits", "", ""},
	} {
		jobs := newMemory()
		jobs.refused = &fairfactor.Error{Code: row.code, Message: "no", Retry: row.quota.Reset, Quota: &row.quota}
		s := startWith(t, jobs)
		a := s.post(`{"number":"91"}`, "Idempotency-Key: k")
		status, kind := 429, "limit"
		if row.code == fairfactor.Invalid {
			status, kind = 422, "bad-number"
		}
		a.problem(t, row.quota.Name, status, kind)
		if !strings.Contains(a.body, fmt.Sprintf(`"%s":%d`, row.fact, row.quota.Limit)) {
			t.Errorf("%s: the body does not say the bound: %s", row.quota.Name, a.body)
		}
		if got := a.header.Get("RateLimit-Policy"); got != row.policy {
			t.Errorf("%s: RateLimit-Policy %q, want %q", row.quota.Name, got, row.policy)
		}
		if got := a.header.Get("RateLimit"); got != row.limit {
			t.Errorf("%s: RateLimit %q, want %q", row.quota.Name, got, row.limit)
		}
	}
}
