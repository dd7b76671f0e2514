package cluster

import (
	"context"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"fairfactor"
	"fairfactor/cluster/clusterpb"

	"github.com/asynkron/protoactor-go/actor"
	clustering "github.com/asynkron/protoactor-go/cluster"
	"google.golang.org/protobuf/proto"
)

// resend is the time between announcements of a view that others don't seem to
// follow, and between checks for requests whose answers are late.
const resend = 200 * time.Millisecond

// provider is what protoactor calls a cluster provider: it says who is a member.
// One goroutine does it all: it asks the Membership when gossip has noticed a
// change, gives protoactor the full list, stops activations whose owner has
// changed, and finds out when all members follow the same view.
//
// The last step keeps two members whose views differ from activating the same
// identity. A member announces a view when the activations that the view takes
// from it have stopped, and no member makes a new activation before all members
// of its view have announced the same one. A member that doesn't answer delays
// that until gossip drops it or [Timing].Settle is over; from then on only the
// epochs in the store protect what is written.
type provider struct {
	node    *Node
	cluster *clustering.Cluster
	gossip  *gossip // nil until it listens

	listening atomic.Pointer[gossip] // gossip, for other goroutines
	running   bool                   // run was called
	source    Membership             // set when gossip listens, if a table decides
	news      chan news              // from other members
	quit      chan struct{}          // closed by stop
	done      chan struct{}          // closed when run has ended
	orders    chan func()            // run by the goroutine
	moved     chan *standing         // every activation that had to stop for this view has stopped
	settled   chan struct{}          // closed when the first view has settled

	// Owned by the goroutine.
	now       *standing
	announced bool                  // now.hash has been announced
	since     time.Time             // when now came
	reports   map[string]uint64     // hash of the view that a member follows
	goodbyes  map[string]*actor.PID // members that leave and wait for a view without them
	halted    []*activation         // told to stop when the lease ran out, and not stopped yet
	fenced    bool                  // the lease has run out
	first     sync.Once
}

// news is a message of another member about views.
type news struct {
	message proto.Message
	sender  *actor.PID
}

func newProvider(n *Node, source Membership) *provider {
	return &provider{
		node:     n,
		source:   source,
		news:     make(chan news, 256),
		quit:     make(chan struct{}),
		done:     make(chan struct{}),
		orders:   make(chan func()),
		moved:    make(chan *standing, 16),
		settled:  make(chan struct{}),
		now:      &standing{placement: newPlacement(View{})},
		reports:  make(map[string]uint64),
		goodbyes: make(map[string]*actor.PID),
	}
}

// StartMember implements [clustering.ClusterProvider]. protoactor calls it last, so
// the topology may be updated from here on.
func (p *provider) StartMember(c *clustering.Cluster) error {
	n := p.node
	p.cluster = c
	g, err := newGossip(n.starting, n.cfg, n.id, n.system.Address(), n.gossipAt)
	if err != nil {
		return err
	}
	p.gossip = g
	p.listening.Store(g)
	if l := n.router.lease; l != nil {
		self := fairfactor.Member{ID: n.id, Name: n.cfg.Name, Address: n.system.Address(), Gossip: g.list.LocalNode().Address()}
		if err := l.enter(n.starting, self, g); err != nil {
			return err
		}
		l.start()
		d := newLeased(l, g, n.id, n.cfg.Timing.Unheard)
		d.answers = n.router.answers
		d.judge(l.members(), nil)
		p.source = d
	}
	ctx, cancel := context.WithTimeout(n.starting, n.cfg.Timing.Join)
	g.join(ctx)
	cancel()
	if err := n.starting.Err(); err != nil {
		return err
	}
	p.running = true
	go p.run()
	n.background(g.rejoin)
	var removed <-chan struct{}
	if l := n.router.lease; l != nil {
		removed = l.removed
	}
	select {
	case <-p.settled:
	case <-removed:
		return fairfactor.Errorf(fairfactor.Unavailable, "the other nodes removed this one as dead while it started: start it again")
	case <-n.starting.Done():
		return n.starting.Err()
	}
	n.started <- nil
	return nil
}

