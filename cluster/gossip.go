package cluster

import (
	"context"
	"log"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"

	"fairfactor"
	"fairfactor/cluster/clusterpb"

	"github.com/hashicorp/memberlist"
	"google.golang.org/protobuf/proto"
)

// maxLost bounds the addresses of members that vanished and are looked for
// again.
const maxLost = 32

// maxMet bounds the addresses that a node remembers to close its connections to.
const maxMet = 4096

// gossip tells which nodes are alive, through memberlist.
//
// memberlist calls the Notify methods with its lock held, and what it returns is
// changed under that lock too. So they only copy, and never call back.
type gossip struct {
	log    *slog.Logger
	timing Timing
	seeds  []string
	meta   []byte
	id     string
	list   *memberlist.Memberlist

	changed chan struct{} // holds one: seen has changed
	wanted  chan struct{} // holds one: there is somebody new to look for

	mu   sync.Mutex
	seen map[string]Member // guarded by mu; alive as far as gossip knows
	left map[string]bool   // guarded by mu; said that they go
	// doubted are those that are looked at by [gossip.doubt], ended those of them
	// whose process has ended. Guarded by mu.
	doubted, ended map[string]bool
	checks         sync.WaitGroup // added to under mu
	closed         bool           // guarded by mu: no more checks
	lost           []string       // guarded by mu; gossip addresses of those that vanished
	// expected are gossip addresses of members that were never seen, or are no
	// more. Guarded by mu.
	expected []string
	// met are the addresses of actor traffic of all nodes that were ever seen, at
	// most maxMet. Guarded by mu.
	met map[string]bool
}

// newMeta returns what others shall know of this node.
func newMeta(name, address string) ([]byte, error) {
	meta, err := proto.Marshal(&clusterpb.NodeMeta{Name: name, Address: address})
	if err == nil && len(meta) > memberlist.MetaMaxSize { // memberlist would panic
		return nil, fairfactor.Errorf(fairfactor.Invalid,
			"node name and address take %d bytes, at most %d are allowed: choose shorter ones with --node and --advertise",
			len(meta), memberlist.MetaMaxSize)
	}
	return meta, err
}

// newGossip starts to listen at e. It doesn't look for others yet.
func newGossip(ctx context.Context, cfg Config, id, address string, e endpoint) (*gossip, error) {
	meta, err := newMeta(cfg.Name, address)
	if err != nil {
		return nil, err
	}
	bind, err := ip(ctx, "--gossip", e.host)
	if err != nil {
		return nil, err
	}
	advertise, err := ip(ctx, "--advertise", e.advertise)
	if err != nil {
		return nil, err
	}
	g := &gossip{
		log:     cfg.Logger,
		timing:  cfg.Timing,
		seeds:   cfg.Join,
		meta:    meta,
		id:      id,
		changed: make(chan struct{}, 1),
		wanted:  make(chan struct{}, 1),
		seen:    make(map[string]Member),
		left:    make(map[string]bool),
		doubted: make(map[string]bool),
		ended:   make(map[string]bool),
		met:     make(map[string]bool),
	}
	c := memberlist.DefaultLANConfig()
	c.Name = id
	c.Label = cfg.Cluster
	c.BindAddr, c.BindPort = bind, e.port
	c.AdvertiseAddr, c.AdvertisePort = advertise, e.port
	c.ProbeInterval, c.ProbeTimeout = cfg.Timing.Probe, cfg.Timing.ProbeTimeout
	c.SuspicionMult, c.SuspicionMaxTimeoutMult = cfg.Timing.SuspicionMult, cfg.Timing.SuspicionMaxMult
	c.GossipInterval = cfg.Timing.Spread
	c.TCPTimeout = cfg.Timing.Join / 2
	c.SecretKey = cfg.GossipKey
	c.Delegate, c.Events = g, g
	c.Logger = log.New(gossipLog{cfg.Logger}, "", 0)
	if cfg.tune != nil {
		cfg.tune(c)
	}
	g.list, err = memberlist.Create(c)
	if err != nil {
		return nil, bindError("--gossip", net.JoinHostPort(e.host, strconv.Itoa(e.port)), err)
	}
	return g, nil
}

