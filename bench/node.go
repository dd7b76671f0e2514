package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// bench is what all comparisons share: the program to measure, a folder for its
// data, and the seed. It owns the processes it started.
type bench struct {
	program  string
	dir      string
	seed     uint64
	progress io.Writer

	mu      sync.Mutex
	started []*process // guarded by mu
	folders int        // guarded by mu
}

// newBench builds the program unless one is given.
func newBench(ctx context.Context, program string, seed uint64, progress io.Writer) (*bench, error) {
	dir, err := os.MkdirTemp("", "fairfactor-bench-")
	if err != nil {
		return nil, err
	}
	b := &bench{program: program, dir: dir, seed: seed, progress: progress}
	if program == "" {
		if b.program, err = build(ctx, dir); err != nil {
			b.close()
			return nil, err
		}
	}
	return b, nil
}

// build compiles the service as it is released.
func build(ctx context.Context, dir string) (string, error) {
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

// close kills what is still running and removes all data.
func (b *bench) close() {
	b.mu.Lock()
	started := b.started
	b.started = nil
	b.mu.Unlock()
	for _, p := range started {
		p.kill()
	}
	os.RemoveAll(b.dir)
}

// say tells how far a measurement is.
func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(b.progress, "bench:   "+format+"\n", args...)
}

// folder returns a new empty folder for a node's data.
func (b *bench) folder() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.folders++
	return filepath.Join(b.dir, fmt.Sprintf("data-%d", b.folders))
}

// startTime bounds how long a process may take until it is ready.
const startTime = 2 * time.Minute

// node starts a node on a free port with its data in a folder, and returns when
// it is ready.
func (b *bench) node(ctx context.Context, folder string, env []string, flags ...string) (*process, error) {
	args := []string{"serve", "--http", "127.0.0.1:0", "--data", folder, "--log-level", "warn"}
	return b.start(ctx, b.program, append(args, flags...), env)
}

// start runs a program that prints a line with its URL when it is ready.
func (b *bench) start(ctx context.Context, program string, args, env []string) (*process, error) {
	p := &process{cmd: exec.CommandContext(ctx, program, args...), log: &tail{}, ended: make(chan struct{})}
	p.cmd.Stderr = p.log
	p.cmd.Env = append(os.Environ(), env...)
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	b.mu.Lock()
	b.started = append(b.started, p)
	b.mu.Unlock()
	late := time.AfterFunc(startTime, func() { p.cmd.Process.Kill() })
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	late.Stop()
	go p.reap(lines)
	p.ready = time.Since(began)
	for _, word := range strings.Fields(line) {
		if strings.HasPrefix(word, "http://") {
			p.url = word
		}
	}
	if err != nil || p.url == "" {
		p.kill()
		return nil, fmt.Errorf("%s %s did not become ready: said %q: %s", filepath.Base(program), args[0], line, p.log)
	}
	return p, nil
}

// process is a running node, or what it is compared with.
type process struct {
	cmd   *exec.Cmd
	url   string
	ready time.Duration // from the start to the line that says so
	log   *tail
	ended chan struct{} // closed when the process is gone
}

// reap reads the rest of the output and waits for the end.
func (p *process) reap(rest io.Reader) {
	io.Copy(io.Discard, rest)
	p.cmd.Wait()
	close(p.ended)
}

// kill ends the process as a crash would, and returns when it is gone. Killing
// twice does nothing.
func (p *process) kill() {
	p.cmd.Process.Kill()
	<-p.ended
}

// gone reports whether the process has ended.
func (p *process) gone() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// resident is the memory of the process that is in RAM, in bytes.
func (p *process) resident() (float64, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(raw)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "VmRSS:" {
			kib, err := strconv.ParseFloat(fields[1], 64)
			return kib * 1024, err
		}
	}
	return 0, errors.New("no VmRSS in the status of the process")
}

// tail keeps the last bytes that were written to it.
type tail struct {
	mu   sync.Mutex
	kept []byte // guarded by mu
}

// tailBytes is enough for the last lines of a log.
const tailBytes = 4096

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, p...)
	if n := len(t.kept) - tailBytes; n > 0 {
		t.kept = append(t.kept[:0], t.kept[n:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.kept))
}

// pause waits, or returns early with the error of ctx.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// until asks again and again, with a pause between, until it gets a yes, an
// error, or ctx ends.
func until(ctx context.Context, every time.Duration, yes func() (bool, error)) error {
	for {
		if ok, err := yes(); ok || err != nil {
			return err
		}
		if err := pause(ctx, every); err != nil {
			return err
		}
	}
}

// idle waits until every job that a node accepted since its start has ended.
func idle(ctx context.Context, c *client) error {
	return until(ctx, 20*time.Millisecond, func() (bool, error) {
		m, err := c.metrics()
		return err == nil && m.unfinished() == 0, err
	})
}
