package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"fairfactor/bench/internal/benchtest"
)

// TestLoadOfARealNode runs the load generator from end to end.
func TestLoadOfARealNode(t *testing.T) {
	h := benchtest.Start(t)
	node, err := h.Node(t.Context(), h.Folder(), nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	jsonFile, htmlFile := filepath.Join(dir, "r.json"), filepath.Join(dir, "r.html")
	out, _ := benchtest.Run(t, 0, run, "-requests", "300", "-clients", "7", "-concurrency", "20", "-url", node.URL, "-seed", "42", "-json", jsonFile, "-html", htmlFile)
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
	var r loadReport
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
	h := benchtest.Start(t)
	node, err := h.Node(t.Context(), h.Folder(), nil)
	if err != nil {
		t.Fatal(err)
	}
	node.Kill()
	if _, said := benchtest.Run(t, 1, run, "-requests", "10", "-url", node.URL); !strings.Contains(said, node.URL) {
		t.Errorf("no word of the URL: %s", said)
	}
}

func TestComparisonsExplainThemselves(t *testing.T) {
	for _, c := range comparisons {
		_, said := benchtest.Run(t, 0, run, c.Name, "-h")
		if !strings.Contains(said, c.Help) || !strings.Contains(said, "-seed") {
			t.Errorf("%s -h says\n%s", c.Name, said)
		}
	}
	for _, s := range studies {
		if _, said := benchtest.Run(t, 0, run, s.Name, "-h"); !strings.Contains(said, s.Help) || !strings.Contains(said, "-seed") {
			t.Errorf("%s -h says\n%s", s.Name, said)
		}
	}
	_, said := benchtest.Run(t, 0, run, "-h")
	for _, s := range studies {
		if !strings.Contains(said, s.Summary) {
			t.Errorf("-h does not tell of %s:\n%s", s.Name, said)
		}
	}
	for _, c := range comparisons {
		if !strings.Contains(said, c.Summary) {
			t.Errorf("-h does not tell of %s:\n%s", c.Name, said)
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
		benchtest.Run(t, 2, run, args...)
	}
	if _, said := benchtest.Run(t, 1, run, "-url", "localhost"); !strings.Contains(said, "http://") {
		t.Errorf("a URL without a scheme: %s", said)
	}
}

// TestAllSaysWhatItDidNotRun ends the time before anything can be measured, or
// while the first is.
func TestAllSaysWhatItDidNotRun(t *testing.T) {
	_, said := benchtest.Run(t, 1, run, "all", "-program", benchtest.Program(t), "-limit", "1ms")
	for _, c := range comparisons {
		if strings.Contains(said, "\n"+c.Name+" was not run") == c.Separate && c.Name != comparisons[0].Name {
			t.Errorf("no word of %s, or one too many, in\n%s", c.Name, said)
		}
	}
}

// TestPeersHelp builds the module of the comparison with other systems and asks it
// what it does. Its own tests run it.
func TestPeersHelp(t *testing.T) {
	if _, said := benchtest.Run(t, 0, run, "peers", "-h"); !strings.Contains(said, "bench peers: completed jobs a second") || !strings.Contains(said, "-seed") {
		t.Errorf("peers -h says\n%s", said)
	}
	benchtest.Run(t, 2, run, "peers", "-rounds", "0")
	if _, said := benchtest.Run(t, 0, run, "-h"); !strings.Contains(said, peersSummary) {
		t.Errorf("-h does not tell of peers:\n%s", said)
	}
}
