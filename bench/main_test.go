package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// The test binary is the program too: with this variable set it runs its
// arguments as a command line, so that the bare handler can be a process.
func TestMain(m *testing.M) {
	if os.Getenv(asBench) != "" {
		main()
		return
	}
	if how := os.Getenv(asEngine); how != "" {
		actEngine(how, os.Args[1:])
		return
	}
	code := m.Run()
	if built.dir != "" {
		os.RemoveAll(built.dir)
	}
	os.Exit(code)
}

// built is the service, compiled once for all tests.
var built struct {
	once         sync.Once
	dir, program string
	err          error
}

// program returns the path of the service.
func program(t *testing.T) string {
	t.Helper()
	built.once.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "fairfactor-bench-test-"); built.err == nil {
			built.program, built.err = build(context.Background(), built.dir)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return built.program
}

// startBench returns a bench that ends with the test.
func startBench(t *testing.T) *bench {
	t.Helper()
	b, err := newBench(t.Context(), program(t), 1, &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.close)
	return b
}

// command runs a command line that must end with that status.
func command(t *testing.T, want int, args ...string) (out, progress string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var o, p bytes.Buffer
	if got := run(ctx, args, &o, &p); got != want {
		t.Fatalf("bench %v: status %d, want %d\n%s\n%s", args, got, want, o.String(), p.String())
	}
	return o.String(), p.String()
}

// TestLoadOfARealNode runs the load generator from end to end.
func TestLoadOfARealNode(t *testing.T) {
	b := startBench(t)
	node, err := b.node(t.Context(), b.folder(), nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	jsonFile, htmlFile := filepath.Join(dir, "r.json"), filepath.Join(dir, "r.html")
	out, _ := command(t, 0, "-requests", "300", "-clients", "7", "-concurrency", "20", "-url", node.url, "-seed", "42", "-json", jsonFile, "-html", htmlFile)
	layout := regexp.MustCompile(`(?s)^Seed: 42

Benchmark Results:
Total Duration: \S+
Successful Requests: 300
Failed Requests: 0
Average Request Time: \S+
Maximum Request Time: \S+
Minimum Request Time: \S+
Requests/second: [0-9.]+
.*
Checking computation results...

Status Check \(elapsed time: \S+\):
(- Completed: \d+
- Pending: \d+
- Not Found/Failed: \d+
.*
)?- Completed: 300
- Pending: 0
- Not Found/Failed: 0

Verification:
.*Completed and right: 300 of 300 accepted
.*Hand-outs per caller: 42 to 43
`)
	if !layout.MatchString(out) {
		t.Errorf("the report does not have its layout:\n%s", out)
	}
	var r report
	raw, err := os.ReadFile(jsonFile)
	if err == nil {
		err = json.Unmarshal(raw, &r)
	}
	if err != nil || r.Jobs == nil || r.Jobs.Tally.Completed != 300 || r.Jobs.PerSecond <= 0 || r.Submitting.Percentile["p99"] <= 0 || r.Seed != 42 {
		t.Errorf("report for machines: %v\n%s", err, raw)
	}
	page, err := os.ReadFile(htmlFile)
	if err != nil || !bytes.Contains(page, []byte("<polyline points=\"70.0,")) || bytes.Contains(page, []byte("ZgotmplZ")) {
		t.Errorf("report for people: %v\n%s", err, page)
	}
}

// TestLoadFailsWhenTheNodeDies makes sure that a bad end is not reported as a
// good one.
func TestLoadFailsWhenTheNodeDies(t *testing.T) {
	b := startBench(t)
	node, err := b.node(t.Context(), b.folder(), nil)
	if err != nil {
		t.Fatal(err)
	}
	node.kill()
	if _, said := command(t, 1, "-requests", "10", "-url", node.url); !strings.Contains(said, node.url) {
		t.Errorf("no word of the URL: %s", said)
	}
}

// TestCrash runs a comparison from its command line, with flags that differ from
// the defaults.
func TestCrash(t *testing.T) {
	out, _ := command(t, 0, "crash", "-program", program(t), "-rounds", "2", "-longest", "300ms", "-seed", "7")
	for _, want := range []string{"jobs accepted, 2 kills", "seed 7"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

// TestAccept measures the service beside the bare handler for a moment.
func TestAccept(t *testing.T) {
	b := startBench(t)
	rows, err := (&acceptance{rounds: 1, callers: 3, round: 100 * time.Millisecond}).measure(t.Context(), b)
	if err != nil || len(rows) != 4 {
		t.Fatalf("%v: %+v", err, rows)
	}
	for _, r := range rows {
		if r.Value <= 0 || r.Other <= 0 || r.Ratio <= 0 {
			t.Errorf("not measured: %+v", r)
		}
	}
}

func TestComparisonsExplainThemselves(t *testing.T) {
	for _, c := range comparisons {
		_, said := command(t, 0, c.name, "-h")
		if !strings.Contains(said, c.help) || !strings.Contains(said, "-seed") {
			t.Errorf("%s -h says\n%s", c.name, said)
		}
	}
	for _, s := range studies {
		if _, said := command(t, 0, s.name, "-h"); !strings.Contains(said, s.help) || !strings.Contains(said, "-seed") {
			t.Errorf("%s -h says\n%s", s.name, said)
		}
	}
	_, said := command(t, 0, "-h")
	for _, s := range studies {
		if !strings.Contains(said, s.summary) {
			t.Errorf("-h does not tell of %s:\n%s", s.name, said)
		}
	}
	for _, c := range comparisons {
		if !strings.Contains(said, c.summary) {
			t.Errorf("-h does not tell of %s:\n%s", c.name, said)
		}
	}
}

func TestBadCommandLines(t *testing.T) {
	for _, args := range [][]string{
		{"-requests", "0"},
		{"-clients", "0"},
		{"-concurrency", "-1"},
		{"-nonsense"},
		{"nonsense"},
		{"crash", "now"},
		{"all", "-x"},
		{"crash", "-rounds", "0"},
		{"complete", "-jobs", "-1"},
		{"connections", "-period", "0s"},
		{"hostile", "-limit", "-1s"},
		{"engine", "-digits", "0"},
		{"engine", "now"},
	} {
		command(t, 2, args...)
	}
	if _, said := command(t, 1, "-url", "localhost"); !strings.Contains(said, "http://") {
		t.Errorf("a URL without a scheme: %s", said)
	}
}

// TestAllSaysWhatItDidNotRun ends the time before anything can be measured, or
// while the first is.
func TestAllSaysWhatItDidNotRun(t *testing.T) {
	_, said := command(t, 1, "all", "-program", program(t), "-limit", "1ms")
	for _, c := range comparisons {
		if strings.Contains(said, "\n"+c.name+" was not run") == c.apart && c.name != comparisons[0].name {
			t.Errorf("no word of %s, or one too many, in\n%s", c.name, said)
		}
	}
}

func TestLogTailKeepsTheEnd(t *testing.T) {
	var kept tail
	for i := range 5000 {
		fmt.Fprintf(&kept, "line %d\n", i)
	}
	if s := kept.String(); !strings.HasSuffix(s, "line 4999") || len(s) > tailBytes {
		t.Errorf("%d bytes kept, the end is %q", len(s), s[max(0, len(s)-20):])
	}
}
