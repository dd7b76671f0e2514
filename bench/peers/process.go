package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"fairfactor/bench/internal/wait"
)

// process is a server or a worker that this process has started.
type process struct {
	cmd  *exec.Cmd
	said bytes.Buffer // on its standard error
}

// asPeers, in the environment, makes the test binary of this package behave as the
// program.
const asPeers = "FAIRFACTOR_PEERS"

// launchWorker starts a worker process with that many handlers.
func launchWorker(ctx context.Context, role string, handlers int, args ...string) (*process, error) {
	p, _, err := launchSelf(ctx, role, append(args, strconv.Itoa(handlers))...)
	return p, err
}

// launchSelf starts another process of this program in a role, and returns the line
// with which it says that it is ready.
func launchSelf(ctx context.Context, role string, args ...string) (*process, string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, "", err
	}
	p := &process{cmd: exec.CommandContext(ctx, self, append([]string{role}, args...)...)}
	p.cmd.Env = append(os.Environ(), asPeers+"=1")
	p.cmd.Stderr = &p.said
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, "", err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, "", err
	}
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	if err != nil {
		p.kill()
		return nil, "", fmt.Errorf("%s did not become ready: %s", role, p.said.String())
	}
	go io.Copy(io.Discard, lines)
	return p, strings.TrimSpace(line), nil
}

// launch starts a program that listens at an address, and returns when it does.
func launch(ctx context.Context, addr, program string, args ...string) (*process, error) {
	p := &process{cmd: exec.CommandContext(ctx, program, args...)}
	p.cmd.Stderr = &p.said
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w (.ci/needs peers installs it)", err)
	}
	late, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	err := wait.Until(late, 20*time.Millisecond, func() (bool, error) {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			return false, nil
		}
		return true, c.Close()
	})
	if err != nil {
		p.kill()
		return nil, fmt.Errorf("%s did not become ready: %w: %s", program, err, p.said.String())
	}
	return p, nil
}

// startTime bounds how long a server may take until it listens.
const startTime = 30 * time.Second

// kill ends the process and waits for its end. A nil process has ended already.
func (p *process) kill() {
	if p == nil {
		return
	}
	p.cmd.Process.Kill()
	p.cmd.Wait() // says that it was killed
}

// freeAddr returns a free loopback address.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// serving tells the parent that a role is ready, with a word for it, and returns when
// ctx ends.
func serving(ctx context.Context, out io.Writer, word string) error {
	if _, err := fmt.Fprintln(out, word); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}
