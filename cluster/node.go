package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"time"

	"fairfactor"

	"github.com/asynkron/protoactor-go/actor"
	clustering "github.com/asynkron/protoactor-go/cluster"
	"github.com/asynkron/protoactor-go/remote"
	"github.com/oklog/ulid/v2"
)

// Node is this process's place in the cluster.
type Node struct {
	id      string
	cfg     Config
	log     *slog.Logger
	system  *actor.ActorSystem
	cluster *clustering.Cluster

	router   *router
	provider *provider
	viewers  *viewers
	blocks   sync.RWMutex // guards protoactor's list of members that left
	breaks   breaks

	remoteAt, gossipAt endpoint
	starting           context.Context // of Start, until it returns
	started            chan error
	listening          bool // protoactor's server was started

	running context.Context // until Stop has ended
	halt    context.CancelFunc
	tasks   sync.WaitGroup
	stop    sync.Once
	stopped error
}

// Start starts a node and joins it to the others. When it returns, virtual
// actors can be reached; if no seed answered, that is this node's own ones only,
// and it goes on looking.
func Start(ctx context.Context, cfg Config) (*Node, error) {
	n, err := newNode(cfg)
	if err != nil {
		return nil, err
	}
	if err := n.start(ctx); err != nil {
		n.close()
		return nil, err
	}
	return n, nil
}

func newNode(cfg Config) (*Node, error) {
	id := ulid.Make().String()
	cfg, err := cfg.checked(id)
	if err != nil {
		return nil, err
	}
	n := &Node{id: id, cfg: cfg, log: cfg.Logger, started: make(chan error, 1), viewers: newViewers()}
	if n.remoteAt, err = parseEndpoint("--remote", cfg.Remote, cfg.Advertise); err != nil {
		return nil, err
	}
	if n.gossipAt, err = parseEndpoint("--gossip", cfg.Gossip, cfg.Advertise); err != nil {
		return nil, err
	}
	if n.remoteAt.port == 0 && n.remoteAt.advertise != n.remoteAt.host {
		if n.remoteAt.port, err = freePort(n.remoteAt.host); err != nil {
			return nil, bindError("--remote", cfg.Remote, err)
		}
	}
	if err := n.checkPlain(); err != nil {
		return nil, err
	}

	n.system = actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(library{cfg.Logger.Handler()})
	}))
	// protoactor shuts out for ever a member that left, by id, and counts process
	// ids from one: neither may be what an earlier process on this address had.
	n.system.ID = id
	n.system.ProcessRegistry.SequenceID = rand.Uint64()

	n.router = &router{
		system:   n.system,
		log:      cfg.Logger,
		timing:   cfg.Timing,
		kinds:    cfg.Kinds,
		table:    newTable(),
		requests: newRequests(id),
		waiting:  newWaiting(),
	}
	n.router.standing.Store(&standing{placement: newPlacement(View{})})
	source := cfg.Membership
	switch {
	case cfg.Table != nil:
		n.router.lease = newLease(cfg)
	case source == nil:
		source = &gossipDecides{}
	}
	n.provider = newProvider(n, source)
	n.running, n.halt = context.WithCancel(context.Background())
	return n, nil
}

// checkPlain refuses, or at least says so, when others on the network can read or
// send traffic.
func (n *Node) checkPlain() error {
	if !n.remoteAt.loopback() && n.cfg.TLS == nil {
		if !n.cfg.Insecure {
			return fairfactor.Errorf(fairfactor.Invalid,
				"actor traffic at --remote %s would not be encrypted, and anybody who reaches it could control this node: give --tls-cert, --tls-key and --tls-ca, which fairfactor certs makes, or take the risk with --insecure", n.cfg.Remote)
		}
		n.log.Warn("ACTOR TRAFFIC IS NOT ENCRYPTED: anybody who reaches the port can control this node, see --tls-cert", "remote", n.cfg.Remote)
	}
	if !n.gossipAt.loopback() && len(n.cfg.GossipKey) == 0 {
		if !n.cfg.Insecure {
			return fairfactor.Errorf(fairfactor.Invalid,
				"gossip at --gossip %s would not be encrypted, and anybody who reaches it could join: give --gossip-key, or take the risk with --insecure", n.cfg.Gossip)
		}
		n.log.Warn("GOSSIP IS NOT ENCRYPTED: anybody who reaches the port can join, see --gossip-key", "gossip", n.cfg.Gossip)
	}
	return nil
}

func (n *Node) start(ctx context.Context) error {
	n.starting = ctx
	n.system.EventStream.Subscribe(n.unreachable) // before protoactor does
	config := clustering.Configure(n.cfg.Cluster, n.provider, &lookup{n}, traffic(n.remoteAt, n.cfg, &n.blocks, &n.breaks))
	// protoactor's own gossip takes members for dead that aren't; ours decides.
	config.GossipInterval = 24 * time.Hour
	n.cluster = clustering.New(n.system, config)
	n.background(func(ctx context.Context) { n.router.waiting.run(n.router, ctx.Done()) })
	n.background(n.viewers.run)
	go n.member()
	if err := <-n.started; err != nil {
		return n.startError(err)
	}
	n.log.Info("node started", "node", n.cfg.Name, "id", n.id, "remote", n.system.Address(),
		"gossip", n.provider.gossip.list.LocalNode().Address())
	return nil
}

// member starts protoactor's member, which panics when it can't, and sleeps for a
// second when it could. The provider, which it starts last, reports success
// before that.
func (n *Node) member() {
	defer func() {
		if p := recover(); p != nil {
			err, ok := p.(error)
			if !ok {
				err = fmt.Errorf("%v", p)
			}
			n.started <- err
		}
	}()
	n.cluster.StartMember()
}

