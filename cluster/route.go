package cluster

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"fairfactor"
	"fairfactor/cluster/clusterpb"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"
)

// maxHops bounds how often members pass on a tell whose owner they don't agree on.
const maxHops = 8

// router delivers messages to virtual actors: to an activation in the table, to a
// new one if this node owns the identity, or to the member that does.
type router struct {
	system   *actor.ActorSystem
	log      *slog.Logger
	timing   Timing
	kinds    map[string]*actor.Props
	retire   map[string]any // see [Config]
	table    *table
	requests *requests
	waiting  *waiting
	lease    *lease                   // nil without a table of members
	standing atomic.Pointer[standing] // written by the provider's goroutine
	dropped  atomic.Uint64            // tells that found no owner
}

// standing is what this node may do under a view. It doesn't change.
type standing struct {
	*placement
	former  *placement // of the last view that settled, nil if this one has
	settled bool       // every member follows this view: new activations are safe
	closing bool       // this node is leaving: no new activations
	stopped bool       // this node has left: nothing is delivered
}

// envelope is a message on its way to an actor.
type envelope struct {
	kind, identity string // kind is empty for a named actor
	member         string // id of the member for a named actor
	hash           uint64
	message        any                // nil until unpacked
	wire           *clusterpb.Deliver // as it came, or nil
	sender         *actor.PID         // where the answer goes, or nil
	hops           uint32             // members that passed it on to this one
	bounced        bool               // it came back from a stopped activation
	once           bool               // it must not be retried when its answer is lost
	patient        bool               // the answer may take long
	peek           bool               // it activates no actor
	waited         bool               // it was in the waiting room
	relayed        bool               // it was last sent to a member that passes it on
	deadline       time.Time
}

// foreign tells whether another member waits for the answer. Such an envelope is not
// passed on: that member asks the owner itself, and a copy that is passed on could
// arrive after the next one, which the member sends when this node leaves.
func (e *envelope) foreign() bool { return e.hops > 0 && e.sender != nil }

// outcome of an attempt to deliver an envelope.
type outcome int

const (
	sent    outcome = iota
	later           // no member can take it now
	notMine         // it came from another member, and this one does not own it
	lost            // it can't be delivered any more
)

// send delivers e, passes it on, keeps it for later, or drops it.
func (r *router) send(e *envelope) {
	switch r.try(e) {
	case later:
		r.park(e)
	case notMine:
		if e.sender != nil {
			r.system.Root.Send(e.sender, &clusterpb.NotMine{})
			return
		}
		r.park(e) // the sender or this node will learn soon who owns it
	case lost:
		r.drop(e)
	}
}

func (r *router) park(e *envelope) {
	if e.deadline.IsZero() {
		e.deadline = time.Now().Add(r.timing.Tell)
	}
	e.waited = true
	if !r.waiting.add(*e) {
		r.drop(e)
	}
}

// drop gives up e. A sender that waits for an answer may retry.
func (r *router) drop(e *envelope) {
	if e.sender != nil {
		r.system.Root.Send(e.sender, &clusterpb.NotMine{})
		return
	}
	r.dropped.Add(1)
	r.log.Debug("message dropped", "kind", e.kind, "identity", e.identity, "node", e.member)
}

// fail tells sender, if there is one, that a retry is of no use.
func (r *router) fail(sender *actor.PID, reason string) {
	if sender != nil {
		r.system.Root.Send(sender, &clusterpb.Failed{Reason: reason})
	}
}

// try makes one attempt to deliver e.
func (r *router) try(e *envelope) outcome {
	if r.lease.lapsed() {
		return lost
	}
	if e.kind == "" {
		return r.tryMember(e)
	}
	if a := r.table.get(e.hash, e.kind, e.identity); a != nil {
		return r.put(a, e)
	}
	st := r.standing.Load()
	at := st.owner(e.hash)
	former := r.retiring(st, e)
	switch {
	case st.stopped:
		return lost
	case former >= 0:
		return r.forward(st, former, e)
	case at < 0:
		return later
	case at == st.self && e.peek:
		r.system.Root.Send(e.sender, &clusterpb.Inactive{})
		return sent
	case at == st.self:
		return r.activate(e)
	case e.foreign() || e.hops > 0 && !e.waited:
		return notMine
	default:
		return r.forward(st, at, e)
	}
}

// retiring returns the index of the member whose actor may be retiring, -1 for none. What it
// waits for comes as a tell; if it has stopped, that member passes it on.
func (r *router) retiring(st *standing, e *envelope) int {
	if st.former == nil || r.retire[e.kind] == nil || e.sender != nil || e.hops > 0 || e.waited {
		return -1
	}
	at := st.former.owner(e.hash)
	if at < 0 {
		return -1
	}
	if at = st.index(st.former.view.Members[at].ID); at == st.self {
		return -1
	}
	return at
}

