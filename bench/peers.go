package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"fairfactor/bench/internal/command"
)

// The comparison with other systems is a module of its own in a folder below this
// one, so that their clients are no dependency of fairfactor.
const (
	peersCommand = "peers"
	peersSummary = "completed jobs a second, against asynq, NSQ, river and NATS JetStream; a module of its own"
	peersFolder  = "bench/peers"
)

// peersGrace is how long the comparison has to end its servers after an interrupt.
const peersGrace = 10 * time.Second

// runPeers builds that module's program and runs it. It is not run by `go run`, which
// does not pass signals on.
func runPeers(ctx context.Context, args []string, out, progress io.Writer) int {
	where, err := exec.CommandContext(ctx, "go", "list", "-f", "{{.Module.Dir}}", "fairfactor").Output()
	if err != nil {
		return command.Status(fmt.Errorf("bench builds the comparison from its module: run it there: %w", err), progress)
	}
	dir, err := os.MkdirTemp("", "fairfactor-peers-")
	if err != nil {
		return command.Status(err, progress)
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, peersCommand)
	build := exec.CommandContext(ctx, "go", "build", "-o", program, ".")
	build.Dir = filepath.Join(strings.TrimSpace(string(where)), peersFolder)
	if said, err := build.CombinedOutput(); err != nil {
		return command.Status(fmt.Errorf("go build in %s: %w\n%s", peersFolder, err, said), progress)
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stdout, cmd.Stderr = out, progress
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = peersGrace
	err = cmd.Run()
	if code := cmd.ProcessState.ExitCode(); code > 0 {
		return code // it has said why
	}
	return command.Status(err, progress)
}
