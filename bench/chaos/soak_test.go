package chaos

import (
	"context"
	"strings"
	"testing"
	"time"

	"fairfactor/bench/internal/benchtest"
	"fairfactor/bench/internal/client"
	"fairfactor/bench/internal/verify"
	"fairfactor/bench/internal/wait"
)

// TestSoak runs the load on a node until it has accepted some thousand jobs.
func TestSoak(t *testing.T) {
	h := benchtest.Start(t)
	at, err := newSingle(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	defer at.close()
	l := newSoakLoad(1, at.addrs(), 50)
	defer l.balancer.close()
	run, stop := context.WithCancel(t.Context())
	defer stop()
	l.start(t.Context(), run, 4)
	if err := wait.Until(t.Context(), time.Millisecond, func() (bool, error) { return l.accepted() >= 2000, nil }); err != nil {
		t.Fatal(err)
	}
	now, err := at.sample(t.Context())
	if err != nil || now[bounds[0].what] < 10 || now[bounds[1].what] < 5 || now[bounds[2].what] < 5 || now[bounds[3].what] < 1000 {
		t.Errorf("sample: %v, %v", now, err)
	}
	l.trouble(true)
	if what, err := at.harm(t.Context(), 0); err != nil {
		t.Errorf("%s: %v", what, err)
	}
	l.trouble(false)
	stop()
	if tally := l.finish(); tally.Completed < 2000 || tally.Bad() != 0 || l.callers() <= oldCallers {
		t.Errorf("%+v", tally)
	}
}

// TestSoakFindsFaults: a place that was given twice, a result that is wrong, and a figure
// that grows.
func TestSoakFindsFaults(t *testing.T) {
	l := newSoakLoad(1, nil, 1)
	for _, id := range []string{"a", "b"} {
		l.mu.Lock()
		l.place(client.Job{ID: id, Turn: 7})
		l.mu.Unlock()
	}
	if l.tally.Twice != 1 {
		t.Errorf("%+v", l.tally)
	}
	if got := verify.Jobs([]verify.Accepted{{ID: "a", Caller: "c", Number: "15"}}, map[string]client.Job{
		"a": {ID: "a", Caller: "c", Number: "15", Status: "completed", Result: map[string]int{"15": 1}},
	}); got.Wrong != 1 {
		t.Errorf("%+v", got)
	}
	s, f := &soak{growth: 1.3, bounds: map[string]*float64{}}, newFigures()
	for _, b := range bounds {
		most := 1e9
		s.bounds[b.what] = &most
	}
	for i := range 80 {
		f.add(map[string]float64{bounds[0].what: 100 + float64(i), bounds[2].what: 50}, leastJobs)
	}
	var bad []string
	for _, r := range f.rows(s) {
		if r.Required && r.Most != nil && r.Alternative != "" && r.Ratio > *r.Most {
			bad = append(bad, r.Figure)
		}
	}
	if len(bad) != 1 || !strings.HasPrefix(bad[0], bounds[0].what) {
		t.Errorf("%q grew too much", bad)
	}
}
