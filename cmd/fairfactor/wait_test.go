package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestManyIDs: the ids of a long list come from standard input, their jobs are printed
// in order, those that are unknown are named, and an export has them all.
func TestManyIDs(t *testing.T) {
	p := serve(t, t.TempDir())
	t.Setenv("FAIRFACTOR_URL", p.url)
	var numbers strings.Builder
	const jobs = 2500
	for range jobs {
		numbers.WriteString("91\n")
	}
	status, receipts, err := execute(t, numbers.String(), "submit", "--caller", "many", "-o", "json")
	if status != 0 {
		t.Fatalf("submit: status %d, %q", status, err)
	}
	lines := strings.Split(strings.TrimSpace(receipts), "\n")
	const unknown = "bmx1rhz2q40000002400000004"
	status, out, err := execute(t, strings.Join(lines, "\n")+"\n"+unknown+" nonsense\n", "wait", "-", "-o", "json")
	if status != exitSomeFailed || !strings.Contains(err, unknown+": there is no job") || !strings.Contains(err, "nonsense: there is no job") {
		t.Fatalf("wait: status %d, %q", status, err)
	}
	ended := strings.Split(strings.TrimSpace(out), "\n")
	if len(ended) != jobs {
		t.Fatalf("%d jobs are printed, want %d", len(ended), jobs)
	}
	for i, text := range ended {
		var sent, got job
		if json.Unmarshal([]byte(lines[i]), &sent) != nil || json.Unmarshal([]byte(text), &got) != nil || got.ID != sent.ID || got.Status != "completed" {
			t.Fatalf("line %d is %s, want the end of %s", i+1, text, lines[i])
		}
	}
	status, out, err = execute(t, "", "export", "--caller", "many", "--since", "1h")
	if status != 0 || strings.Count(out, "\n") != jobs || !strings.Contains(out, ended[0]+"\n") {
		t.Errorf("export: status %d, %d lines, %q", status, strings.Count(out, "\n"), err)
	}
	for flags, want := range map[string]int{"--status completed --number 91": jobs, "--status failed": 0, "--number 92": 0, "--until 1h": 0, "--quarantined": 0} {
		if status, out, err := execute(t, "", append([]string{"export"}, strings.Fields(flags)...)...); status != 0 || strings.Count(out, "\n") != want {
			t.Errorf("export %s: status %d, %d lines, want %d: %s", flags, status, strings.Count(out, "\n"), want, err)
		}
	}
	if status, out, _ := execute(t, "", "export", "--caller", "no-one-yet"); status != 0 || out != "" {
		t.Errorf("export of nothing: status %d, %q", status, out)
	}
	if status, _, err := execute(t, "", "export", "--since", "soon"); status != exitUsage || !strings.Contains(err, "--since") {
		t.Errorf("export since soon: status %d, %q", status, err)
	}
}
