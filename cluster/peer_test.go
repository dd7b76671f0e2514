package cluster_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"fairfactor"
	"fairfactor/cluster"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// peer is a node in a process of its own: this test binary once more. protoactor
// sets a global variable of gRPC at each start, so that a second node in one
// process is a race by construction; and only a process can be killed.
type peer struct {
	id, remote, gossip string

	t       testing.TB
	command *exec.Cmd
	in      io.WriteCloser
	ledger  *ledger
	ready   chan struct{}
	ended   chan struct{}

	mu      sync.Mutex
	last    int
	replies map[int]chan string // guarded by mu
}

// settings of a peer; empty fields take what [config] has.
type settings struct {
	remote, gossip, join, label, key string
	settle                           time.Duration
	table                            string         // address of a table of members
	certs                            string         // directory of certificates
	timing                           cluster.Timing // instead of quick
	cut                              []string       // addresses to which nothing arrives, until told otherwise
}

// peerSettings are settings as they reach the peer.
type peerSettings struct {
	Remote, Gossip, Join, Label, Key, Table, Certs string
	Settle                                         time.Duration
	Timing                                         cluster.Timing
	Cut                                            []string
}

func TestMain(m *testing.M) {
	if s := os.Getenv("CLUSTER_PEER"); s != "" {
		var p peerSettings
		if err := json.Unmarshal([]byte(s), &p); err != nil {
			panic(err)
		}
		runPeer(p)
		return
	}
	os.Exit(m.Run())
}

// spawn starts a peer that joins the given address and waits until it is up.
func spawn(t testing.TB, l *ledger, s settings) *peer {
	t.Helper()
	p := launch(t, l, s)
	p.up()
	return p
}

// launch starts a peer.
func launch(t testing.TB, l *ledger, s settings) *peer {
	t.Helper()
	p := &peer{
		t: t, ledger: l, ready: make(chan struct{}), ended: make(chan struct{}),
		replies: make(map[int]chan string),
	}
	p.command = exec.Command(os.Args[0])
	text, err := json.Marshal(peerSettings{s.remote, s.gossip, s.join, s.label, s.key, s.table, s.certs, s.settle, s.timing, s.cut})
	if err != nil {
		t.Fatal(err)
	}
	p.command.Env = append(os.Environ(), "CLUSTER_PEER="+string(text))
	p.command.Stderr = os.Stderr
	if p.in, err = p.command.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	go p.listen(out)
	t.Cleanup(func() { p.kill() })
	return p
}

// up waits until the peer has started.
func (p *peer) up() {
	p.t.Helper()
	select {
	case <-p.ready:
	case <-p.ended:
		p.t.Fatal("peer ended before it was up")
	case <-time.After(longest):
		p.t.Fatal("peer not up")
	}
}

// listen reads what the peer says until it ends.
func (p *peer) listen(out io.Reader) {
	defer close(p.ended)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		f := strings.Split(lines.Text(), "\t")
		switch {
		case f[0] == "ready" && len(f) == 4:
			p.id, p.remote, p.gossip = f[1], f[2], f[3]
			close(p.ready)
		case f[0] == "event" && len(f) == 5: // may come before ready
			at, _ := strconv.ParseInt(f[1], 10, 64)
			p.ledger.note(entry{at, f[2], f[3], f[4]})
		case f[0] == "reply" && len(f) == 3:
			n, _ := strconv.Atoi(f[1])
			p.mu.Lock()
			if c := p.replies[n]; c != nil {
				c <- f[2]
			}
			delete(p.replies, n)
			p.mu.Unlock()
		}
	}
}

// do gives the peer a command and returns its reply.
func (p *peer) do(words ...string) string {
	p.t.Helper()
	p.mu.Lock()
	p.last++
	n, c := p.last, make(chan string, 1)
	p.replies[n] = c
	_, err := fmt.Fprintln(p.in, strconv.Itoa(n)+"\t"+strings.Join(words, "\t"))
	p.mu.Unlock()
	if err != nil {
		p.t.Fatal(err)
	}
	select {
	case reply := <-c:
		return reply
	case <-p.ended:
		return "ended"
	case <-time.After(longest):
		p.t.Fatal("no reply to ", words)
		return ""
	}
}

// stop has the peer leave in good order and end.
func (p *peer) stop() {
	p.t.Helper()
	if reply := p.do("stop"); reply != "ok" {
		p.t.Errorf("peer stopped with %q", reply)
	}
	_ = p.command.Wait()
}

// signal sends a signal to the peer's process.
func (p *peer) signal(s syscall.Signal) { _ = p.command.Process.Signal(s) }