func (n *Node) startError(err error) error {
	var own *fairfactor.Error
	switch {
	case errors.As(err, &own):
		return err
	case n.starting.Err() != nil:
		return fairfactor.Wrap(fairfactor.Canceled, err, "the start was given up")
	case !n.listening:
		return bindError("--remote", net.JoinHostPort(n.remoteAt.host, strconv.Itoa(n.remoteAt.port)), err)
	default:
		return fairfactor.Wrap(fairfactor.Internal, err, "the cluster node did not start")
	}
}

// unreachable hears protoactor's events about connections, before protoactor
// itself does.
func (n *Node) unreachable(event any) {
	e, ok := event.(*remote.EndpointTerminatedEvent)
	if !ok {
		return
	}
	n.breaks.note(e.Address)
	n.router.unreachable(e.Address)
	if g := n.provider.listening.Load(); g != nil {
		g.broke(n.running, e.Address)
	}
}

// background runs f until the node has stopped.
func (n *Node) background(f func(context.Context)) {
	n.tasks.Go(func() { f(n.running) })
}

// ID returns the id of this process in the cluster, a ULID. It is never used
// again.
func (n *Node) ID() string { return n.id }

// System returns the actor system, for the plain actors of this node.
func (n *Node) System() *actor.ActorSystem { return n.system }

// Tell sends m to a virtual actor, which is activated if needed. It doesn't
// block. The message may be lost: when its owner dies, or no owner is found
// within [Timing].Tell. Messages may overtake each other while their owner
// changes. m must not be changed afterwards.
func (n *Node) Tell(kind, identity string, m any) {
	h := identityHash(kind, identity)
	if n.router.lease.lapsed() {
		n.router.drop(&letter{kind: kind, identity: identity})
		return
	}
	if a := n.router.table.get(h, kind, identity); a != nil && a.post(m) {
		return
	}
	n.router.send(&letter{kind: kind, identity: identity, hash: h, message: m})
}

// Ask sends m to a virtual actor, which is activated if needed, and returns what
// the actor responds. It asks again while the owner changes, when the connection
// breaks, and when the answer takes long: m may arrive more than once. It ends with ctx, or after
// [Timing].Ask if ctx has no deadline. Errors are Unavailable when nobody
// answered, Canceled when ctx was, Internal when the actor panicked.
func (n *Node) Ask(ctx context.Context, kind, identity string, m any) (any, error) {
	return n.router.ask(ctx, &letter{kind: kind, identity: identity, hash: identityHash(kind, identity), message: m})
}

// AskOnce is Ask for what must not be done twice: when a member may have got m and
// its answer is lost, or takes longer than [Timing].Attempt, the error is [fairfactor.ErrUnanswered].
func (n *Node) AskOnce(ctx context.Context, kind, identity string, m any) (any, error) {
	return n.router.ask(ctx, &letter{kind: kind, identity: identity, hash: identityHash(kind, identity), message: m, once: true})
}

// Await is Ask for an answer that comes when something has happened, however long
// that takes: it asks again when its owner changes, and never because it waits. The
// answer can get lost on the way, so ctx should end now and then.
func (n *Node) Await(ctx context.Context, kind, identity string, m any) (any, error) {
	return n.router.ask(ctx, &letter{kind: kind, identity: identity, hash: identityHash(kind, identity), message: m, patient: true})
}

// Peek is Ask for what only an active actor knows: it activates none. Without an
// activation the error is not_found.
func (n *Node) Peek(ctx context.Context, kind, identity string, m any) (any, error) {
	return n.router.ask(ctx, &letter{kind: kind, identity: identity, hash: identityHash(kind, identity), message: m, peek: true})
}

// Deactivate stops all virtual actors of a kind on this node. The next message for
// one of them activates it again.
func (n *Node) Deactivate(kind string) {
	for _, a := range n.router.table.collect(func(a *activation) bool { return a.kind == kind }) {
		a.stop()
	}
}

// TellMember sends m to the actor with this name on a member. It doesn't block,
// and the message may be lost. Between two members messages keep their order.
func (n *Node) TellMember(member, name string, m any) {
	n.router.send(&letter{member: member, identity: name, message: m})
}

// AskMember sends m to the actor with this name on a member and returns what it
// responds, like [Node.Ask]. It is Unavailable at once when that member isn't in
// the view.
func (n *Node) AskMember(ctx context.Context, member, name string, m any) (any, error) {
	return n.router.ask(ctx, &letter{member: member, identity: name, message: m})
}

// Ready says why this node may not act now: it could not renew its lease, or was
// taken for dead. It is nil for a node that may, which one without a table of
// members always does.
func (n *Node) Ready() error {
	if n.router.lease.lapsed() {
		return errFenced
	}
	return nil
}

// View returns the cluster as this node sees it.
func (n *Node) View() View { return n.router.standing.Load().view }

// OnView has f called with the view that holds and with each that follows, in
// order, all from one goroutine.
func (n *Node) OnView(f func(View)) { n.viewers.add(f) }

// Stats counts what a node does.
type Stats struct {
	Activations map[string]int // that live here, by kind
	Waiting     int            // messages for which there is no owner now
	Dropped     uint64         // tells that found no owner, since the start
}

// Stats returns the counts of now.
func (n *Node) Stats() Stats {
	return Stats{
		Activations: n.router.table.len(),
		Waiting:     n.router.waiting.len(),
		Dropped:     n.router.dropped.Load(),
	}
}
