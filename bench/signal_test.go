package main

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"fairfactor/bench/internal/benchtest"
)

// asMain, in the environment, makes the test binary the program.
const asMain = "FAIRFACTOR_BENCH_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asMain) != "" {
		main()
		return
	}
	os.Exit(benchtest.Main(m))
}

// stopTime is how long the program may go on after SIGTERM, on a busy machine.
const stopTime = 10 * time.Second

// terminated starts a program, waits until it says a word, sends SIGTERM, and
// returns when everything that it started has closed its output.
func terminated(t *testing.T, cmd *exec.Cmd, word string) {
	t.Helper()
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout = cmd.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	lines := bufio.NewReader(out)
	for said := ""; !strings.Contains(said, word); {
		line, err := lines.ReadString('\n')
		if said += line; err != nil {
			t.Fatalf("it ended before it said %q: %s", word, said)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { io.Copy(io.Discard, lines); close(ended) }()
	select {
	case <-ended:
	case <-time.After(stopTime):
		cmd.Process.Kill()
		t.Errorf("%v goes on after SIGTERM", cmd.Args)
	}
}

// TestStopsOnSIGTERM interrupts runs that would take much longer.
func TestStopsOnSIGTERM(t *testing.T) {
	h := benchtest.Start(t)
	node, err := h.Node(t.Context(), h.Folder(), nil)
	if err != nil {
		t.Fatal(err)
	}
	program := []string{"-program", benchtest.Program(t)}
	for name, c := range map[string]struct {
		args []string
		word string
	}{
		"load":        {[]string{"-requests", "1000000", "-url", node.URL}, "Seed"},
		"complete":    {append([]string{"complete", "-jobs", "500000"}, program...), "batches"},
		"connections": {append([]string{"connections", "-n", "100", "-period", "1h"}, program...), "are open"},
		"fairness":    {append([]string{"fairness", "-burst", "200000"}, program...), "jobs of"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.CommandContext(context.WithoutCancel(t.Context()), os.Args[0], c.args...)
			cmd.Env = append(os.Environ(), asMain+"=1")
			terminated(t, cmd, c.word)
		})
	}
}

// TestStopsWithGoRun terminates `go run`, which does not pass the signal on.
func TestStopsWithGoRun(t *testing.T) {
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), "go", "run", ".", "connections", "-n", "10", "-period", "1h", "-program", benchtest.Program(t))
	terminated(t, cmd, "are open")
}
