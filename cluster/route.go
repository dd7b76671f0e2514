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
)

// maxHops bounds how often members pass on a tell that none of them owns.
const maxHops = 8

// router brings messages to virtual actors: to an activation in the table, to a
// new one if this node owns the identity, or to the member that does.
type router struct {
	system   *actor.ActorSystem
	log      *slog.Logger
	timing   Timing
	kinds    map[string]*actor.Props
	table    *table
	requests *requests
	waiting  *waiting
	lease    *lease                   // nil without a table of members
	standing atomic.Pointer[standing] // written by the provider's goroutine
	dropped  atomic.Uint64            // tells that found no owner
}

// standing is what this node may do. It doesn't change.
type standing struct {
	*placement
	settled bool // every member follows this view: new activations are safe
	closing bool // this node goes: no new activations
	stopped bool // this node has gone: nothing is delivered
}

// letter is a message on its way.
type letter struct {
	kind, identity string // kind is empty for a named actor
	member         string // id of the member for a named actor
	hash           uint64
	message        any                // nil until opened
	wire           *clusterpb.Deliver // as it came, or nil
	sender         *actor.PID         // waits for an answer, or nil
	hops           uint32             // members that passed it on to this one
	again          bool               // it came back from a stopped activation
	once           bool               // it must not be sent again when its answer is lost
	patient        bool               // its answer may take long
	peek           bool               // it activates no actor
	waited         bool
	deadline       time.Time
}

// foreign tells whether another member waits for the answer. Such a letter is not
// passed on: that member asks the owner itself, and a copy that wanders on could
// be handled after the next one, which the member sent when this node went.
func (l *letter) foreign() bool { return l.hops > 0 && l.sender != nil }

// outcome of an attempt to deliver a letter.
type outcome int

const (
	sent    outcome = iota
	later           // nobody can have it now
	notMine         // it came from a member, and this one does not own it
	lost            // nobody can have it ever
)

// send delivers l, or sees that somebody does, or drops it.
func (r *router) send(l *letter) {
	switch r.try(l) {
	case later:
		r.park(l)
	case notMine:
		if l.sender != nil {
			r.system.Root.Send(l.sender, &clusterpb.NotMine{})
			return
		}
		r.park(l) // either the sender or this node learns soon who owns it
	case lost:
		r.drop(l)
	}
}

func (r *router) park(l *letter) {
	if l.deadline.IsZero() {
		l.deadline = time.Now().Add(r.timing.Tell)
	}
	l.waited = true
	if !r.waiting.add(*l) {
		r.drop(l)
	}
}

// drop gives up l. Who waits for an answer may ask again.
func (r *router) drop(l *letter) {
	if l.sender != nil {
		r.system.Root.Send(l.sender, &clusterpb.NotMine{})
		return
	}
	r.dropped.Add(1)
	r.log.Debug("message dropped", "kind", l.kind, "identity", l.identity, "node", l.member)
}

// fail answers sender, if there is one, that asking again is of no use.
func (r *router) fail(sender *actor.PID, reason string) {
	if sender != nil {
		r.system.Root.Send(sender, &clusterpb.Failed{Reason: reason})
	}
}

// try makes one attempt.
func (r *router) try(l *letter) outcome {
	if r.lease.lapsed() {
		return lost
	}
	if l.kind == "" {
		return r.tryMember(l)
	}
	if a := r.table.get(l.hash, l.kind, l.identity); a != nil {
		return r.put(a, l)
	}
	st := r.standing.Load()
	at := st.owner(l.hash)
	switch {
	case st.stopped:
		return lost
	case at < 0:
		return later
	case at == st.self && l.peek:
		r.system.Root.Send(l.sender, &clusterpb.Inactive{})
		return sent
	case at == st.self:
		return r.activate(l)
	case l.foreign() || l.hops > 0 && !l.waited:
		return notMine
	default:
		return r.forward(st, at, l)
	}
}

