// Package harness builds the service, starts it and other programs as private
// processes, and reads what they use. It kills them all at the end.
package harness

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Harness is what all comparisons share: the program to measure, a folder for its
// data, and the seed. It owns the processes it started.
type Harness struct {
	Program  string
	dir      string
	Seed     uint64
	Progress io.Writer

	mu      sync.Mutex
	started []*Process // guarded by mu
	folders int        // guarded by mu
}

// New builds the program unless one is given.
func New(ctx context.Context, program string, seed uint64, progress io.Writer) (*Harness, error) {
	dir, err := os.MkdirTemp("", "fairfactor-bench-")
	if err != nil {
		return nil, err
	}
	h := &Harness{Program: program, dir: dir, Seed: seed, Progress: progress}
	if program == "" {
		if h.Program, err = Build(ctx, dir); err != nil {
			h.Close()
			return nil, err
		}
	}
	return h, nil
}

// Build compiles the service as it is released.
func Build(ctx context.Context, dir string) (string, error) {
	list := exec.CommandContext(ctx, "go", "list", "-f", "{{.Module.Dir}}", "fairfactor")
	where, err := list.Output()
	if err != nil {
		return "", fmt.Errorf("bench builds the service from its module: run it there, or name a program with -program: %w", err)
	}
	program := filepath.Join(dir, "fairfactor")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", program, "./cmd/fairfactor")
	cmd.Dir, cmd.Env = strings.TrimSpace(string(where)), append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build ./cmd/fairfactor: %w\n%s", err, out)
	}
	return program, nil
}

// Close kills what is still running and removes all data.
func (h *Harness) Close() {
	h.mu.Lock()
	started := h.started
	h.started = nil
	h.mu.Unlock()
	for _, p := range started {
		p.Kill()
	}
	os.RemoveAll(h.dir)
}

// Say tells how far a measurement is.
func (h *Harness) Say(format string, args ...any) {
	fmt.Fprintf(h.Progress, "bench:   "+format+"\n", args...)
}

// Folder returns a new empty folder for a node's data.
func (h *Harness) Folder() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.folders++
	return filepath.Join(h.dir, fmt.Sprintf("data-%d", h.folders))
}

// StartTime bounds how long a process may take until it is ready.
const StartTime = 2 * time.Minute

// Node starts a node on a free port with its data in a folder, and returns when
// it is ready.
func (h *Harness) Node(ctx context.Context, folder string, env []string, flags ...string) (*Process, error) {
	args := []string{"serve", "--http", "127.0.0.1:0", "--data", folder, "--log-level", "warn"}
	return h.Start(ctx, h.Program, append(args, flags...), env)
}

// Start runs a program that prints a line with its URL when it is ready.
func (h *Harness) Start(ctx context.Context, program string, args, env []string) (*Process, error) {
	p := &Process{cmd: exec.CommandContext(ctx, program, args...), Log: &Tail{}, ended: make(chan struct{})}
	p.cmd.Stderr = p.Log
	p.cmd.Env = append(os.Environ(), env...)
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	h.mu.Lock()
	h.started = append(h.started, p)
	h.mu.Unlock()
	late := time.AfterFunc(StartTime, func() { p.cmd.Process.Kill() })
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	late.Stop()
	go p.reap(lines)
	p.Ready = time.Since(began)
	for _, word := range strings.Fields(line) {
		if strings.HasPrefix(word, "http://") {
			p.URL = word
		}
	}
	if err != nil || p.URL == "" {
		p.Kill()
		return nil, fmt.Errorf("%s %s did not become ready: said %q: %s", filepath.Base(program), args[0], line, p.Log)
	}
	return p, nil
}

// Supports reports whether `serve` of the program has a flag, such as --group-by.
func (h *Harness) Supports(ctx context.Context, flag string) (bool, error) {
	out, err := exec.CommandContext(ctx, h.Program, "serve", "--help").CombinedOutput()
	if err != nil {
		return false, fmt.Errorf("%s serve --help: %w: %s", h.Program, err, out)
	}
	return slices.Contains(strings.Fields(string(out)), flag), nil
}
