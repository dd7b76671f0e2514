package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestCallersAndGroups: callers are put into groups and weighed, sorted and counted.
func TestCallersAndGroups(t *testing.T) {
	p := serve(t, t.TempDir())
	t.Setenv("FAIRFACTOR_URL", p.url)
	for i, name := range []string{"carol", "alice", "bob"} {
		for range i + 1 {
			p.wait(p.submit(name, "15").ID)
		}
	}
	must := func(args ...string) string {
		t.Helper()
		status, out, err := execute(t, "", args...)
		if status != 0 {
			t.Fatalf("%v: status %d, %q", args, status, err)
		}
		return out
	}
	// order lists the first column.
	order := func(args ...string) (names []string) {
		for line := range strings.Lines(must(append([]string{"callers"}, args...)...)) {
			names = append(names, strings.Fields(line)[0])
		}
		return names[1:]
	}
	for args, want := range map[string]string{
		"":                            "alice bob carol",
		"--sort -completed":           "bob alice carol",
		"--sort completed":            "carol alice bob",
		"--sort -name":                "carol bob alice",
		"--limit 2":                   "alice bob",
		"--sort -completed --limit 1": "bob",
		"carol alice --sort -name":    "carol alice",
		"bob bob":                     "bob",
	} {
		if got := order(strings.Fields(args)...); !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("callers %s: %v, want %s", args, got, want)
		}
	}
	if out := must("callers", "alice", "bob", "--group", "physics", "--weight", "3"); strings.Count(out, "physics") != 2 {
		t.Errorf("callers --group:\n%s", out)
	}
	if out := must("callers", "alice", "-o", "json"); !strings.Contains(out, `"group":"physics","weight":3`) {
		t.Errorf("alice: %s", out)
	}
	if out := must("callers", "alice", "--group", "", "-o", "json"); strings.Contains(out, "physics") || !strings.Contains(out, `"weight":3`) {
		t.Errorf("alice without a group: %s", out)
	}
	if out := must("callers", "alice", "--max-rate", "50", "--max-digits", "80", "--max-cpu-seconds-per-day", "3600"); !strings.Contains(out, "BOUNDS") || !strings.Contains(out, "50/s, 80 digits, 3600 s CPU/day") {
		t.Errorf("bounds:\n%s", out)
	}
	if out := must("callers", "alice", "--max-rate", "0", "--max-queue", "7", "-o", "json"); !strings.Contains(out, `"max_queue":7,"max_rate":null,"max_digits":80,"max_cpu_seconds_per_day":3600`) {
		t.Errorf("changed bounds: %s", out)
	}
	if out := must("groups", "physics", "maths", "--weight", "7"); out != "GROUP    WEIGHT\nphysics       7\nmaths         7\n" {
		t.Errorf("groups: %q", out)
	}
	if out := must("groups", "physics", "--weight", "7", "-o", "json"); out != `{"group":"physics","weight":7}`+"\n" {
		t.Errorf("groups: %q", out)
	}
	for args, want := range map[string]string{
		"groups physics":                                          "--weight is missing",
		"groups physics --weight 1001":                            "--weight 1001",
		"groups a/b --weight 2":                                   "group",
		"callers alice --group a/b":                               "group",
		"callers --weight 2":                                      "names of callers",
		"callers --limit -1":                                      "--limit -1",
		"callers --sort oddly":                                    `"oddly"`,
		fmt.Sprint("callers ", strings.Repeat("x", 65)):           "64",
		fmt.Sprint("groups --weight 2 ", strings.Repeat("x", 65)): "group",
	} {
		if status, _, err := execute(t, "", strings.Fields(args)...); status != exitUsage || !strings.Contains(err, want) {
			t.Errorf("%s: status %d, %q", args, status, err)
		}
	}
}