// activate delivers l to a new activation, or to one that somebody else has just
// made.
func (r *router) activate(l *letter) outcome {
	kind := r.kinds[l.kind]
	if kind == nil {
		r.log.Error("message for an unknown kind", "kind", l.kind)
		r.fail(l.sender, "unknown kind "+l.kind)
		return sent
	}
	a, fresh := r.claim(l.kind, l.identity, l.hash)
	if a == nil {
		return later
	}
	out := r.put(a, l)
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
	// Under the lock: a view that gives the identity away is published first, and
	// then looks into each shard for activations that have to go.
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

// put delivers l to an activation.
func (r *router) put(a *activation, l *letter) outcome {
	m, out := r.open(l)
	if m != nil && !a.post(m) {
		return later
	}
	return out
}

// open returns what an actor gets of l, or nil if it can't be read.
func (r *router) open(l *letter) (any, outcome) {
	if l.message == nil {
		m, err := decode(l.wire)
		if err != nil {
			r.log.Error("message not readable", "kind", l.kind, "identity", l.identity, "type", l.wire.GetType(), "err", err)
			r.fail(l.sender, "unreadable message of type "+l.wire.GetType())
			return nil, sent
		}
		l.message = m
	}
	var m any = l.message
	if l.sender != nil {
		m = &actor.MessageEnvelope{Message: m, Sender: l.sender}
	}
	if l.again {
		m = again{m}
	}
	return m, sent
}

// forward sends l to the member at index at of st.
func (r *router) forward(st *standing, at int, l *letter) outcome {
	if l.hops >= maxHops {
		return lost
	}
	wire, err := encode(l)
	if err != nil {
		r.log.Error("message not sent", "kind", l.kind, "identity", l.identity, "err", err)
		r.fail(l.sender, "unsendable message")
		return sent
	}
	if l.sender != nil && l.sender.Id == r.requests.name {
		to := placeOf(st.view.Members[at])
		r.requests.sent(l.sender.RequestId, to)
		// A view without that member may have come since st was read, and failed
		// the requests it knew of.
		if now := r.standing.Load(); now != st && !now.view.has(to.member) {
			r.requests.answer(l.sender.RequestId, gone{})
			return sent
		}
	}
	r.system.Root.RequestWithCustomSender(st.targets[at], wire, l.sender)
	return sent
}

// tryMember makes one attempt to deliver l to a named actor.
func (r *router) tryMember(l *letter) outcome {
	st := r.standing.Load()
	at := st.index(l.member)
	switch {
	case at < 0:
		return lost
	case at != st.self:
		return r.forward(st, at, l)
	}
	process, _ := r.system.ProcessRegistry.GetLocal(l.identity)
	named, ok := process.(*actor.ActorProcess)
	if !ok {
		return later // it may be on its way up
	}
	m, out := r.open(l)
	if m != nil {
		named.SendUserMessage(nil, m)
	}
	return out
}

// bounce takes back a message that a did not handle before it stopped. It gets a
// second chance with the next activation.
func (r *router) bounce(a *activation, m any) {
	back, twice := m.(again)
	if twice {
		m = back.message
	}
	_, inner, sender := actor.UnwrapEnvelope(m)
	switch inner.(type) {
	case actor.AutoReceiveMessage, actor.SystemMessage:
		return
	}
	if _, ok := wireForm(inner); !ok {
		return // what an actor tells itself ends with it
	}
	l := letter{kind: a.kind, identity: a.identity, hash: a.hash, message: inner, sender: sender, again: true}
	if sender != nil && sender.Address != r.requests.address {
		l.hops = 1
	}
	if twice {
		r.drop(&l)
		return
	}
	r.send(&l)
}

// First and last pause before a request is sent again, while its owner moves.
const (
	firstPause = 2 * time.Millisecond
	lastPause  = 50 * time.Millisecond
)

// ask sends l until there is an answer or ctx ends.
func (r *router) ask(ctx context.Context, l *letter) (any, error) {
	deadline, ok := ctx.Deadline()
	if !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, r.timing.Ask)
		defer cancel()
		deadline, _ = ctx.Deadline()
	}
	limit := r.timing.Attempt
	if l.patient {
		limit = 0
	}
	for pause := firstPause; ; pause, limit = min(2*pause, lastPause), min(2*limit, r.timing.Ask) {
		req, sender := r.requests.open(limit)
		l.sender, l.deadline, l.waited = sender, deadline, false
		r.send(l)
		answer, err := r.requests.await(ctx, req)
		if err != nil {
			r.log.Debug("request without an answer", "kind", l.kind, "identity", l.identity, "node", l.member, "err", context.Cause(ctx))
			return nil, ended(ctx, l.once)
		}
		switch v := answer.(type) {
		case gone:
			if l.once {
				return nil, fairfactor.ErrUnanswered
			}
		case *clusterpb.NotMine, *actor.DeadLetterResponse:
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
		case l.member != "" && st.index(l.member) < 0:
			return nil, fairfactor.Errorf(fairfactor.Unavailable, "that member has left the cluster")
		}
		select {
		case <-ctx.Done():
			return nil, ended(ctx, false)
		case <-time.After(pause):
		}
	}
}

// errInactive answers [Node.Peek] when there is nothing to see.
var errInactive = fairfactor.Errorf(fairfactor.NotFound, "the actor is not active")

// errStopped answers what is asked of a node that has stopped.
var errStopped = fairfactor.Errorf(fairfactor.Unavailable, "this node has stopped: ask another")

// errFenced answers what is asked of a node that has lost its lease.
var errFenced = &fairfactor.Error{
	Code: fairfactor.Unavailable, Message: "this node has lost touch with the other nodes' table of members: ask another", Retry: time.Second,
}

// abandon answers requests that went to those who are no members any more. Another
// process at such a member's address doesn't know of them.
func (r *router) abandon(v View) {
	r.requests.failAt(func(at place) bool { return at.member != "" && !v.has(at.member) }, gone{})
}

// afterBreak is how long a request may still get into the queue of a connection
// that broke: far longer than it takes to find the connection in a list and to
// put a message into its queue, also on a busy machine.
const afterBreak = 250 * time.Millisecond

// unreachable answers what was sent to an address: a connection that broke takes
// with it what was written to it, and nobody else would tell those who wait. So
// does its queue with what is put there by somebody who found the connection just
// before it was taken out of the list, which is after this.
func (r *router) unreachable(address string) {
	fail := func() { r.requests.failAt(func(at place) bool { return at.address == address }, gone{}) }
	fail()
	time.AfterFunc(afterBreak, fail)
}

// ended is the error of a request whose time is over; unsure says that somebody may
// have got it and must not get it twice.
func ended(ctx context.Context, unsure bool) error {
	err := context.Cause(ctx)
	switch {
	case errors.Is(err, context.Canceled):
		return fairfactor.Wrap(fairfactor.Canceled, err, "the request was given up")
	case unsure:
		return fairfactor.Wrap(fairfactor.Unavailable, errors.Join(fairfactor.ErrUnanswered, err),
			"the request was not answered in time: it is not known whether it was carried out")
	}
	return fairfactor.Wrap(fairfactor.Unavailable, err, "no member answered in time: try again")
}
