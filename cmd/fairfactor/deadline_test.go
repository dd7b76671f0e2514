package main

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// TestDeadlineOverARestart: jobs whose deadline passes while the node is down, and
// after it has started again, are cancelled; the command line says so.
func TestDeadlineOverARestart(t *testing.T) {
	t.Parallel() // it mostly waits for processes
	dir := t.TempDir()
	p := serve(t, dir, "--workers", "1")
	rng := rand.New(rand.NewPCG(5, 6))
	deadlines := []time.Duration{2 * time.Second, 4 * time.Second, time.Hour}
	var ids []string
	for _, after := range deadlines {
		status, out, err := execute(t, "", "submit", "--url", p.url, "--caller", "c", "--deadline", after.String(), "-o", "json", hard(rng, 140))
		var j job
		if json.Unmarshal([]byte(out), &j) != nil || status != exitDone {
			t.Fatalf("submit: status %d, %q, %q", status, out, err)
		}
		ids = append(ids, j.ID)
	}
	begun := time.Now()
	p.kill()
	for time.Since(begun) < deadlines[0] {
		time.Sleep(deadlines[0] - time.Since(begun)) // until the first deadline has passed: the time is what is tested
	}
	p = serve(t, dir, "--workers", "1")
	for _, id := range ids[:2] {
		status, out, err := execute(t, "", "wait", "--url", p.url, "--timeout", "2m", "-o", "json", id)
		if status != exitSomeFailed || !strings.Contains(out, `"status":"cancelled"`) || !strings.Contains(out, "at its deadline") {
			t.Errorf("wait: status %d, %q, %q", status, out, err)
		}
	}
	if status, j, err := p.do("GET", "/compute/"+ids[2], "", ""); status != 200 || j.Status == "cancelled" {
		t.Errorf("the deadline of the third is far away: %d %+v %v", status, j, err)
	}
	for _, text := range []string{"yesterday", "-5s", "2001-01-01T00:00:00Z"} {
		if status, _, err := execute(t, "", "submit", "--url", p.url, "--deadline", text, "15"); status != exitUsage || !strings.Contains(err, "--deadline") {
			t.Errorf("--deadline %s: status %d, %q", text, status, err)
		}
	}
}