// pause stops the peer's process and waits until all its threads have stopped: on a busy
// machine some still run, and answer, when SIGSTOP has been sent.
func (p *peer) pause(t *testing.T) {
	t.Helper()
	p.signal(syscall.SIGSTOP)
	var status syscall.WaitStatus
	_, err := syscall.Wait4(p.command.Process.Pid, &status, syscall.WUNTRACED, nil)
	for err == syscall.EINTR {
		_, err = syscall.Wait4(p.command.Process.Pid, &status, syscall.WUNTRACED, nil)
	}
	if err != nil || !status.Stopped() {
		t.Fatalf("the peer has not stopped: %v, %v", status, err)
	}
}

// kill ends the peer at once.
func (p *peer) kill() {
	p.ledger.see("killed", "", p.id)
	_ = p.command.Process.Kill()
	<-p.ended
	_ = p.command.Wait()
}

// runPeer is the other end: it obeys its standard input and ends with it.
func runPeer(s peerSettings) {
	var mu sync.Mutex
	say := func(words ...any) {
		mu.Lock()
		defer mu.Unlock()
		for i, w := range words {
			if i > 0 {
				fmt.Print("\t")
			}
			fmt.Print(w)
		}
		fmt.Println()
	}
	c := config(func(event, identity, node string) { say("event", time.Now().UnixNano(), event, identity, node) })
	if s.Remote != "" {
		c.Remote = s.Remote
	}
	if s.Gossip != "" {
		c.Gossip = s.Gossip
	}
	if s.Join != "" {
		c.Join = []string{s.Join}
	}
	c.Cluster, c.GossipKey = s.Label, []byte(s.Key)
	if s.Timing != (cluster.Timing{}) {
		c.Timing = s.Timing
	}
	if s.Settle > 0 {
		c.Timing.Settle = s.Settle
	}
	c.Fatal = func(err error) { say("event", time.Now().UnixNano(), "fatal", fairfactor.MessageOf(err), "-") }
	if s.Certs != "" {
		id, err := loadIdentity(s.Certs, s.Certs)
		if err != nil {
			panic(err)
		}
		c.TLS = id
	}
	if s.Table != "" {
		table, err := dialTable(s.Table)
		if err != nil {
			panic(err)
		}
		c.Table = table
	}
	network := newFaults(&c)
	network.set(s.Cut)
	node, up := (*cluster.Node)(nil), make(chan struct{})
	go func() { node = startPeer(c, say); close(up) }()
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		f := strings.Split(lines.Text(), "\t")
		go func() {
			if f[1] == "cut" {
				network.set(f[2:])
				say("reply", f[0], "ok")
				return
			}
			<-up
			say("reply", f[0], obey(node, f[1:]))
		}()
	}
}

// startPeer starts the node of a peer and says so.
func startPeer(c cluster.Config, say func(...any)) *cluster.Node {
	n, err := cluster.Start(context.Background(), c)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var bytes, messages int
	_, _ = n.System().Root.SpawnNamed(actor.PropsFromFunc(func(ctx actor.Context) {
		if m, ok := ctx.Message().(*wrapperspb.StringValue); ok {
			if ctx.Sender() != nil {
				ctx.Respond(wrapperspb.String(fmt.Sprint(messages, " ", bytes)))
				return
			}
			messages++
			bytes += len(m.Value)
		}
	}), "worker")
	self := n.View().Members[0]
	for _, m := range n.View().Members {
		if m.Self {
			self = m
		}
	}
	say("ready", n.ID(), self.Address, self.Gossip)
	return n
}

// obey carries out one command of the test, other than cut, which sets the addresses to
// which nothing arrives from now on.
func obey(n *cluster.Node, words []string) string {
	switch words[0] {
	case "ask": // identity, text, time limit
		limit, _ := time.ParseDuration(words[3])
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		m, err := n.Ask(ctx, "echo", words[1], wrapperspb.String(words[2]))
		if err != nil {
			return "error " + err.Error()
		}
		return m.(*wrapperspb.StringValue).Value
	case "tell": // kind, identity, text
		n.Tell(words[1], words[2], wrapperspb.String(words[3]))
		return "ok"
	case "ready":
		if err := n.Ready(); err != nil {
			return fairfactor.MessageOf(err)
		}
		return "ok"
	case "activations":
		return strconv.Itoa(n.Stats().Activations["echo"])
	case "version":
		return strconv.FormatUint(n.View().Version, 10)
	case "members":
		return strconv.Itoa(len(n.View().Members))
	case "settled":
		return strconv.FormatBool(n.Settled())
	case "stop":
		if err := n.Stop(context.Background()); err != nil {
			return err.Error()
		}
		defer time.AfterFunc(50*time.Millisecond, func() { os.Exit(0) })
		return "ok"
	}
	return "what?"
}