// join looks for others at the seeds, at the addresses of lost members and of
// those that should be there, at all of them at once, for at most as long as ctx
// lasts.
func (g *gossip) join(ctx context.Context) {
	g.mu.Lock()
	seeds := g.seeds
	addresses := slices.Concat(seeds, g.lost, g.expected)
	g.mu.Unlock()
	slices.Sort(addresses)
	var tries sync.WaitGroup
	for _, a := range slices.Compact(addresses) {
		tries.Go(func() {
			if _, err := g.list.Join([]string{a}); err != nil {
				level := slog.LevelDebug
				if slices.Contains(seeds, a) {
					level = slog.LevelInfo
				}
				g.log.Log(ctx, level, "seed not reached", "seed", a, "err", err)
			}
		})
	}
	done := make(chan struct{})
	go func() { tries.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// expect says at which addresses there should be members that aren't seen. New
// ones are looked for at once.
func (g *gossip) expect(addresses []string) {
	g.mu.Lock()
	news := slices.ContainsFunc(addresses, func(a string) bool { return !slices.Contains(g.expected, a) })
	g.expected = addresses
	g.mu.Unlock()
	if news {
		select {
		case g.wanted <- struct{}{}:
		default:
		}
	}
}

// missing tells whether somebody is expected.
func (g *gossip) missing() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.expected) > 0
}

// rejoin looks for others again and again until ctx ends: memberlist never does,
// so that a partition that has healed would stay two clusters.
func (g *gossip) rejoin(ctx context.Context) {
	for {
		pause := time.Duration(float64(g.timing.Rejoin) * (0.9 + 0.2*rand.Float64()))
		// Not the whole pause at once: a node may become alone meanwhile.
		for end := time.Now().Add(pause); time.Now().Before(end) && g.waits(ctx, time.Until(end)); {
		}
		if ctx.Err() != nil {
			return
		}
		g.join(ctx)
	}
}

// waits waits for a while, at most for limit, and tells whether it is too early
// to look for others.
func (g *gossip) waits(ctx context.Context, limit time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-g.wanted:
		return false
	case <-time.After(min(limit, g.timing.RejoinAlone)):
		return g.list.NumMembers() > 1 && !g.missing()
	}
}

// alive returns the nodes that count as alive now, this one among them.
func (g *gossip) alive() []Member {
	g.mu.Lock()
	defer g.mu.Unlock()
	members := make([]Member, 0, len(g.seen))
	for _, m := range g.seen {
		if !g.left[m.ID] && !g.ended[m.ID] {
			members = append(members, m)
		}
	}
	return members
}

// addresses returns where the actor traffic of all nodes is that were ever seen.
func (g *gossip) addresses() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Collect(maps.Keys(g.met))
}

// leaving notes that a member goes: it isn't alive from now on.
func (g *gossip) leaving(id string) {
	g.mu.Lock()
	if _, ok := g.seen[id]; ok {
		g.left[id] = true
	}
	g.mu.Unlock()
	g.signal()
}

func (g *gossip) signal() {
	select {
	case g.changed <- struct{}{}:
	default:
	}
}

// NotifyJoin implements [memberlist.EventDelegate].
func (g *gossip) NotifyJoin(n *memberlist.Node) {
	var meta clusterpb.NodeMeta
	if err := proto.Unmarshal(n.Meta, &meta); err != nil || meta.Address == "" {
		g.log.Warn("node without a readable description ignored", "node", n.Name, "err", err)
		return
	}
	m := Member{ID: n.Name, Name: meta.Name, Address: meta.Address, Gossip: n.Address(), State: Alive, Self: n.Name == g.id}
	g.mu.Lock()
	g.seen[m.ID] = m
	if len(g.met) < maxMet {
		g.met[m.Address] = true
	}
	g.lost = slices.DeleteFunc(g.lost, func(a string) bool { return a == m.Gossip })
	g.mu.Unlock()
	g.signal()
}

// NotifyUpdate implements [memberlist.EventDelegate].
func (g *gossip) NotifyUpdate(n *memberlist.Node) { g.NotifyJoin(n) }

// NotifyLeave implements [memberlist.EventDelegate].
func (g *gossip) NotifyLeave(n *memberlist.Node) {
	g.mu.Lock()
	said := g.left[n.Name] // memberlist knows too, but n.State doesn't tell
	delete(g.seen, n.Name)
	delete(g.left, n.Name)
	if !said && n.Name != g.id && !slices.Contains(g.lost, n.Address()) {
		if len(g.lost) == maxLost {
			g.lost = g.lost[1:]
		}
		g.lost = append(g.lost, n.Address())
	}
	g.mu.Unlock()
	g.signal()
}

// NodeMeta implements [memberlist.Delegate].
func (g *gossip) NodeMeta(int) []byte { return g.meta }

// NotifyMsg implements [memberlist.Delegate]; members talk through actors.
func (g *gossip) NotifyMsg([]byte) {}

// GetBroadcasts implements [memberlist.Delegate].
func (g *gossip) GetBroadcasts(int, int) [][]byte { return nil }

// LocalState implements [memberlist.Delegate].
func (g *gossip) LocalState(bool) []byte { return nil }

// MergeRemoteState implements [memberlist.Delegate].
func (g *gossip) MergeRemoteState([]byte, bool) {}