// StartClient implements [clustering.ClusterProvider]; every node is a member.
func (p *provider) StartClient(*clustering.Cluster) error { return nil }

// Shutdown implements [clustering.ClusterProvider]. [Node.Stop] does the work.
func (p *provider) Shutdown(bool) error { return nil }

// hear queues news from another member. When the queue is full it waits, which
// holds up that member's stream.
func (p *provider) hear(n news) {
	select {
	case p.news <- n:
	case <-p.quit:
	}
}

// order runs f on the provider's goroutine and waits for it.
func (p *provider) order(f func()) {
	done := make(chan struct{})
	select {
	case p.orders <- func() { f(); close(done) }:
		<-done
	case <-p.done:
	}
}

func (p *provider) run() {
	defer close(p.done)
	p.decide()
	poll := time.NewTicker(p.node.cfg.Timing.Probe)
	defer poll.Stop()
	resends := time.NewTicker(resend)
	defer resends.Stop()
	var leased <-chan struct{}
	if l := p.node.router.lease; l != nil {
		leased = l.changed
	}
	for {
		select {
		case <-p.quit:
			return
		case <-p.gossip.changed:
			p.decide()
		case <-poll.C:
			p.decide()
		case <-leased:
			p.decide()
		case n := <-p.news:
			p.handle(n)
		case st := <-p.moved:
			if st.placement == p.now.placement {
				p.announced = true
				p.announce(true)
				p.settle()
				p.farewell()
			}
		case <-resends.C:
			p.node.router.requests.expire(time.Now())
			if p.announced && !p.now.settled {
				p.announce(true)
				p.settle()
			}
		case f := <-p.orders:
			f()
		}
	}
}

// decide asks the Membership who is a member and follows its view.
func (p *provider) decide() {
	if p.now.closing || !p.may() {
		return // this node is leaving, or may not act
	}
	ctx, cancel := context.WithTimeout(context.Background(), p.node.cfg.Timing.Probe)
	defer cancel()
	v, err := p.source.Decide(ctx, p.gossip.alive())
	if err != nil {
		p.node.log.Warn("membership unknown, keeping the last view", "err", err)
		return
	}
	if v.Version != p.now.view.Version {
		p.follow(v)
	}
}

// may tells whether this node may act. When its lease has run out it stops all
// activations; it may act again when they have stopped and the lease is renewed.
func (p *provider) may() bool {
	n := p.node
	if !n.router.lease.lapsed() {
		return true
	}
	if !p.fenced {
		p.fenced = true
		n.log.Error("the lease in the table of members was not renewed in time, this node stops acting")
		p.halted = n.router.table.collect(func(*activation) bool { return true })
		for _, a := range p.halted {
			a.stop()
		}
		n.router.requests.fail(func(*request) bool { return true }, gone{})
	}
	for len(p.halted) > 0 {
		select {
		case <-p.halted[0].done:
			p.halted = p.halted[1:]
		default:
			return false
		}
	}
	if !n.router.lease.lift() {
		return false
	}
	p.fenced = false
	n.log.Info("the lease was renewed, this node acts again")
	return true
}

