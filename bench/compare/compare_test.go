package compare

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"fairfactor/bench/internal/benchtest"
	"fairfactor/bench/internal/report"
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
	h := benchtest.Start(t)
	rows, err := (&acceptance{rounds: 1, callers: 3, round: 100 * time.Millisecond}).measure(t.Context(), h)
	if err != nil || len(rows) != 4 {
		t.Fatalf("%v: %+v", err, rows)
	}
	for _, r := range rows {
		if r.Value <= 0 || r.Other <= 0 || r.Ratio <= 0 {
			t.Errorf("not measured: %+v", r)
		}
	}
}

// measured checks that rows hold figures above zero, but for those that may be zero.
func measured(t *testing.T, rows []report.Row, err error, count int, zero ...string) {
	t.Helper()
	if err != nil || len(rows) != count {
		t.Fatalf("%d rows, want %d, %v: %+v", len(rows), count, err, rows)
	}
	for _, r := range rows {
		if may := slices.ContainsFunc(zero, func(z string) bool { return strings.Contains(r.Figure, z) }); may {
			continue
		}
		if r.Value <= 0 || r.Alternative != "" && (r.Other <= 0 || r.Ratio <= 0) {
			t.Errorf("not measured: %+v", r)
		}
	}
}

func TestGet(t *testing.T) {
	rows, err := (&getting{jobs: 200, rounds: 1, callers: 3, round: 100 * time.Millisecond}).measure(t.Context(), benchtest.Start(t))
	measured(t, rows, err, 2)
}

// TestObjects also checks that the figures are those of one job.
func TestObjects(t *testing.T) {
	rows, err := (&objects{jobs: 2000, callers: 3, group: 500}).measure(t.Context(), benchtest.Start(t))
	measured(t, rows, err, 9)
	for _, r := range rows {
		if r.Value > 20_000 {
			t.Errorf("too much for one job: %+v", r)
		}
	}
}

// TestConnections has enough connections for two source addresses only if the limit
// of open files allows it, which the client's own test does not need.
func TestConnections(t *testing.T) {
	rows, err := (&connections{n: 100, each: 3, period: 200 * time.Millisecond}).measure(t.Context(), benchtest.Start(t))
	measured(t, rows, err, 12, "without an answer", "resident memory")
}

func TestEvents(t *testing.T) {
	rows, err := (&events{subscribers: 50, jobs: 40, rate: 200, shared: 2, idle: 100 * time.Millisecond}).measure(t.Context(), benchtest.Start(t))
	measured(t, rows, err, 11, "resident memory", "CPU of the node")
}

func TestCallers(t *testing.T) {
	m := &manyCallers{callers: 500, chunk: 250, waiting: 1000, settle: 200 * time.Millisecond, idle: 100 * time.Millisecond}
	rows, err := m.measure(t.Context(), benchtest.Start(t))
	measured(t, rows, err, 13, "CPU of the idle node", "with an actor")
}

// TestHostile: every attack is made, and an ordinary caller is served meanwhile.
func TestHostile(t *testing.T) {
	rows, err := (&hostile{slow: 10, crowd: 36, rounds: 1, watch: 200 * time.Millisecond}).measure(t.Context(), benchtest.Start(t))
	measured(t, rows, err, 32, "failed", "CPU of")
}

func TestLight(t *testing.T) {
	rows, err := (&light{flood: 5000, digits: 70, workers: 2, watch: 200 * time.Millisecond, pause: time.Millisecond, warm: 100 * time.Millisecond}).measure(t.Context(), benchtest.Start(t))
	measured(t, rows, err, 11)
}

// TestGroups measures groups if the service has them, and says so if it has not.
func TestGroups(t *testing.T) {
	h := benchtest.Start(t)
	g := &groups{names: 20, watch: 500 * time.Millisecond, work: time.Millisecond}
	ok, err := h.Supports(t.Context(), groupFlag)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := g.measure(t.Context(), h)
	if ok {
		measured(t, rows, err, 2)
	} else if err == nil || !strings.Contains(err.Error(), groupFlag) {
		t.Errorf("without the flag: %+v, %v", rows, err)
	}
}
