package scale

import (
	"strings"
	"testing"
	"time"
)

// TestScale runs the study on a small cluster: the threads are busy, all callers get
// work, and the promise holds.
func TestScale(t *testing.T) {
	s := &Scale{nodes: 8, threads: 4, callers: 400, cells: 4, turn: 20 * time.Millisecond, span: time.Second}
	if err := s.Measure(t.Context(), 1, &strings.Builder{}); err != nil {
		t.Fatal(err)
	}
	if len(s.Clusters) != 3 || len(s.Cells) != 2 {
		t.Fatalf("%d clusters and %d divisions into cells were measured", len(s.Clusters), len(s.Cells))
	}
	for _, c := range s.Clusters {
		if c.Busy < 0.7 || c.Busy > 1.01 {
			t.Errorf("%d threads were %.0f %% busy", c.Threads, 100*c.Busy)
		}
		if c.Turns == 0 || c.Each <= 0 || c.Rate <= 0 || c.Feeds == 0 {
			t.Errorf("%d nodes: nothing was measured: %+v", c.Nodes, c)
		}
		if c.Lag > c.Bound || c.Breaches > 0 {
			t.Errorf("%d nodes: lag %.3f s, bound %.3f s, %d violations", c.Nodes, c.Lag, c.Bound, c.Breaches)
		}
	}
	one, many := s.Cells[0], s.Cells[1]
	if one.Least <= 0 || one.Most > 1.2*one.Least {
		t.Errorf("with one scheduler callers had %.3f to %.3f s", one.Least, one.Most)
	}
	if many.Most/many.Least <= one.Most/one.Least {
		t.Errorf("cells are as even (%.2f) as one scheduler (%.2f): their effect is not simulated", many.Most/many.Least, one.Most/one.Least)
	}
	var out strings.Builder
	s.Print(&out)
	if got := strings.Count(out.String(), "\n"); got != 4+1+3 {
		t.Errorf("the report has %d lines:\n%s", got, out.String())
	}
}

// TestWorldIsRepeatable holds that the same seed gives the same run.
func TestWorldIsRepeatable(t *testing.T) {
	run := func() (time.Duration, int) {
		w := newWorld(worldConfig{nodes: 5, threads: 3, callers: names(50), turn: 10 * time.Millisecond, seed: 3})
		if err := w.run(t.Context(), 500*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		return w.used, w.handed
	}
	used, handed := run()
	if again, handedAgain := run(); again != used || handedAgain != handed || handed == 0 {
		t.Errorf("first %v in %d turns, then %v in %d", used, handed, again, handedAgain)
	}
}
