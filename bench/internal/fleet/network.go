package fleet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
)

// Network is a private network of hosts with addresses of their own: network
// namespaces on one bridge, with this process on it too. Packets from one host to
// another can be dropped, in one direction or both. It needs root, and the
// programs ip, nsenter, unshare and iptables.
//
// A namespace lives as long as a process in it, so each is held by one that ends
// when this process does, whatever ends it: nothing is left behind.
type Network struct {
	net   string // first three numbers of all addresses
	own   string // this process's end of its cable, empty if it has none
	hub   *holder
	hosts []*holder

	mu      sync.Mutex
	dropped map[[2]int]bool // guarded by mu; from one host to another
}

// holder keeps a namespace alive.
type holder struct {
	cmd   *exec.Cmd
	stdin io.Closer
}

// Addresses are in 198.18.0.0/15, which is set aside for measuring networks (RFC 2544).
// One process has one network at a time, and its number in that range is its own as
// long as no more than 512 run on a machine.
func newNetwork(ctx context.Context, hosts int) (*Network, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("network namespaces need root: run as root, or leave out what cuts the network")
	}
	number := os.Getpid() % 512
	n := &Network{net: fmt.Sprintf("198.%d.%d.", 18+number/256, number%256), dropped: map[[2]int]bool{}}
	var err error
	if n.hub, err = hold(ctx); err != nil {
		return nil, err
	}
	if err := n.connect(ctx, number, hosts); err != nil {
		n.close()
		return nil, err
	}
	return n, nil
}

// connect puts this process (as host 1) and the hosts on a bridge in the hub.
func (n *Network) connect(ctx context.Context, number, hosts int) error {
	if err := n.hub.run(ctx, "ip", "link", "add", "lan", "type", "bridge"); err != nil {
		return err
	}
	if err := n.hub.run(ctx, "ip", "link", "set", "lan", "up"); err != nil {
		return err
	}
	own := fmt.Sprintf("ff-lan%d", number)
	if err := n.plug(ctx, own, "own", n.gateway(), nil); err != nil {
		return err
	}
	n.own = own
	for i := range hosts {
		h, err := hold(ctx)
		if err != nil {
			return err
		}
		n.hosts = append(n.hosts, h)
		if err := h.run(ctx, "ip", "link", "set", "lo", "up"); err != nil {
			return err
		}
		if err := n.plug(ctx, "eth0", fmt.Sprintf("host%d", i), n.addr(i), h); err != nil {
			return err
		}
	}
	return nil
}

// plug makes a cable with one end in the hub and the other in a host, or with
// this process if that is nil.
func (n *Network) plug(ctx context.Context, name, port, addr string, h *holder) error {
	in := func(args ...string) error {
		if h != nil {
			return h.run(ctx, args...)
		}
		return tool(ctx, args...)
	}
	if err := in("ip", "link", "add", name, "type", "veth", "peer", "name", port, "netns", n.hub.pid()); err != nil {
		return err
	}
	if err := in("ip", "addr", "add", addr+"/24", "dev", name); err != nil {
		return err
	}
	if err := in("ip", "link", "set", name, "up"); err != nil {
		return err
	}
	if err := n.hub.run(ctx, "ip", "link", "set", port, "master", "lan"); err != nil {
		return err
	}
	return n.hub.run(ctx, "ip", "link", "set", port, "up")
}

// gateway is the address of this process.
func (n *Network) gateway() string { return n.net + "1" }

// addr is the address of a host.
func (n *Network) addr(host int) string { return n.net + strconv.Itoa(10+host) }

// command is a program that runs on a host. It keeps its process id.
func (n *Network) command(ctx context.Context, host int, program string, args ...string) *exec.Cmd {
	return n.hosts[host].command(ctx, append([]string{program}, args...)...)
}

// Drop drops what is sent from one host to another, from now on.
func (n *Network) Drop(ctx context.Context, from, to int) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.dropped[[2]int{from, to}] {
		return nil
	}
	n.dropped[[2]int{from, to}] = true
	return n.hosts[to].run(ctx, "iptables", "-w", "-A", "INPUT", "-s", n.addr(from), "-j", "DROP")
}

// Heal lets everything through again.
func (n *Network) Heal(ctx context.Context) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	var errs []error
	for pair := range n.dropped {
		errs = append(errs, n.hosts[pair[1]].run(ctx, "iptables", "-w", "-F", "INPUT"))
	}
	clear(n.dropped)
	return errors.Join(errs...)
}

// close removes the network. What runs on its hosts must have ended. A namespace
// without a process goes at some later time; the cable is taken out before, so
// that the next network finds its name and addresses free.
func (n *Network) close() {
	if n.own != "" {
		_ = tool(context.Background(), "ip", "link", "del", n.own) // it may have gone with the hub
	}
	for _, h := range append(n.hosts, n.hub) {
		h.close()
	}
}

// hold makes a namespace.
func hold(ctx context.Context) (*holder, error) {
	h := &holder{cmd: exec.CommandContext(context.WithoutCancel(ctx), "unshare", "--net", "sh", "-c", "echo ready; exec cat")}
	var err error
	if h.stdin, err = h.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := h.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	h.cmd.Stderr = os.Stderr
	if err := h.cmd.Start(); err != nil {
		return nil, err
	}
	if _, err := io.ReadFull(out, make([]byte, len("ready\n"))); err != nil {
		h.close()
		return nil, fmt.Errorf("no network namespace could be made: %w", err)
	}
	return h, nil
}

func (h *holder) pid() string { return strconv.Itoa(h.cmd.Process.Pid) }

func (h *holder) command(ctx context.Context, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, "nsenter", append([]string{"--target", h.pid(), "--net"}, args...)...)
}

func (h *holder) run(ctx context.Context, args ...string) error {
	return finished(h.command(ctx, args...))
}

func (h *holder) close() {
	h.stdin.Close()
	h.cmd.Wait()
}

// tool runs a program to its end.
func tool(ctx context.Context, args ...string) error {
	return finished(exec.CommandContext(ctx, args[0], args[1:]...))
}

func finished(cmd *exec.Cmd) error {
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, bytes.TrimSpace(out))
	}
	return nil
}
