// Package fleet runs the nodes of a cluster as real processes, with a network and
// a way to the database that can be cut and slowed down.
package fleet

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"

	"fairfactor/bench/internal/harness"
	"fairfactor/bench/internal/wait"
)

// Fleet is the nodes of one cluster, each a real process, with what lies between
// them and the store that they share. A node that ends is started again, as an
// init system would do, at the same addresses.
type Fleet struct {
	h       *harness.Harness
	Dir     string   // of the nodes' logs
	Network *Network // nil on loopback, where nothing can be cut but the store
	Nodes   []*Node
	stop    context.CancelFunc
	work    sync.WaitGroup
}

// Config says what fleet to start.
type Config struct {
	Nodes   int
	Network bool                           // each on a host of its own
	Store   string                         // host:port of the store
	DSN     func(addr, node string) string // the URL of the store as a node that connects to addr
	Workers int                            // of each node
	Flags   []string                       // more of them
}

// Node is one node of the cluster: addresses at which one process runs after the
// other.
type Node struct {
	fleet  *Fleet
	Index  int
	Name   string
	host   string // of all its addresses
	HTTP   string // host:port
	remote string
	gossip string
	Proxy  *Proxy // to the store
	cfg    Config
	log    *os.File

	mu      sync.Mutex
	cmd     *exec.Cmd     // guarded by mu; nil between two processes
	life    int           // guarded by mu; counts the processes, from 1
	ready   bool          // guarded by mu; the process has said so
	changed chan struct{} // guarded by mu; closed when any of these changes
	rest    time.Duration // guarded by mu; before the next start
	asked   bool          // guarded by mu; the end of this process is our doing
	exits   []string      // guarded by mu; ends that were not: the last words
}

// RestartAfter is the time between an unexpected end and the next start.
const RestartAfter = 300 * time.Millisecond

// Start starts all nodes, and calls between when the first is ready. It
// returns when all are.
func Start(ctx context.Context, h *harness.Harness, cfg Config, between func(context.Context) error) (f *Fleet, err error) {
	dir, err := os.MkdirTemp("", "fairfactor-fleet-")
	if err != nil {
		return nil, err
	}
	started := &Fleet{h: h, Dir: dir}
	f = started
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	f.stop = stop
	defer func() {
		if err != nil {
			started.Close()
		}
	}()
	if cfg.Network {
		if f.Network, err = newNetwork(ctx, cfg.Nodes); err != nil {
			return nil, err
		}
	}
	for i := range cfg.Nodes {
		n, err := f.newNode(i, cfg)
		if err != nil {
			return nil, err
		}
		f.Nodes = append(f.Nodes, n)
	}
	for i, n := range f.Nodes {
		f.work.Go(func() { n.run(running) })
		if i > 0 || between == nil {
			continue
		}
		if err := n.await(ctx, harness.StartTime, n.isReady); err != nil {
			return nil, fmt.Errorf("%s did not become ready: %w: %s", n.Name, err, n.LastWords())
		}
		if err := between(ctx); err != nil {
			return nil, err
		}
	}
	return f, f.Healthy(ctx)
}

func (f *Fleet) newNode(i int, cfg Config) (*Node, error) {
	n := &Node{fleet: f, Index: i, Name: fmt.Sprintf("n%d", i+1), cfg: cfg, changed: make(chan struct{})}
	near := "127.0.0.1"
	if f.Network != nil {
		n.host, near = f.Network.addr(i), f.Network.gateway()
		n.HTTP, n.remote, n.gossip = n.host+":5555", n.host+":5556", n.host+":5557"
	} else {
		n.host = fmt.Sprintf("127.0.0.%d", 10+i)
		for _, at := range []*string{&n.HTTP, &n.remote, &n.gossip} {
			addr, err := FreeAddr(n.host)
			if err != nil {
				return nil, err
			}
			*at = addr
		}
	}
	var err error
	if n.Proxy, err = newProxy(near, cfg.Store); err != nil {
		return nil, err
	}
	n.log, err = os.Create(filepath.Join(f.Dir, n.Name+".log"))
	return n, err
}

// FreeAddr returns a free host:port, neither by TCP nor by UDP. It
// is below the ports that the system gives to outgoing connections as long as
// the process ids differ, so that a node finds it free again after a restart.
func FreeAddr(host string) (string, error) {
	for port := 20000 + os.Getpid()%10000; port < 32000; port++ {
		addr := fmt.Sprintf("%s:%d", host, port)
		if !claim(addr) {
			continue
		}
		tcp, err := net.Listen("tcp", addr)
		if err != nil {
			continue
		}
		tcp.Close()
		udp, err := net.ListenPacket("udp", addr)
		if err != nil {
			continue
		}
		udp.Close()
		return addr, nil
	}
	return "", errors.New("no free port on " + host)
}

