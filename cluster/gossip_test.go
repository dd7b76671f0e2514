package cluster

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"fairfactor"

	"github.com/hashicorp/memberlist"
)

// silent is a network on which gossip can be stopped.
type silent struct {
	*memberlist.NetTransport
	mu  sync.Mutex
	cut bool // guarded by mu
}

func (s *silent) set(cut bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cut = cut
}

func (s *silent) broken() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cut
}

func (s *silent) WriteToAddress(b []byte, a memberlist.Address) (time.Time, error) {
	if s.broken() {
		return time.Now(), nil
	}
	return s.NetTransport.WriteToAddress(b, a)
}

func (s *silent) DialAddressTimeout(a memberlist.Address, timeout time.Duration) (net.Conn, error) {
	if s.broken() {
		return nil, context.DeadlineExceeded
	}
	return s.NetTransport.DialAddressTimeout(a, timeout)
}

// said is a log that can be looked at.
type said struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (s *said) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(b)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

// gossiping starts the gossip of a node, with a profile for nodes in one process.
func gossiping(t *testing.T, id string, change func(*Config)) (*gossip, *silent, *said) {
	t.Helper()
	log := new(said)
	network := new(silent)
	cfg := Config{
		Name: id, Gossip: "127.0.0.1:0", Remote: "127.0.0.1:0", Logger: slog.New(slog.NewTextHandler(log, nil)),
		Timing: Timing{
			Probe: 50 * time.Millisecond, ProbeTimeout: 25 * time.Millisecond, Spread: 10 * time.Millisecond, SuspicionMult: 2,
			RejoinAlone: 50 * time.Millisecond, Rejoin: 200 * time.Millisecond, Join: time.Second,
		},
	}
	cfg.tune = func(c *memberlist.Config) {
		inner, err := memberlist.NewNetTransport(&memberlist.NetTransportConfig{BindAddrs: []string{c.BindAddr}, Logger: c.Logger})
		if err != nil {
			t.Fatal(err)
		}
		network.NetTransport = inner
		c.GossipToTheDeadTime = time.Millisecond // a partition that lasts
		c.BindPort, c.AdvertisePort, c.Transport = inner.GetAutoBindPort(), inner.GetAutoBindPort(), network
	}
	if change != nil {
		change(&cfg)
	}
	cfg, err := cfg.checked("01ARZ3NDEKTSV4RRFFQ69G5FAV")
	if err != nil {
		t.Fatal(err)
	}
	e, err := parseEndpoint("--gossip", cfg.Gossip, "")
	if err != nil {
		t.Fatal(err)
	}
	g, err := newGossip(t.Context(), cfg, id, "127.0.0.1:1", e)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { g.join(ctx); g.rejoin(ctx); close(done) }()
	t.Cleanup(func() {
		cancel()
		<-done
		_ = g.list.Shutdown()
	})
	return g, network, log
}

func (g *gossip) address() string { return g.list.LocalNode().Address() }

func joining(g *gossip) func(*Config) {
	return func(c *Config) { c.Join = []string{g.address()} }
}

func within(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("waited in vain: " + what)
		}
	}
}

// memberlist never looks again for a member that it has lost: after a partition
// both sides would stay alone, also the one that knows no seed.
func TestGossipHealsAfterAPartition(t *testing.T) {
	a, netA, _ := gossiping(t, "a", nil)
	b, netB, _ := gossiping(t, "b", joining(a))
	for round := range 2 {
		within(t, "both see each other", func() bool { return len(a.alive()) == 2 && len(b.alive()) == 2 })
		netA.set(true)
		netB.set(true)
		within(t, "both are alone", func() bool { return len(a.alive()) == 1 && len(b.alive()) == 1 })
		if round == 1 { // a has no seed: it looks where b was
			b.mu.Lock()
			b.seeds, b.lost = nil, nil
			b.mu.Unlock()
		}
		netA.set(false)
		netB.set(false)
	}
	within(t, "the partition heals", func() bool { return len(a.alive()) == 2 && len(b.alive()) == 2 })
}

// Members of the roll are looked for without any seed, at once.
func TestGossipLooksForMembersOfTheRoll(t *testing.T) {
	slow := func(c *Config) { c.Timing.RejoinAlone, c.Timing.Rejoin = time.Hour, time.Hour }
	a, _, _ := gossiping(t, "a", slow)
	b, _, _ := gossiping(t, "b", slow)
	b.expect([]string{a.address()})
	within(t, "both see each other", func() bool { return len(a.alive()) == 2 && len(b.alive()) == 2 })
}

// Seeds may be names, and many of them may not exist.
func TestGossipJoinsByName(t *testing.T) {
	a, _, _ := gossiping(t, "a", nil)
	_, port, _ := net.SplitHostPort(a.address())
	b, _, _ := gossiping(t, "b", func(c *Config) { c.Join = []string{"127.0.0.1:1", "no.such.name.invalid:1", "localhost:" + port} })
	within(t, "both see each other", func() bool { return len(a.alive()) == 2 && len(b.alive()) == 2 })
}

// Nodes of another cluster, or with another key, are not heard, and the log of
// both sides says so.
func TestGossipOfOthersIsNotHeard(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"other cluster": {func(c *Config) { c.Cluster = "other" }, "unacceptable label"},
		"other key":     {func(c *Config) { c.GossipKey = bytes.Repeat([]byte{2}, 32) }, "no installed keys could decrypt"},
		"no key":        {func(c *Config) { c.GossipKey = nil }, "not encrypted"},
	} {
		t.Run(name, func(t *testing.T) {
			key := func(c *Config) { c.GossipKey = bytes.Repeat([]byte{1}, 32) }
			a, _, logA := gossiping(t, "a", key)
			b, _, logB := gossiping(t, "b", func(c *Config) { key(c); joining(a)(c); tt.change(c) })
			within(t, "the seed says why", func() bool { return strings.Contains(logA.String(), tt.want) })
			within(t, "the newcomer says that it is not let in", func() bool { return strings.Contains(logB.String(), "seed not reachable") })
			if len(a.alive()) != 1 || len(b.alive()) != 1 {
				t.Errorf("they see each other: %v, %v", a.alive(), b.alive())
			}
			if !strings.Contains(logA.String(), "level=WARN") {
				t.Errorf("not loud enough: %s", logA.String())
			}
		})
	}
}

// memberlist panics when the description of a node has more than 512 bytes.
func TestMetaFitsInto512Bytes(t *testing.T) {
	const framing = 6 // two fields, the second with a length of two bytes or more
	room := memberlist.MetaMaxSize - framing - MaxName
	for extra, ok := range map[int]bool{0: true, 1: false} {
		meta, err := newMeta(strings.Repeat("n", MaxName), strings.Repeat("a", room+extra))
		if (err == nil) != ok || err != nil && fairfactor.CodeOf(err) != fairfactor.Invalid {
			t.Errorf("%d bytes: %v", memberlist.MetaMaxSize+extra, err)
		}
		if ok && len(meta) != memberlist.MetaMaxSize {
			t.Errorf("%d bytes, the test wants %d", len(meta), memberlist.MetaMaxSize)
		}
	}
}
