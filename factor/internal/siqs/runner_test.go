package siqs

import (
	"errors"
	"slices"
	"testing"

	"fairfactor/factor/internal/factortest"
	"fairfactor/factor/internal/gf2"
	"fairfactor/factor/internal/stop"
)

// TestSieveStops asks a sieve turn and linear algebra to stop.
func TestSieveStops(t *testing.T) {
	run := newTestRunner()
	r := factortest.Seeded(t)
	n := factortest.Semiprime(r, 135)
	h := NewCollection(n, 0, ParametersFor(135))
	w, nums, _ := h.NextWork()
	turn := w.Encode()
	left := 3
	if _, err := stoppedRun(run, turn, func() bool { left--; return left <= 0 }); !errors.Is(err, stop.ErrStopped) {
		t.Fatalf("stopped: %v", err)
	}
	res, err := run.Run(turn)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.AddRelations(res, w.Spans, nums, 0); err != nil {
		t.Errorf("after it was stopped once: %v", err)
	}
	solve := SolvePayload(anyMatrix(r, 50, 90).Append(nil, nil), gf2.FirstState(0), 1)
	if _, err := stoppedRun(run, solve, func() bool { return true }); !errors.Is(err, stop.ErrStopped) {
		t.Errorf("linear algebra stopped: %v", err)
	}
}

// TestRunnerForgets runs turns of more numbers than a runner keeps tables for.
func TestRunnerForgets(t *testing.T) {
	run := newTestRunner()
	r := factortest.Seeded(t)
	size := ParametersFor(131)
	size.Base, size.Length = 30_000, 1<<20
	var turns [][]byte
	for range 7 {
		h := NewCollection(factortest.Semiprime(r, 131), 0, size)
		w, _, _ := h.NextWork()
		w.Spans = w.Spans[:1]
		w.Spans[0].count = 1
		turns = append(turns, w.Encode())
	}
	first, err := run.Run(turns[0])
	if err != nil {
		t.Fatal(err)
	}
	tables := run.sieves[0]
	if again, err := run.Run(turns[0]); err != nil || run.sieves[0] != tables || string(again) != string(first) {
		t.Fatalf("the same turn again: %v", err)
	}
	for _, turn := range turns[1:] {
		if _, err := run.Run(turn); err != nil {
			t.Fatal(err)
		}
		total := 0
		for _, s := range run.sieves {
			total += s.bytes()
		}
		if total > maxSieves {
			t.Fatalf("tables of %d numbers, %d bytes", len(run.sieves), total)
		}
	}
	if len(run.sieves) < 2 || slices.Contains(run.sieves, tables) {
		t.Fatalf("tables of %d numbers, the first one's among them", len(run.sieves))
	}
	if again, err := run.Run(turns[0]); err != nil || string(again) != string(first) {
		t.Fatalf("the first turn after it was forgotten: %v", err)
	}
}
