package main

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
	"strings"
	"sync"
	"syscall"
	"time"
)

// fleet is the nodes of one cluster, each a real process, with what lies between
// them and the store that they share. A node that ends is started again, as an
// init system would do, at the same addresses.
type fleet struct {
	b     *bench
	dir   string // of the nodes' logs
	lan   *lan   // nil on loopback, where nothing can be cut but the store
	seats []*seat
	stop  context.CancelFunc
	work  sync.WaitGroup
}

// fleetConfig says what fleet to start.
type fleetConfig struct {
	nodes   int
	lan     bool                           // each on a host of its own
	store   string                         // host:port of the store
	dsn     func(addr, node string) string // the URL of the store as a node that connects to addr
	workers int                            // of each node
	flags   []string                       // more of them
}

// seat is a node's place: addresses that one process after the other has.
type seat struct {
	fleet  *fleet
	index  int
	name   string
	host   string // of all its addresses
	http   string // host:port
	remote string
	gossip string
	link   *link // to the store
	cfg    fleetConfig
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

// Between an end that nobody asked for and the next start.
const restartAfter = 300 * time.Millisecond

// startFleet starts all nodes, and calls between when the first is ready. It
// returns when all are.
func (b *bench) startFleet(ctx context.Context, cfg fleetConfig, between func(context.Context) error) (f *fleet, err error) {
	dir, err := os.MkdirTemp("", "fairfactor-fleet-")
	if err != nil {
		return nil, err
	}
	f = &fleet{b: b, dir: dir}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	f.stop = stop
	defer func() {
		if err != nil {
			f.close()
		}
	}()
	if cfg.lan {
		if f.lan, err = newLan(ctx, cfg.nodes); err != nil {
			return nil, err
		}
	}
	for i := range cfg.nodes {
		s, err := f.newSeat(i, cfg)
		if err != nil {
			return nil, err
		}
		f.seats = append(f.seats, s)
	}
	for i, s := range f.seats {
		f.work.Go(func() { s.run(running) })
		if i > 0 || between == nil {
			continue
		}
		if err := s.await(ctx, startTime, s.isReady); err != nil {
			return nil, fmt.Errorf("%s did not become ready: %w: %s", s.name, err, s.lastWords())
		}
		if err := between(ctx); err != nil {
			return nil, err
		}
	}
	return f, f.healthy(ctx)
}

func (f *fleet) newSeat(i int, cfg fleetConfig) (*seat, error) {
	s := &seat{fleet: f, index: i, name: fmt.Sprintf("n%d", i+1), cfg: cfg, changed: make(chan struct{})}
	near := "127.0.0.1"
	if f.lan != nil {
		s.host, near = f.lan.addr(i), f.lan.gateway()
		s.http, s.remote, s.gossip = s.host+":5555", s.host+":5556", s.host+":5557"
	} else {
		s.host = fmt.Sprintf("127.0.0.%d", 10+i)
		for _, at := range []*string{&s.http, &s.remote, &s.gossip} {
			addr, err := freeAddr(s.host)
			if err != nil {
				return nil, err
			}
			*at = addr
		}
	}
	var err error
	if s.link, err = newLink(near, cfg.store); err != nil {
		return nil, err
	}
	s.log, err = os.Create(filepath.Join(f.dir, s.name+".log"))
	return s, err
}

// freeAddr returns host:port where nobody listens, neither by TCP nor by UDP. It
// is below the ports that the system gives to outgoing connections as long as
// the process ids differ, so that a node finds it free again after a restart.
func freeAddr(host string) (string, error) {
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
func (s *seat) run(ctx context.Context) {
	defer s.log.Close()
	for ctx.Err() == nil {
		s.mu.Lock()
		rest := s.rest
		s.rest = restartAfter
		s.mu.Unlock()
		if pause(ctx, rest) != nil {
			return
		}
		s.once(ctx)
	}
}

// once runs the node until it ends.
func (s *seat) once(ctx context.Context) {
	s.mu.Lock()
	s.life++
	cmd := s.command(ctx)
	out, err := cmd.StdoutPipe()
	if err == nil {
		cmd.Stderr = s.log
		fmt.Fprintf(s.log, "---- %s starts, life %d, %s\n", s.name, s.life, time.Now().Format(time.TimeOnly))
		err = cmd.Start()
	}
	if err != nil {
		s.exits = append(s.exits, err.Error())
		s.mu.Unlock()
		return
	}
	s.cmd, s.asked = cmd, false
	s.tell()
	s.mu.Unlock()

	lines := bufio.NewReader(out)
	if line, err := lines.ReadString('\n'); err == nil && strings.Contains(line, " is ready on ") {
		s.mu.Lock()
		s.ready = true
		s.tell()
		s.mu.Unlock()
	}
	io.Copy(io.Discard, lines)
	err = cmd.Wait()

	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.asked && ctx.Err() == nil {
		s.exits = append(s.exits, fmt.Sprintf("%s, life %d, %s: %v: %s", s.name, s.life, time.Now().Format(time.TimeOnly), err, s.lastLine()))
	}
	s.cmd, s.ready = nil, false
	s.tell()
}

// command is the node's command line. The name under which it writes to the store
// says which process it was.
func (s *seat) command(ctx context.Context) *exec.Cmd {
	args := []string{
		"serve", "--node", s.name, "--http", s.http, "--remote", s.remote, "--gossip", s.gossip,
		"--store", s.cfg.dsn(s.link.addr(), fmt.Sprintf("%s/%d", s.name, s.life)),
		"--workers", fmt.Sprint(s.cfg.workers), "--log-level", "info",
	}
	for _, other := range s.fleet.seats {
		if other != s {
			args = append(args, "--join", other.gossip)
		}
	}
	args = append(args, s.cfg.flags...)
	if s.fleet.lan == nil {
		return exec.CommandContext(ctx, s.fleet.b.program, args...)
	}
	return s.fleet.lan.command(ctx, s.index, s.fleet.b.program, append(args, "--insecure")...)
}

// tell wakes who waits for a change. s.mu is held.
func (s *seat) tell() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// isReady reports whether a process is there that has said so. s.mu is held.
func (s *seat) isReady() bool { return s.ready }

// await waits until a condition, which is called with s.mu held, is true.
func (s *seat) await(ctx context.Context, limit time.Duration, condition func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		s.mu.Lock()
		yes, changed := condition(), s.changed
		s.mu.Unlock()
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

// signal sends a signal to the process that is there, if any. If it is one that
// ends it, the next one starts after a rest.
func (s *seat) signal(sig syscall.Signal, rest time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return
	}
	if sig == syscall.SIGKILL || sig == syscall.SIGTERM {
		s.asked, s.rest = true, rest
	}
	s.cmd.Process.Signal(sig)
}

// lives returns how many processes there were.
func (s *seat) lives() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.life
}

// restart ends the process with a signal and returns when the next one is ready.
func (s *seat) restart(ctx context.Context, sig syscall.Signal, rest time.Duration) error {
	life := s.lives()
	s.signal(sig, rest)
	return s.await(ctx, startTime, func() bool { return s.life > life && s.ready })
}

// lastLine is the end of the node's log.
func (s *seat) lastLine() string {
	words := strings.TrimSpace(s.lastWords())
	return words[strings.LastIndexByte(words, '\n')+1:]
}

// lastWords are the last lines of the node's log.
func (s *seat) lastWords() string {
	raw, err := os.ReadFile(s.log.Name())
	if err != nil {
		return err.Error()
	}
	return string(raw[max(0, len(raw)-tailBytes):])
}

// healthy waits until every node is ready.
func (f *fleet) healthy(ctx context.Context) error {
	for _, s := range f.seats {
		if err := s.await(ctx, startTime, s.isReady); err != nil {
			return fmt.Errorf("%s is not ready: %w: %s", s.name, err, s.lastWords())
		}
	}
	return nil
}

// exits are the ends that nobody asked for, in words.
func (f *fleet) exits() (all []string) {
	for _, s := range f.seats {
		s.mu.Lock()
		all = append(all, s.exits...)
		s.mu.Unlock()
	}
	return all
}

// addrs are where the nodes take requests.
func (f *fleet) addrs() (addrs []string) {
	for _, s := range f.seats {
		addrs = append(addrs, s.http)
	}
	return addrs
}

// panics are the lines of the nodes' logs that tell of a panic or a data race.
func (f *fleet) panics() (lines []string) {
	for _, s := range f.seats {
		raw, err := os.ReadFile(s.log.Name())
		if err != nil {
			lines = append(lines, err.Error())
		}
		for line := range strings.Lines(string(raw)) {
			if strings.HasPrefix(line, "panic:") || strings.HasPrefix(line, "fatal error:") || strings.Contains(line, "DATA RACE") {
				lines = append(lines, s.name+": "+strings.TrimSpace(line))
			}
		}
	}
	return lines
}

// close ends everything but leaves the logs.
func (f *fleet) close() {
	f.stop()
	for _, s := range f.seats {
		s.signal(syscall.SIGKILL, 0)
	}
	f.work.Wait()
	for _, s := range f.seats {
		s.link.close()
	}
	if f.lan != nil {
		f.lan.close()
	}
}
