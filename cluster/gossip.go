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

// maxLost bounds the addresses of vanished members that a node tries to find again.
const maxLost = 32

// maxMet bounds the addresses to which a node closes its connections at the end.
const maxMet = 4096

// gossip tells which nodes are alive, through memberlist.
//
// memberlist calls the Notify methods with its lock held, and changes what it
// passes under that lock. So they only copy, and never call back.
type gossip struct {
	log    *slog.Logger
	timing Timing
	seeds  []string
	meta   []byte
	id     string
	list   *memberlist.Memberlist

	changed chan struct{} // holds one: seen has changed
	wanted  chan struct{} // holds one: expected has a new address

	mu   sync.Mutex
	seen map[string]Member // guarded by mu; alive as far as gossip knows
	left map[string]bool   // guarded by mu; have said that they leave
	// suspected are the members that [gossip.suspect] follows, ended those of them
	// whose process has ended. Guarded by mu.
	suspected, ended map[string]bool
	checks           sync.WaitGroup // added to under mu
	closed           bool           // guarded by mu: no more checks
	lost             []string       // guarded by mu; gossip addresses of vanished members
	// expected are gossip addresses of members that this node doesn't see. Guarded by
	// mu.
	expected []string
	// met are the addresses of actor traffic of all nodes ever seen, at most maxMet.
	// Guarded by mu.
	met map[string]bool
}

// newMeta returns what gossip carries about this node.
func newMeta(name, address string) ([]byte, error) {
	meta, err := proto.Marshal(&clusterpb.NodeMeta{Name: name, Address: address})
	if err == nil && len(meta) > memberlist.MetaMaxSize { // memberlist would panic
		return nil, fairfactor.Errorf(fairfactor.Invalid,
			"node name and address take %d bytes, at most %d are allowed: choose shorter ones with --node and --advertise",
			len(meta), memberlist.MetaMaxSize)
	}
	return meta, err
}

// newGossip listens at e. It doesn't look for others yet.
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
		log:       cfg.Logger,
		timing:    cfg.Timing,
		seeds:     cfg.Join,
		meta:      meta,
		id:        id,
		changed:   make(chan struct{}, 1),
		wanted:    make(chan struct{}, 1),
		seen:      make(map[string]Member),
		left:      make(map[string]bool),
		suspected: make(map[string]bool),
		ended:     make(map[string]bool),
		met:       make(map[string]bool),
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

// join tries to reach others until ctx ends: at the seeds, and at the addresses of
// lost and expected members, all at once.
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
				g.log.Log(ctx, level, "seed not reachable", "seed", a, "err", err)
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

// expect sets the addresses at which there should be members that this node doesn't
// see. It tries new ones at once.
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

// missing tells whether an expected member is not seen.
func (g *gossip) missing() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.expected) > 0
}

// rejoin joins periodically until ctx ends. memberlist never does, so after a
// partition has healed there would still be two clusters.
func (g *gossip) rejoin(ctx context.Context) {
	for {
		pause := time.Duration(float64(g.timing.Rejoin) * (0.9 + 0.2*rand.Float64()))
		// The pause is waited for in parts: a node may become alone meanwhile.
		for end := time.Now().Add(pause); time.Now().Before(end) && g.waits(ctx, time.Until(end)); {
		}
		if ctx.Err() != nil {
			return
		}
		g.join(ctx)
	}
}

// waits waits for at most limit and tells whether it is too early to look for
// others.
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

// alive returns the nodes that count as alive now, including this one.
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

// gone tells whether a member has said that it leaves, or its process has ended.
func (g *gossip) gone(id string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.left[id] || g.ended[id]
}

// state returns the state of a member as gossip sees it.
func (g *gossip) state(id string) State {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch _, seen := g.seen[id]; {
	case g.left[id]:
		return Left
	case !seen || g.suspected[id]:
		return Suspect
	}
	return Alive
}

// addresses returns the addresses of actor traffic of all nodes ever seen.
func (g *gossip) addresses() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Collect(maps.Keys(g.met))
}

// leaving records that a member leaves: it isn't alive from now on.
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
		g.log.Warn("ignoring a node with unreadable metadata", "node", n.Name, "err", err)
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
