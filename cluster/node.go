package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"

	"fairfactor"

	"github.com/asynkron/protoactor-go/actor"
	clustering "github.com/asynkron/protoactor-go/cluster"
	"github.com/asynkron/protoactor-go/remote"
	"github.com/oklog/ulid/v2"
)

// Node is this process as a member of the cluster.
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

// Start starts a node and joins it to the others. When it returns, virtual actors
// can be reached. If no seed answered, these are this node's own only, and the node
// goes on looking for others.
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
	// protoactor blocks a member that left for good, by its id, and counts process
	// ids from one. Neither may equal that of an earlier process on this address.
	n.system.ID = id
	n.system.ProcessRegistry.SequenceID = rand.Uint64()

	n.router = &router{
		system:   n.system,
		log:      cfg.Logger,
		timing:   cfg.Timing,
		kinds:    cfg.Kinds,
		retire:   cfg.Retire,
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

// checkPlain refuses addresses at which others on the network could read or send
// traffic; with --insecure it logs a warning instead.
func (n *Node) checkPlain() error {
	if !n.remoteAt.loopback() && n.cfg.TLS == nil {
		if !n.cfg.Insecure {
			return fairfactor.Errorf(fairfactor.Invalid,
				"actor traffic at --remote %s would not be encrypted, and anyone who reaches it could control this node: give --tls-cert, --tls-key and --tls-ca, which fairfactor certs makes, or accept the risk with --insecure", n.cfg.Remote)
		}
		n.log.Warn("ACTOR TRAFFIC IS NOT ENCRYPTED: anyone who reaches the port can control this node, see --tls-cert", "remote", n.cfg.Remote)
	}
	if !n.gossipAt.loopback() && len(n.cfg.GossipKey) == 0 {
		if !n.cfg.Insecure {
			return fairfactor.Errorf(fairfactor.Invalid,
				"gossip at --gossip %s would not be encrypted, and anyone who reaches it could join: give --gossip-key, or accept the risk with --insecure", n.cfg.Gossip)
		}
		n.log.Warn("GOSSIP IS NOT ENCRYPTED: anyone who reaches the port can join, see --gossip-key", "gossip", n.cfg.Gossip)
	}
	return nil
}

func (n *Node) start(ctx context.Context) error {
	n.starting = ctx
	n.system.EventStream.Subscribe(n.unreachable) // before protoactor does
	config := clustering.Configure(n.cfg.Cluster, n.provider, &lookup{n}, traffic(n.remoteAt, n.cfg, &n.blocks, &n.breaks))
	// protoactor's own gossip reports live members as dead; ours decides.
	config.GossipInterval = 24 * time.Hour
	n.cluster = clustering.New(n.system, config)
	n.background(func(ctx context.Context) { n.router.waiting.run(n.router, ctx.Done()) })
	n.background(n.viewers.run)
	n.background(n.watchLinks)
	go n.member()
	if err := <-n.started; err != nil {
		return n.startError(err)
	}
	n.log.Info("node started", "node", n.cfg.Name, "id", n.id, "remote", n.system.Address(),
		"gossip", n.provider.gossip.list.LocalNode().Address())
	return nil
}

// member starts protoactor's member, which panics on failure, and sleeps for a
// second on success. The provider, which it starts last, reports success before
// that.
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
		return fairfactor.Wrap(fairfactor.Canceled, err, "the start was canceled")
	case !n.listening:
		return bindError("--remote", net.JoinHostPort(n.remoteAt.host, strconv.Itoa(n.remoteAt.port)), err)
	default:
		return fairfactor.Wrap(fairfactor.Internal, err, "the cluster node did not start")
	}
}

// unreachable handles protoactor's events about broken connections, before
// protoactor itself does.
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

// ID returns the id of this process in the cluster, a ULID that no other process
// has.
func (n *Node) ID() string { return n.id }

// System returns the actor system, for the plain actors of this node.
func (n *Node) System() *actor.ActorSystem { return n.system }

