package compare

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"fairfactor/bench/internal/benchtest"
)

// The test binary is the bare handler too, with this variable set: the handler
// must be a process of its own.
func TestMain(m *testing.M) {
	if os.Getenv(asBench) != "" {
		if err := ServeBare(context.Background(), os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(benchtest.Main(m))
}

// TestCrash runs a comparison from its command line, with flags that differ from
// the defaults.
func TestCrash(t *testing.T) {
	out, _ := benchtest.Run(t, 0, Crash.Run, "-program", benchtest.Program(t), "-rounds", "2", "-longest", "300ms", "-seed", "7")
	for _, want := range []string{"jobs accepted, 2 kills", "seed 7"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

// TestAccept measures the service against the bare handler for a moment.
func TestAccept(t *testing.T) {
	b := benchtest.Start(t)
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