// activate delivers e to a new activation, or to one that another goroutine has
// just made.
func (r *router) activate(e *envelope) outcome {
	kind := r.kinds[e.kind]
	if kind == nil {
		r.log.Error("message for an unknown kind", "kind", e.kind)
		r.fail(e.sender, "unknown kind "+e.kind)
		return sent
	}
	a, fresh := r.claim(e.kind, e.identity, e.hash)
	if a == nil {
		return later
	}
	out := r.put(a, e)
	if fresh {
		a.spawn(r.system, kind)
	}
	return out
}

// claim returns the activation of an identity, nil if there may be none here
// now. A fresh one has to be spawned by the caller.
func (r *router) claim(kind, identity string, h uint64) (a *activation, fresh bool) {
	k := key{kind, identity}
	s := r.table.shard(h)
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.live[k]; a != nil {
		return a, false
	}
	// Under the lock: [provider.follow] publishes a view that moves the identity
	// before it looks into each shard for activations that must stop.
	st := r.standing.Load()
	if r.lease.lapsed() || st.closing || !st.settled || st.self < 0 || st.owner(h) != st.self {
		return nil, false
	}
	a = newActivation(r, k, h)
	s.live[k] = a
	return a, true
}

// process returns the process of a virtual actor of this node, activating it if
// needed; nil if there may be none here now.
func (r *router) process(kind, identity string) *actor.PID {
	props := r.kinds[kind]
	if props == nil {
		return nil
	}
	a, fresh := r.claim(kind, identity, identityHash(kind, identity))
	if fresh {
		a.spawn(r.system, props)
	}
	if a == nil || !a.ready.Load() {
		return nil
	}
	return a.pid
}

// put delivers e to an activation.
func (r *router) put(a *activation, e *envelope) outcome {
	m, out := r.unpack(e)
	if m != nil && !a.post(m) {
		return later
	}
	return out
}

// unpack returns the message in e as the actor gets it, or nil if it can't be read.
func (r *router) unpack(e *envelope) (any, outcome) {
	if e.message == nil {
		m, err := decode(e.wire)
		if err != nil {
			r.log.Error("message not readable", "kind", e.kind, "identity", e.identity, "type", e.wire.GetType(), "err", err)
			r.fail(e.sender, "unreadable message of type "+e.wire.GetType())
			return nil, sent
		}
		e.message = m
	}
	var m any = e.message
	if e.sender != nil {
		m = &actor.MessageEnvelope{Message: m, Sender: e.sender}
	}
	if e.bounced {
		m = bounced{m}
	}
	return m, sent
}

// forward sends e to the member at index at of st.
func (r *router) forward(st *standing, at int, e *envelope) outcome {
	if e.hops >= maxHops {
		return lost
	}
	wire, err := encode(e)
	if err != nil {
		r.log.Error("message not sent", "kind", e.kind, "identity", e.identity, "err", err)
		r.fail(e.sender, "unsendable message")
		return sent
	}
	via, relayed := st.way(at)
	if e.sender != nil && e.sender.Id == r.requests.name {
		if st.isolated() {
			r.requests.answer(e.sender.RequestId, isolated{})
			return sent
		}
		to := destination{member: st.view.Members[at].ID, address: st.view.Members[via].Address}
		r.requests.sent(e.sender.RequestId, to)
		// A view without that member may have come since st was read; it has failed
		// the requests that it knew of.
		if now := r.standing.Load(); now != st && !now.view.has(to.member) {
			r.requests.answer(e.sender.RequestId, gone{})
			return sent
		}
	}
	e.relayed = relayed
	var m proto.Message = wire
	if relayed {
		relay := &clusterpb.Relay{Member: st.view.Members[at].ID, Deliver: wire}
		if e.sender != nil {
			relay.PatienceMs = time.Until(e.deadline).Milliseconds()
		}
		m = relay
	}
	r.system.Root.RequestWithCustomSender(st.targets[via], m, e.sender)
	return sent
}

// tryMember makes one attempt to deliver e to a named actor.
func (r *router) tryMember(e *envelope) outcome {
	st := r.standing.Load()
	at := st.index(e.member)
	switch {
	case at < 0:
		return lost
	case at != st.self:
		return r.forward(st, at, e)
	}
	process, _ := r.system.ProcessRegistry.GetLocal(e.identity)
	named, ok := process.(*actor.ActorProcess)
	if !ok {
		return later // it may be starting
	}
	m, out := r.unpack(e)
	if m != nil {
		named.SendUserMessage(nil, m)
	}
	return out
}