// Tell sends m to a virtual actor, which is activated if needed. It doesn't
// block. The message is lost if its owner dies, or if no owner is found within
// [Timing].Tell. Messages may overtake each other while their owner changes. m must
// not be changed afterwards.
func (n *Node) Tell(kind, identity string, m any) {
	h := identityHash(kind, identity)
	if n.router.lease.lapsed() {
		n.router.drop(&envelope{kind: kind, identity: identity})
		return
	}
	if a := n.router.table.get(h, kind, identity); a != nil && a.post(m) {
		return
	}
	n.router.send(&envelope{kind: kind, identity: identity, hash: h, message: m})
}

// Ask sends m to a virtual actor, which is activated if needed, and returns what
// the actor responds. It retries while the owner changes, when the connection
// breaks, and when the answer takes long: m may arrive more than once. It ends with
// ctx, or after [Timing].Ask if ctx has no deadline. Errors are Unavailable if no
// answer came, Canceled if ctx was, Internal if the actor panicked.
func (n *Node) Ask(ctx context.Context, kind, identity string, m any) (any, error) {
	return n.router.ask(ctx, &envelope{kind: kind, identity: identity, hash: identityHash(kind, identity), message: m})
}

// AskOnce is Ask for what must not be done twice. If a member may have received m
// and its answer is lost, or takes longer than [Timing].Attempt, the error is
// [fairfactor.ErrUnanswered].
func (n *Node) AskOnce(ctx context.Context, kind, identity string, m any) (any, error) {
	return n.router.ask(ctx, &envelope{kind: kind, identity: identity, hash: identityHash(kind, identity), message: m, once: true})
}

// Await is Ask for an answer that comes when something has happened, however long
// that takes: it retries when the owner changes, but never because the answer takes
// long. The answer can get lost on the way, so ctx should end now and then.
func (n *Node) Await(ctx context.Context, kind, identity string, m any) (any, error) {
	return n.router.ask(ctx, &envelope{kind: kind, identity: identity, hash: identityHash(kind, identity), message: m, patient: true})
}

// Peek is Ask for what only an active actor knows: it activates no actor. Without
// an activation the error is not_found.
func (n *Node) Peek(ctx context.Context, kind, identity string, m any) (any, error) {
	return n.router.ask(ctx, &envelope{kind: kind, identity: identity, hash: identityHash(kind, identity), message: m, peek: true})
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
	n.router.send(&envelope{member: member, identity: name, message: m})
}

// AskMember sends m to the actor with this name on a member and returns what it
// responds, like [Node.Ask]. It is Unavailable at once when that member isn't in
// the view.
func (n *Node) AskMember(ctx context.Context, member, name string, m any) (any, error) {
	return n.router.ask(ctx, &envelope{member: member, identity: name, message: m})
}

// Ready returns why this node should not be asked now: it could not renew its lease,
// the others removed it, or it reaches none of them. It returns nil if all is well; a
// node that is alone is always ready.
func (n *Node) Ready() error {
	switch {
	case n.router.lease.lapsed():
		return errFenced
	case n.router.standing.Load().isolated():
		return errIsolated
	}
	return nil
}

// View returns the cluster as this node sees it now, with the state of each member.
func (n *Node) View() View {
	v := n.router.standing.Load().view
	g := n.provider.listening.Load()
	if g == nil {
		return v
	}
	v.Members = slices.Clone(v.Members)
	for i := range v.Members {
		m := &v.Members[i]
		if m.State = g.state(m.ID); m.Self && n.router.lease.lapsed() {
			m.State = Suspect
		}
	}
	return v
}

// OnView calls f with the current view and with each later one, in order, from one
// goroutine.
func (n *Node) OnView(f func(View)) { n.viewers.add(f) }

// Stats are a node's counters.
type Stats struct {
	Activations map[string]int // on this node, by kind
	Waiting     int            // messages that have no owner now
	Dropped     uint64         // tells that found no owner, since the start
}

// Stats returns the current counters.
func (n *Node) Stats() Stats {
	return Stats{
		Activations: n.router.table.len(),
		Waiting:     n.router.waiting.len(),
		Dropped:     n.router.dropped.Load(),
	}
}
