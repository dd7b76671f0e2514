package chaos

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"fairfactor/bench/internal/benchtest"
	"fairfactor/bench/internal/report"
	"fairfactor/store/postgres/pgtest"
)

func TestMain(m *testing.M) { os.Exit(benchtest.Main(m)) }

// TestChaos makes the quick faults once: real nodes that are killed, cut off and
// restarted, with nothing lost. `bench chaos -short` adds those that take longer.
func TestChaos(t *testing.T) {
	pgtest.Need(t)
	var said bytes.Buffer
	h := benchtest.Start(t)
	h.Progress = &said
	rows, err := (&chaos{nodes: 3, callers: 8}).run(t.Context(), h, []fault{kills(1), partitions(partitionKinds[:1], 1, 2*time.Second), rolling(1)})
	if err == nil {
		err = report.Finish(&said, "", h.Seed, rows, nil)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, said.String())
	}
	for _, want := range []string{"kill 1 of 1", "cut off from all, round 1", "rolling restart: "} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("no %q in\n%s", want, said.String())
		}
	}
}

// TestChaosStopsAtOnce interrupts a fault: nothing is waited for, and nothing is
// said to be lost.
func TestChaosStopsAtOnce(t *testing.T) {
	pgtest.Need(t)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	var interrupted time.Time
	h := benchtest.Start(t)
	_, err := (&chaos{nodes: 3, callers: 8}).run(ctx, h, []fault{{"stop", func(ctx context.Context, sb *sandbox) ([]report.Row, error) {
		for _, n := range sb.fleet.Nodes {
			n.Signal(syscall.SIGSTOP, 0) // so that nothing is answered
		}
		interrupt()
		interrupted = time.Now()
		return nil, ctx.Err()
	}}})
	if took := time.Since(interrupted); !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "broken promises") || took > attemptTime/2 {
		t.Errorf("after %v: %v", took, err)
	}
	if _, logs, found := strings.Cut(err.Error(), "the logs of nodes and callers are in "); found {
		os.RemoveAll(strings.TrimSpace(logs))
	}
}

// TestChaosJudgesAfterAFault has a fault that can't be made, and a node that it
// left stopped: what the nodes did is judged all the same.
func TestChaosJudgesAfterAFault(t *testing.T) {
	pgtest.Need(t)
	var said bytes.Buffer
	h := benchtest.Start(t)
	h.Progress = &said
	broken := errors.New("this fault can't be made")
	rows, err := (&chaos{nodes: 3, callers: 8}).run(t.Context(), h, []fault{{"stop", func(ctx context.Context, sb *sandbox) ([]report.Row, error) {
		first, at := sb.workload.count(), time.Now()
		if _, err := sb.recovered(ctx, at, first); err != nil { // so that there is something to judge
			return nil, err
		}
		sb.fleet.Nodes[0].Signal(syscall.SIGSTOP, 0)
		return nil, broken
	}}})
	if !errors.Is(err, broken) || strings.Contains(err.Error(), "broken promises") || !strings.Contains(said.String(), " accepted: ") {
		t.Errorf("%v\n%s", err, said.String())
	}
	if len(rows) < 10 {
		t.Errorf("%d rows say what was judged", len(rows))
	}
	if _, logs, found := strings.Cut(err.Error(), "the logs of nodes and callers are in "); found {
		os.RemoveAll(strings.TrimSpace(logs))
	}
}