// follow makes v the view of this node. The order matters: publishing v ends new
// activations under the old view before the ones whose owner has changed are
// stopped, and protoactor drops its connections to members that left before their
// requests are failed.
func (p *provider) follow(v View) {
	n := p.node
	v.Members = slices.Clone(v.Members)
	for i := range v.Members {
		v.Members[i].Self = v.Members[i].ID == n.id
	}
	st := &standing{placement: newPlacement(v), former: p.now.former, closing: p.now.closing}
	if p.now.settled {
		st.former = p.now.placement
	}
	st.keepLinks(p.now.placement)
	p.set(st)
	p.announced, p.since = false, time.Now()
	for id := range p.reports {
		if !v.has(id) {
			delete(p.reports, id)
		}
	}
	n.log.Info("view changed", "version", v.Version, "members", len(v.Members))
	n.blocks.Lock()
	p.cluster.MemberList.UpdateClusterTopology(members(v))
	n.blocks.Unlock()
	n.router.abandon(v)

	moved := n.router.table.collect(func(a *activation) bool { return st.owner(a.hash) != st.self })
	n.background(func(ctx context.Context) {
		n.retired(ctx, moved)
		select {
		case p.moved <- st:
		case <-p.quit:
		}
	})
	n.viewers.publish(v)
	n.router.waiting.look()
}

func (p *provider) set(st *standing) {
	p.now = st
	p.node.router.standing.Store(st)
}

// handle handles news.
func (p *provider) handle(n news) {
	switch m := n.message.(type) {
	case *clusterpb.Applied:
		if len(p.reports) < 4096 || p.now.view.has(m.Member) {
			p.reports[m.Member] = m.View
		}
		if m.Answer && p.announced {
			p.tell(m.Member, false)
		}
		if m.View != p.now.hash {
			p.node.router.lease.poke()
		}
		p.settle()
	case *clusterpb.Leaving:
		if len(p.goodbyes) < 4096 && n.sender != nil {
			p.goodbyes[m.Member] = n.sender
		}
		p.gossip.leaving(m.Member)
		p.node.router.lease.poke()
		p.decide()
		p.farewell()
	}
}

// announce tells the members that are not known to follow the view of this node
// that this node does; all members if it has just begun to.
func (p *provider) announce(answer bool) {
	for _, m := range p.now.view.Members {
		if !m.Self && (!p.now.settled || p.reports[m.ID] != p.now.hash) {
			p.tell(m.ID, answer)
		}
	}
}

func (p *provider) tell(member string, answer bool) {
	at := p.now.index(member)
	if at < 0 || at == p.now.self {
		return
	}
	applied := &clusterpb.Applied{Member: p.node.id, View: p.now.hash, Answer: answer}
	if via, relayed := p.now.way(at); relayed {
		p.node.system.Root.Send(p.now.targets[via], &clusterpb.Relay{Member: member, Applied: applied})
		return
	}
	p.node.system.Root.Send(p.now.targets[at], applied)
}

// settle allows new activations when all members follow the view, or the time for
// that is over.
func (p *provider) settle() {
	if !p.announced || p.now.settled {
		return
	}
	for _, m := range p.now.view.Members {
		if m.Self || p.reports[m.ID] == p.now.hash {
			continue
		}
		if time.Since(p.since) < p.node.cfg.Timing.Settle {
			return
		}
		p.node.log.Warn("a member does not follow the view, going on without it", "node", m.Name, "id", m.ID)
	}
	p.set(&standing{placement: p.now.placement, settled: true, closing: p.now.closing})
	p.first.Do(func() { close(p.settled) })
	p.node.router.waiting.look()
}

// farewell answers members that leave, once the view is without them.
func (p *provider) farewell() {
	for id, sender := range p.goodbyes {
		if p.announced && !p.now.view.has(id) {
			p.node.system.Root.Send(sender, &clusterpb.Done{})
			delete(p.goodbyes, id)
		}
	}
}

// members returns v in protoactor's form: all members, each time.
func members(v View) clustering.Members {
	list := make(clustering.Members, 0, len(v.Members))
	for _, m := range v.Members {
		host, port, err := net.SplitHostPort(m.Address)
		if err != nil {
			continue
		}
		number, err := strconv.ParseInt(port, 10, 32)
		if err != nil {
			continue
		}
		list = append(list, &clustering.Member{Id: m.ID, Host: bracketed(host), Port: int32(number)})
	}
	return list
}
