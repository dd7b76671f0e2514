package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestCluster measures a moment of each part, as a program of its own without the
// race detector: a process can't hold two of cluster's nodes under it, because
// protoactor sets a global variable of gRPC at each start.
func TestCluster(t *testing.T) {
	dir := t.TempDir()
	self, file := filepath.Join(dir, "bench"), filepath.Join(dir, "rows.json")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", self, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.CommandContext(t.Context(), self, "cluster", "-program", program(t), "-json", file,
		"-rounds", "1", "-round", "100ms", "-jobs", "600", "-turns", "2000", "-digits", "40").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var report struct{ Rows []row }
	raw, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(raw, &report)
	}
	if err != nil || len(report.Rows) != 7 {
		t.Fatalf("%v: %+v", err, report)
	}
	for _, r := range report.Rows {
		if r.Value <= 0 || r.Beside != "" && (r.Other <= 0 || r.Ratio <= 0) {
			t.Errorf("not measured: %+v", r)
		}
	}
}
