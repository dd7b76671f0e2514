package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
)

// metricName is a name in an expression of PromQL; HAProxy's own are not ours to
// check.
var metricName = regexp.MustCompile(`\b(?:fairfactor|process|go)_[a-z_]+`)

// TestDashboardAndAlertsAskForMetricsThatExist: a name that no node serves would
// be a panel that stays empty, or an alert that never comes.
func TestDashboardAndAlertsAskForMetricsThatExist(t *testing.T) {
	p := serve(t, t.TempDir())
	p.wait(p.submit("a", "91").ID)
	resp, err := http.Get(p.url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	served := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		name := metricName.FindString(line)
		if served[name] = true; strings.HasPrefix(line, "# TYPE ") && strings.HasSuffix(line, " histogram\n") {
			served[name+"_bucket"], served[name+"_sum"], served[name+"_count"] = true, true, true
		}
	}
	alerts, err := os.ReadFile("deploy/alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	expressions := []string{}
	for line := range strings.Lines(string(alerts)) {
		if expr, ok := strings.CutPrefix(strings.TrimSpace(line), "expr:"); ok {
			expressions = append(expressions, expr)
		}
	}
	if len(expressions) == 0 {
		t.Error("no alerts")
	}
	for _, expr := range append(expressions, dashboardExpressions(t)...) {
		for _, name := range metricName.FindAllString(expr, -1) {
			if !served[name] {
				t.Errorf("no node serves %s, which is asked for by %s", name, expr)
			}
		}
	}
}

// dashboardExpressions are those of all panels, which must have a place of their
// own each.
func dashboardExpressions(t *testing.T) (expressions []string) {
	t.Helper()
	raw, err := os.ReadFile("deploy/grafana/fairfactor.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		UID    string
		Panels []struct {
			ID      int
			Title   string
			GridPos struct{ X, Y, W, H int }
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(raw, &dashboard); err != nil {
		t.Fatal(err)
	}
	if dashboard.UID == "" || len(dashboard.Panels) == 0 {
		t.Fatal("the dashboard has no name or no panels")
	}
	ids, cells := map[int]bool{}, map[[2]int]string{}
	for _, p := range dashboard.Panels {
		if ids[p.ID] || p.Title == "" || len(p.Targets) == 0 {
			t.Errorf("panel %d %q: an id that is taken, no title or nothing to show", p.ID, p.Title)
		}
		ids[p.ID] = true
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other, taken := cells[[2]int{x, y}]; taken || x > 23 {
					t.Fatalf("panel %q lies on %q or outside", p.Title, other)
				}
				cells[[2]int{x, y}] = p.Title
			}
		}
		for _, target := range p.Targets {
			expressions = append(expressions, target.Expr)
		}
	}
	return expressions
}
