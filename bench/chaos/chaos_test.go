package chaos

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"fairfactor/bench/internal/benchtest"
	"fairfactor/bench/internal/report"
)

func TestMain(m *testing.M) { os.Exit(benchtest.Main(m)) }

// TestChaos is the short form of `bench chaos`: real nodes that are killed,
// stopped, cut off and restarted, with nothing lost.
func TestChaos(t *testing.T) {
	var said bytes.Buffer
	b := benchtest.Start(t)
	b.Progress = &said
	rows, err := (&chaos{nodes: 3, callers: 8, short: true}).measure(t.Context(), b)
	if err == nil {
		err = report.Finish(&said, "", b.Seed, rows, nil)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, said.String())
	}
	for _, want := range []string{"kill 2 of 2", "stopped for 12s, round 1", "cut off from all, round 1", "database killed, round 1", "rolling restart: "} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("no %q in\n%s", want, said.String())
		}
	}
}