// bounce sends a message that a did not handle before it stopped to the next
// activation, once.
func (r *router) bounce(a *activation, m any) {
	back, twice := m.(bounced)
	if twice {
		m = back.message
	}
	_, inner, sender := actor.UnwrapEnvelope(m)
	switch inner.(type) {
	case actor.AutoReceiveMessage, actor.SystemMessage:
		return
	}
	if _, ok := wireForm(inner); !ok {
		return // a message of the actor to itself ends with the actor
	}
	e := envelope{kind: a.kind, identity: a.identity, hash: a.hash, message: inner, sender: sender, bounced: true}
	if sender != nil && sender.Address != r.requests.address {
		e.hops = 1
	}
	if twice {
		r.drop(&e)
		return
	}
	r.send(&e)
}

// First and last pause between attempts of a request, while its owner changes.
const (
	firstPause = 2 * time.Millisecond
	lastPause  = 50 * time.Millisecond
)

// ask sends e, and retries it, until there is an answer or ctx ends.
func (r *router) ask(ctx context.Context, e *envelope) (any, error) {
	deadline, ok := ctx.Deadline()
	if !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, r.timing.Ask)
		defer cancel()
		deadline, _ = ctx.Deadline()
	}
	limit := r.timing.Attempt
	if e.patient {
		limit = 0
	}
	for pause := firstPause; ; pause, limit = min(2*pause, lastPause), min(2*limit, r.timing.Ask) {
		req, sender := r.requests.add(limit, e.once)
		e.sender, e.deadline, e.waited, e.relayed = sender, deadline, false, false
		r.send(e)
		answer, err := r.requests.await(ctx, req)
		if err != nil {
			r.log.Debug("request without an answer", "kind", e.kind, "identity", e.identity, "node", e.member, "err", context.Cause(ctx))
			return nil, ended(ctx, e.once)
		}
		switch v := answer.(type) {
		case gone, *clusterpb.Unanswered:
			if e.once {
				return nil, fairfactor.ErrUnanswered
			}
		case isolated:
			return nil, errIsolated
		case *clusterpb.NotMine, *actor.DeadLetterResponse:
			if e.relayed { // no other member reaches it either: nothing changes as fast as an owner does
				pause = max(pause, r.timing.Spread)
			}
		case *clusterpb.Inactive:
			return nil, errInactive
		case *clusterpb.Failed:
			return nil, fairfactor.Wrap(fairfactor.Internal, errors.New(v.Reason), "the request could not be handled")
		default:
			return v, nil
		}
		switch st := r.standing.Load(); {
		case st.stopped:
			return nil, errStopped
		case r.lease.lapsed():
			return nil, errFenced
		case e.member != "" && st.index(e.member) < 0:
			return nil, fairfactor.Errorf(fairfactor.Unavailable, "that member has left the cluster")
		}
		select {
		case <-ctx.Done():
			return nil, ended(ctx, false)
		case <-time.After(pause):
		}
	}
}

// errInactive answers [Node.Peek] when the actor is not active.
var errInactive = fairfactor.Errorf(fairfactor.NotFound, "the actor is not active")

// errStopped answers requests to a node that has stopped.
var errStopped = fairfactor.Errorf(fairfactor.Unavailable, "this node has stopped: ask another")

// errFenced answers requests to a node that has lost its lease.
var errFenced = &fairfactor.Error{
	Code: fairfactor.Unavailable, Message: "this node can't reach the table of members: ask another", Retry: time.Second,
}

// errIsolated answers requests for actors of other members while none of them
// answers. Nothing was sent.
var errIsolated = &fairfactor.Error{
	Code: fairfactor.Unavailable, Message: "this node can't reach any other node of the cluster: ask another", Retry: time.Second,
}

// abandon fails the requests that were sent to former members. Another process at
// such a member's address doesn't know of them.
func (r *router) abandon(v View) {
	r.requests.failSentTo(func(to destination) bool { return to.member != "" && !v.has(to.member) }, gone{})
}

// afterBreak is how long a request may still get into the queue of a connection
// that broke: far longer than it takes, on a busy machine too, to find the connection
// in a list and to put a message into its queue.
const afterBreak = 250 * time.Millisecond

// unreachable fails the requests that were sent to an address: what was written to a
// connection is lost when it breaks, and no answer will come. The same is true of
// what is put into its queue by a sender that found the connection just before it
// is removed from the list, which happens after this. So it fails them twice.
func (r *router) unreachable(address string) {
	fail := func() { r.requests.failSentTo(func(to destination) bool { return to.address == address }, gone{}) }
	fail()
	time.AfterFunc(afterBreak, fail)
}

// ended is the error of a request whose time is over; unsure says that a member may
// have received it and must not receive it twice.
func ended(ctx context.Context, unsure bool) error {
	err := context.Cause(ctx)
	switch {
	case errors.Is(err, context.Canceled):
		return fairfactor.Wrap(fairfactor.Canceled, err, "the request was canceled")
	case unsure:
		return fairfactor.Wrap(fairfactor.Unavailable, errors.Join(fairfactor.ErrUnanswered, err),
			"the request was not answered in time: it may have been carried out")
	}
	return fairfactor.Wrap(fairfactor.Unavailable, err, "no member answered in time: try again")
}
