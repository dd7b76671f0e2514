package main

import (
	"os"
	"strings"
	"testing"

	"fairfactor/bench/internal/benchtest"
	"fairfactor/bench/internal/random"
	"fairfactor/bench/internal/verify"
)

func TestMain(m *testing.M) {
	if os.Getenv(asPeers) != "" {
		main()
		return
	}
	os.Exit(benchtest.Main(m))
}

// TestPeers runs every system with a few jobs, whose results are checked, for two
// rounds, so that the second must not count the first.
func TestPeers(t *testing.T) {
	m := match{jobs: 300, rounds: 2, concurrency: 8, handlers: 4, only: "asynq,nsq,river,jetstream"}
	rows, err := m.measure(t.Context(), benchtest.Start(t))
	if err != nil || len(rows) != 5 {
		t.Fatalf("%v: %+v", err, rows)
	}
	for _, r := range rows {
		if r.Value <= 0 || r.Other <= 0 || r.Ratio <= 0 {
			t.Errorf("not measured: %+v", r)
		}
	}
}

func TestUnknownPeer(t *testing.T) {
	if _, err := (&match{only: "asynq,none"}).measure(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "none") {
		t.Error(err)
	}
}

// TestHandler compares the handler's text with what it must multiply to.
func TestHandler(t *testing.T) {
	var h handler
	for _, n := range append(random.Many(100, random.New(1, 1), random.Uniform), "1000000", "1000003") {
		text, err := h.factors(n)
		if err != nil {
			t.Fatal(err)
		}
		if err := verify.Factors(n, parse(text)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := h.factors(random.Semiprime(random.New(1, 1), 60)); err == nil {
		t.Error("a number of many turns is done in one")
	}
}
