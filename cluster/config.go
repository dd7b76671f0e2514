package cluster

import (
	"context"
	"log/slog"
	"net"
	"reflect"
	"time"

	"fairfactor"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/hashicorp/memberlist"
)

// Bounds of a [Config].
const (
	MaxName  = 128                     // bytes of a node's name
	MaxLabel = memberlist.LabelMaxSize // bytes of a cluster's name
)

// DefaultCluster is the default name of a cluster.
const DefaultCluster = "fairfactor"

// Config says what node to start.
type Config struct {
	Name    string // of the node, for people; default the start of its id
	Cluster string // a node ignores nodes of another one; default [DefaultCluster]

	Remote    string   // host:port of actor traffic; port 0 takes any
	Gossip    string   // host:port of gossip, TCP and UDP; port 0 takes any
	Advertise string   // host at which others reach this node; default the host it binds
	Join      []string // host:port of the gossip of others; names may stand for many
	GossipKey []byte   // 16, 24 or 32 bytes that encrypt gossip; nil for none
	TLS       *TLS     // of actor traffic; nil for plain text
	// Renew returns what replaces TLS for new connections, the same pointer while
	// nothing has changed; it is asked at each handshake. nil for never.
	Renew func() *TLS
	// Insecure allows actor traffic without TLS and gossip without a key at
	// addresses that other machines reach.
	Insecure bool

	// Kinds are the virtual actors. An actor learns which one it is from
	// [Identity]. The mailbox belongs to this package; props with their own are
	// refused.
	Kinds map[string]*actor.Props
	// Retire has messages for actors of some kinds that another member will have. Such an
	// actor brings what it is at to an end and stops itself, or is stopped after
	// [Timing].Retire; until then it gets what others tell it. Those of other kinds stop at
	// once.
	Retire map[string]any

	// Table is where all nodes agree on who is a member: this node holds a lease
	// there and does nothing without it. Nil for a node that is alone, or if the
	// nodes have no table.
	Table fairfactor.MemberTable
	// Membership decides who is a member if there is no Table; nil stands for the
	// members that gossip sees.
	Membership Membership
	// Fatal is called when the others have removed this node as dead: the process
	// must end, and may be started again. It must not block.
	Fatal func(error)

	Logger *slog.Logger // default none
	Timing Timing

	// Tests put these between the node and the network.
	dial func(ctx context.Context, address string) (net.Conn, error)
	tune func(*memberlist.Config)
}

// Timing holds every delay of a node. A zero field takes its default.
type Timing struct {
	// Gossip. With the defaults a killed member leaves the view after 2.6 to 2.9 s,
	// measured with 3 to 5 members, and no live member does under full CPU load.
	Probe            time.Duration // between probes of a member; 500 ms
	ProbeTimeout     time.Duration // of a probe; 250 ms
	SuspicionMult    int           // 4
	SuspicionMaxMult int           // 2
	Spread           time.Duration // between rounds of gossip; 200 ms

	Join        time.Duration // how long Start waits for the seeds; 5 s
	RejoinAlone time.Duration // between tries to find others while alone; 5 s
	Rejoin      time.Duration // between tries to heal a partition, +-10 %; 60 s

	Lease   time.Duration // in the Table; 10 s. A node that could not renew it for 0.8 of that is fenced
	Unheard time.Duration // after which a member that gossip never saw counts as dead; 3 s

	Ask     time.Duration // an Ask whose context has no deadline; 10 s
	Attempt time.Duration // how long to wait for another member's answer before a retry, doubled each time; 2 s
	Tell    time.Duration // how long a Tell looks for an owner; 3 s
	Settle  time.Duration // how long a new view waits for all members to follow it; 5 s
	Retire  time.Duration // how long actors that are to retire may take until they are stopped; 1 s
	Drain   time.Duration // how long activations may take to stop; 5 s
	Connect time.Duration // to another member's actor traffic; 1 s
}

func (t Timing) withDefaults() Timing {
	durations := []struct {
		field *time.Duration
		value time.Duration
	}{
		{&t.Probe, 500 * time.Millisecond},
		{&t.ProbeTimeout, 250 * time.Millisecond},
		{&t.Spread, 200 * time.Millisecond},
		{&t.Join, 5 * time.Second},
		{&t.RejoinAlone, 5 * time.Second},
		{&t.Rejoin, time.Minute},
		{&t.Lease, 10 * time.Second},
		{&t.Unheard, 3 * time.Second},
		{&t.Ask, 10 * time.Second},
		{&t.Attempt, 2 * time.Second},
		{&t.Tell, 3 * time.Second},
		{&t.Settle, 5 * time.Second},
		{&t.Retire, time.Second},
		{&t.Drain, 5 * time.Second},
		{&t.Connect, time.Second},
	}
	for _, d := range durations {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
	if t.SuspicionMult <= 0 {
		t.SuspicionMult = 4
	}
	if t.SuspicionMaxMult <= 0 {
		t.SuspicionMaxMult = 2
	}
	return t
}

// checked returns cfg with its defaults, or what is wrong with it.
func (cfg Config) checked(id string) (Config, error) {
	if cfg.Name == "" {
		cfg.Name = "node-" + id[len(id)-6:]
	}
	if cfg.Cluster == "" {
		cfg.Cluster = DefaultCluster
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	cfg.Timing = cfg.Timing.withDefaults()
	if cfg.Fatal == nil {
		cfg.Fatal = func(error) {}
	}
	if cfg.Table != nil && cfg.Membership != nil {
		return cfg, fairfactor.Errorf(fairfactor.Internal, "both Table and Membership are set: one of them decides who is a member")
	}
	if len(cfg.Name) > MaxName {
		return cfg, fairfactor.Errorf(fairfactor.Invalid,
			"the node name has %d bytes, at most %d are allowed: choose a shorter one with --node", len(cfg.Name), MaxName)
	}
	if len(cfg.Cluster) > MaxLabel {
		return cfg, fairfactor.Errorf(fairfactor.Invalid,
			"the cluster name has %d bytes, at most %d are allowed: choose a shorter one with --cluster", len(cfg.Cluster), MaxLabel)
	}
	switch len(cfg.GossipKey) {
	case 0, 16, 24, 32:
	default:
		return cfg, fairfactor.Errorf(fairfactor.Invalid,
			"the gossip key has %d bytes; it must have 16, 24 or 32: see --gossip-key", len(cfg.GossipKey))
	}
	if err := cfg.TLS.check(cfg.Cluster, time.Now()); err != nil {
		return cfg, err
	}
	for kind, props := range cfg.Kinds {
		if kind == "" || props == nil {
			return cfg, fairfactor.Errorf(fairfactor.Internal, "kind %q has no props", kind)
		}
		if !reflect.ValueOf(props).Elem().FieldByName("mailboxProducer").IsNil() {
			return cfg, fairfactor.Errorf(fairfactor.Internal, "kind %q has its own mailbox, which belongs to the cluster", kind)
		}
	}
	return cfg, nil
}
