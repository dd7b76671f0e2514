package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"fairfactor"
	"fairfactor/store/pebble"
)

// longAgo writes a directory in which the only job of "gone" ended ten days ago, and that of
// "recent" just now, and returns the id of the first.
func longAgo(t *testing.T, dir string) string {
	t.Helper()
	s, err := pebble.Open(dir, pebble.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var first string
	for _, c := range []struct {
		name string
		at   time.Time
	}{{"recent", time.Now()}, {"gone", time.Now().Add(-10 * 24 * time.Hour)}} {
		claim, err := s.ClaimCaller(t.Context(), c.name, "")
		if err != nil {
			t.Fatal(err)
		}
		j := fairfactor.Job{
			ID: fairfactor.ID{Nonce: 5, Caller: claim.Number, Seq: 1}, Caller: c.name, Number: "15", Order: 1, State: fairfactor.Completed,
			Submitted: c.at, Started: c.at, Finished: c.at, Factors: []fairfactor.Factor{{Prime: "3", Exponent: 1}, {Prime: "5", Exponent: 1}},
		}
		errs, err := s.Apply(t.Context(), []fairfactor.Change{{Op: fairfactor.AcceptEnded, Caller: c.name, Number: claim.Number, Epoch: claim.Epoch, Job: &j}})
		if err != nil || errs != nil {
			t.Fatal(errs, err)
		}
		first = j.ID.String()
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return first
}

// metric returns the value of a metric without labels, or -1.
func (p *process) metric(t *testing.T, name string) float64 {
	f := metricsOf(t, p)[name]
	if f == nil || len(f.Metric) != 1 {
		return -1
	}
	return f.Metric[0].GetGauge().GetValue() + f.Metric[0].GetCounter().GetValue()
}

// TestCallersAreForgottenAndBounded: a node forgets a caller whose jobs are all old, and takes
// no more callers than it may. A caller that comes back is served; what it had is unknown,
// also after the node was killed.
func TestCallersAreForgottenAndBounded(t *testing.T) {
	dir := t.TempDir()
	old := longAgo(t, dir)
	p := serve(t, dir, "--max-callers", "2")
	p.until("the account is forgotten", func() bool { return p.metric(t, "fairfactor_accounts_forgotten_total") == 1 })
	if n := p.metric(t, "fairfactor_accounts"); n != 1 {
		t.Errorf("%v accounts, want 1", n)
	}
	back := p.wait(p.submit("gone", "21").ID)
	for range 2 {
		if status, _, err := p.do(http.MethodGet, "/compute/"+old, "", ""); status != http.StatusNotFound || err != nil {
			t.Errorf("the job of before: %d, %v", status, err)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+"/compute", strings.NewReader(`{"number":"35"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("X-Caller-ID", "third")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusTooManyRequests || res.Header.Get("Retry-After") != "60" {
			t.Errorf("a third caller: %s, Retry-After %q", res.Status, res.Header.Get("Retry-After"))
		}
		p.wait(p.submit("recent", "35").ID)
		if got := p.wait(back.ID); got.Result["7"] != 1 || got.ID == old {
			t.Errorf("the job of the caller that came back: %+v", got)
		}
		p.kill()
		p = serve(t, dir, "--max-callers", "2")
	}
}