// claimed are the addresses that this process has given to nodes.
var claimed sync.Map

func claim(addr string) bool {
	_, taken := claimed.LoadOrStore(addr, true)
	return !taken
}

// run starts the node again and again until ctx ends.
func (n *Node) run(ctx context.Context) {
	defer n.log.Close()
	for ctx.Err() == nil {
		n.mu.Lock()
		rest := n.rest
		n.rest = RestartAfter
		n.mu.Unlock()
		if wait.For(ctx, rest) != nil {
			return
		}
		n.once(ctx)
	}
}

// once runs the node until it ends.
func (n *Node) once(ctx context.Context) {
	n.mu.Lock()
	n.life++
	cmd := n.command(ctx)
	out, err := cmd.StdoutPipe()
	if err == nil {
		cmd.Stderr = n.log
		fmt.Fprintf(n.log, "---- %s starts, life %d, %s\n", n.Name, n.life, time.Now().Format(time.TimeOnly))
		err = cmd.Start()
	}
	if err != nil {
		n.exits = append(n.exits, err.Error())
		n.mu.Unlock()
		return
	}
	n.cmd, n.asked = cmd, false
	n.tell()
	n.mu.Unlock()

	lines := bufio.NewReader(out)
	if line, err := lines.ReadString('\n'); err == nil && strings.Contains(line, " is ready on ") {
		n.mu.Lock()
		n.ready = true
		n.tell()
		n.mu.Unlock()
	}
	io.Copy(io.Discard, lines)
	err = cmd.Wait()

	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.asked && ctx.Err() == nil {
		n.exits = append(n.exits, fmt.Sprintf("%s, life %d, %s: %v: %s", n.Name, n.life, time.Now().Format(time.TimeOnly), err, n.lastLine()))
	}
	n.cmd, n.ready = nil, false
	n.tell()
}

// command is the node's command line. The name under which it writes to the store
// says which process it was.
func (n *Node) command(ctx context.Context) *exec.Cmd {
	args := []string{
		"serve", "--node", n.Name, "--data", filepath.Join(n.fleet.Dir, n.Name), "--http", n.HTTP, "--remote", n.remote, "--gossip", n.gossip,
		"--store", n.cfg.DSN(n.Proxy.addr(), fmt.Sprintf("%s/%d", n.Name, n.life)),
		"--workers", fmt.Sprint(n.cfg.Workers), "--log-level", "info",
	}
	for _, other := range n.fleet.Nodes {
		if other != n {
			args = append(args, "--join", other.gossip)
		}
	}
	args = append(args, n.cfg.Flags...)
	if n.fleet.Network == nil {
		return exec.CommandContext(ctx, n.fleet.h.Program, args...)
	}
	return n.fleet.Network.command(ctx, n.Index, n.fleet.h.Program, append(args, "--insecure", "--open")...)
}

// tell wakes who waits for a change. n.mu is held.
func (n *Node) tell() {
	close(n.changed)
	n.changed = make(chan struct{})
}

// isReady reports whether a process is there that has said so. n.mu is held.
func (n *Node) isReady() bool { return n.ready }

