package compare

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"fairfactor/bench/internal/benchtest"
	"fairfactor/bench/internal/report"
	"fairfactor/store/postgres/pgtest"
)

// TestCluster measures a moment of each part, as a program of its own without the
// race detector: a process can't hold two of cluster's nodes under it, because
// protoactor sets a global variable of gRPC at each start.
func TestCluster(t *testing.T) {
	pgtest.Need(t)
	dir := t.TempDir()
	self, file := filepath.Join(dir, "bench"), filepath.Join(dir, "rows.json")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", self, "fairfactor/bench")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.CommandContext(t.Context(), self, "cluster", "-program", benchtest.Program(t), "-json", file,
		"-rounds", "1", "-round", "100ms", "-jobs", "600", "-turns", "2000", "-digits", "40").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var result struct{ Rows []report.Row }
	raw, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(raw, &result)
	}
	if err != nil || len(result.Rows) != 12 {
		t.Fatalf("%v: %+v", err, result)
	}
	for _, r := range result.Rows {
		if r.Value <= 0 || r.Alternative != "" && (r.Other <= 0 || r.Ratio <= 0) {
			t.Errorf("not measured: %+v", r)
		}
	}
}