// await waits until a condition, which is called with n.mu held, is true.
func (n *Node) await(ctx context.Context, limit time.Duration, condition func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		n.mu.Lock()
		yes, changed := condition(), n.changed
		n.mu.Unlock()
		if yes {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Signal sends a signal to the process that is there, if any. If it is one that
// ends it, the next one starts after a rest.
func (n *Node) Signal(sig syscall.Signal, rest time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.cmd == nil {
		return
	}
	if sig == syscall.SIGKILL || sig == syscall.SIGTERM {
		n.asked, n.rest = true, rest
	}
	n.cmd.Process.Signal(sig)
}

// CPU is what the process that is there has used; it is an error if there is no
// process, or if it is on a host of its own.
func (n *Node) CPU() (time.Duration, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.cmd == nil || n.fleet.Network != nil {
		return 0, fmt.Errorf("the CPU of %s is not known", n.Name)
	}
	return harness.CPUOf(n.cmd.Process.Pid)
}

// stopped is what a node says in the end of the CPU that its turns took.
var stopped = regexp.MustCompile(`(?m)msg=stopped turns=\d+ cpu=(\S+) halted=(\S+) ended=(\S+) spare=(\S+) moved=(\S+) unsaved=(\S+) broken=(\S+)$`)

// TurnCPU is what turns took, and of that what no job has.
type TurnCPU struct {
	Used    time.Duration
	Halted  time.Duration // their jobs had ended, for those that were cancelled one way or another
	Ended   time.Duration // likewise, but the turns were at their end already
	Spare   time.Duration // their jobs did not need them any more
	Moved   time.Duration // their callers had moved
	Unsaved time.Duration // what a caller knew when it moved, and the store did not
	Broken  time.Duration // they were broken off when their node could not wait any longer
}

func (c *TurnCPU) parts() []*time.Duration {
	return []*time.Duration{&c.Used, &c.Halted, &c.Ended, &c.Spare, &c.Moved, &c.Unsaved, &c.Broken}
}

// Plus is the sum of two.
func (c TurnCPU) Plus(d TurnCPU) TurnCPU {
	for i, part := range c.parts() {
		*part += *d.parts()[i]
	}
	return c
}

// Minus is the difference of two.
func (c TurnCPU) Minus(d TurnCPU) TurnCPU {
	for i, part := range c.parts() {
		*part -= *d.parts()[i]
	}
	return c
}

// TurnCPU is that of all processes that have ended by SIGTERM.
func (n *Node) TurnCPU() (total TurnCPU, err error) {
	raw, err := os.ReadFile(n.log.Name())
	if err != nil {
		return total, err
	}
	for _, line := range stopped.FindAllSubmatch(raw, -1) {
		var one TurnCPU
		for i, part := range one.parts() {
			if *part, err = time.ParseDuration(string(line[i+1])); err != nil {
				return total, err
			}
		}
		total = total.Plus(one)
	}
	return total, nil
}

// Pid is the id of the process that is there, or zero.
func (n *Node) Pid() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.cmd == nil {
		return 0
	}
	return n.cmd.Process.Pid
}

// Lives returns how many processes there were.
func (n *Node) Lives() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.life
}

// Restart ends the process with a signal and returns when the next one is ready.
func (n *Node) Restart(ctx context.Context, sig syscall.Signal, rest time.Duration) error {
	life := n.Lives()
	n.Signal(sig, rest)
	return n.await(ctx, harness.StartTime, func() bool { return n.life > life && n.ready })
}

// lastLine is the end of the node's log.
func (n *Node) lastLine() string {
	words := strings.TrimSpace(n.LastWords())
	return words[strings.LastIndexByte(words, '\n')+1:]
}

// LastWords are the last lines of the node's log.
func (n *Node) LastWords() string {
	raw, err := os.ReadFile(n.log.Name())
	if err != nil {
		return err.Error()
	}
	return string(raw[max(0, len(raw)-harness.TailBytes):])
}

// Healthy waits until every node is ready.
func (f *Fleet) Healthy(ctx context.Context) error {
	for _, n := range f.Nodes {
		if err := n.await(ctx, harness.StartTime, n.isReady); err != nil {
			return fmt.Errorf("%s is not ready: %w: %s", n.Name, err, n.LastWords())
		}
	}
	return nil
}

// Exits are the unexpected ends, in words.
func (f *Fleet) Exits() (all []string) {
	for _, n := range f.Nodes {
		n.mu.Lock()
		all = append(all, n.exits...)
		n.mu.Unlock()
	}
	return all
}

// Addrs are where the nodes take requests.
func (f *Fleet) Addrs() (addrs []string) {
	for _, n := range f.Nodes {
		addrs = append(addrs, n.HTTP)
	}
	return addrs
}

// Panics are the lines of the nodes' logs that tell of a panic or a data race.
func (f *Fleet) Panics() (lines []string) {
	for _, n := range f.Nodes {
		raw, err := os.ReadFile(n.log.Name())
		if err != nil {
			lines = append(lines, err.Error())
		}
		for line := range strings.Lines(string(raw)) {
			if strings.HasPrefix(line, "panic:") || strings.HasPrefix(line, "fatal error:") || strings.Contains(line, "DATA RACE") {
				lines = append(lines, n.Name+": "+strings.TrimSpace(line))
			}
		}
	}
	return lines
}

// Close ends everything but leaves the logs.
func (f *Fleet) Close() {
	f.stop()
	for _, n := range f.Nodes {
		n.Signal(syscall.SIGKILL, 0)
	}
	f.work.Wait()
	for _, n := range f.Nodes {
		n.Proxy.close()
	}
	if f.Network != nil {
		f.Network.close()
	}
}
