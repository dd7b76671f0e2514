package sim

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"fairfactor"
	"fairfactor/actors"
)

// The way of a message, as package cluster has it in route.go: to an activation of
// this node, to a new one if the view gives this node the identity and has settled,
// or to the member that has it.

// key names a virtual actor.
type key struct{ kind, identity string }

// envelope is a message on its way.
type envelope struct {
	kind, identity string // kind is empty for a named actor
	member         string // of a named actor
	message        any
	sender         *actor.PID
	hops           int
	bounced        bool
	once           bool
	patient        bool
	peek           bool
	waited         bool
	deadline       time.Duration
}

func (e *envelope) foreign() bool { return e.hops > 0 && e.sender != nil }

type outcome int

const (
	sent outcome = iota
	later
	notMine
	lost
)

// What a member answers for an actor.
type (
	saysNotMine  struct{}
	saysInactive struct{}
	gone         struct{}
)

// Times of package cluster.
const (
	askTime     = 10 * time.Second
	attemptTime = 2 * time.Second
	tellTime    = 3 * time.Second
	retireTime  = time.Second
	firstPause  = 2 * time.Millisecond
	lastPause   = 50 * time.Millisecond
	retryEvery  = 20 * time.Millisecond
	maxHops     = 8
)

// out is what a process sends in one event, in the order of receivers: that in which
// code goes through a map must not matter.
type out struct {
	to string
	do func()
}

// emit sends something when the event is over.
func (p *process) emit(to string, do func()) {
	if !p.dead {
		p.outs = append(p.outs, out{to, do})
	}
}

func (p *process) flushOut() {
	for len(p.outs) > 0 && !p.dead {
		outs := p.outs
		p.outs = nil
		slices.SortStableFunc(outs, func(a, b out) int {
			switch {
			case a.to < b.to:
				return -1
			case a.to > b.to:
				return 1
			}
			return 0
		})
		for _, o := range outs {
			o.do()
		}
	}
}

// Send implements [actors.Actors].
func (p *process) Send(to *actor.PID, m any) {
	p.emit(fmt.Sprint(to.Address, "/", to.Id, "/", to.RequestId), func() { p.sendTo(to, m) })
}

func (p *process) sendTo(to *actor.PID, m any) {
	if to.Address == p.id {
		p.receive(to, m)
		return
	}
	p.cluster.carry(p, to.Address, false, func(q *process) { q.receive(to, m) })
}

// receive brings a message to an actor or a request of this process.
func (p *process) receive(to *actor.PID, m any) {
	if to.RequestId != 0 {
		p.answer(to.RequestId, m)
		return
	}
	if a := p.actors[to.Id]; a != nil {
		a.post(letter{message: m})
	}
}

// ID implements [actors.Network].
func (p *process) ID() string { return p.id }

// System implements [actors.Network]: a process has another runtime.
func (p *process) System() *actor.ActorSystem { return nil }

// Tell implements [actors.Network].
func (p *process) Tell(kind, identity string, m any) {
	p.emit("tell "+kind+"/"+identity, func() { p.send(&envelope{kind: kind, identity: identity, message: m}) })
}

// TellMember implements [actors.Network].
func (p *process) TellMember(member, name string, m any) {
	p.emit("tell "+member+"/"+name, func() { p.send(&envelope{member: member, identity: name, message: m}) })
}

// Ask implements [actors.Network], as all that follow.
func (p *process) Ask(ctx context.Context, kind, identity string, m any) (any, error) {
	return p.ask(ctx, &envelope{kind: kind, identity: identity, message: m})
}

// AskOnce implements [actors.Network].
func (p *process) AskOnce(ctx context.Context, kind, identity string, m any) (any, error) {
	return p.ask(ctx, &envelope{kind: kind, identity: identity, message: m, once: true})
}

// Await implements [actors.Network].
func (p *process) Await(ctx context.Context, kind, identity string, m any) (any, error) {
	return p.ask(ctx, &envelope{kind: kind, identity: identity, message: m, patient: true})
}

// Peek implements [actors.Network].
func (p *process) Peek(ctx context.Context, kind, identity string, m any) (any, error) {
	return p.ask(ctx, &envelope{kind: kind, identity: identity, message: m, peek: true})
}

// AskMember implements [actors.Network].
func (p *process) AskMember(ctx context.Context, member, name string, m any) (any, error) {
	return p.ask(ctx, &envelope{member: member, identity: name, message: m})
}

var _ actors.Network = (*process)(nil)

// request waits for an answer.
type request struct {
	wake   func()
	to     string // the member it was sent to, empty while it is on this node
	limit  time.Duration
	answer any
	done   bool
}

func (p *process) answer(id uint32, m any) {
	if r := p.requests[id]; r != nil && !r.done {
		r.done, r.answer = true, m
		delete(p.requests, id)
		if r.wake != nil {
			r.wake()
		}
	}
}

// fail says of requests that no answer will come.
func (p *process) fail(pick func(*request) bool) {
	var ids []uint32
	for id, r := range p.requests {
		if pick(r) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	for _, id := range ids {
		p.answer(id, gone{})
	}
}

// ask sends e until there is an answer.
func (p *process) ask(ctx context.Context, e *envelope) (any, error) {
	w := p.w
	until := w.limit(ctx)
	if until == forever {
		until = w.now + askTime
	}
	limit := attemptTime
	if e.patient {
		limit = 0
	}
	for pause := firstPause; ; pause, limit = min(2*pause, lastPause), min(2*limit, askTime) {
		p.lastRequest++
		id := p.lastRequest
		r := &request{limit: limit}
		p.requests[id] = r
		try := *e
		try.sender, try.deadline = &actor.PID{Address: p.id, Id: "requests", RequestId: id}, until
		p.send(&try)
		for !r.done && w.now < until {
			w.wait(until, func(wake func()) { r.wake = wake })
		}
		delete(p.requests, id)
		if !r.done {
			return nil, late(ctx, e.once)
		}
		switch v := r.answer.(type) {
		case gone:
			if e.once {
				w.current.again = true
				return nil, fairfactor.ErrUnanswered
			}
		case saysNotMine:
		case saysInactive:
			return nil, fairfactor.Errorf(fairfactor.NotFound, "the actor is not active")
		default:
			return v, nil
		}
		switch {
		case p.lapsed():
			return nil, fairfactor.Errorf(fairfactor.Unavailable, "this node can't reach the table of members: ask another")
		case e.member != "" && !p.view.has(e.member):
			return nil, fairfactor.Errorf(fairfactor.Unavailable, "that member has left the cluster")
		}
		if w.now+pause >= until {
			w.sleep(until - w.now)
			return nil, late(ctx, false)
		}
		w.sleep(pause)
	}
}

func late(ctx context.Context, unsure bool) error {
	err := ctx.Err()
	if unsure {
		return fairfactor.Wrap(fairfactor.Unavailable, errors.Join(fairfactor.ErrUnanswered, err), "the request was not answered in time: it may have been carried out")
	}
	return fairfactor.Wrap(fairfactor.Unavailable, err, "no member answered in time: try again")
}

// send delivers e, passes it on, keeps it for later, or drops it.
func (p *process) send(e *envelope) {
	switch p.try(e) {
	case later:
		p.park(e)
	case notMine:
		if e.sender != nil {
			p.sendTo(e.sender, saysNotMine{})
			return
		}
		p.park(e)
	case lost:
		p.drop(e)
	}
}

func (p *process) park(e *envelope) {
	if e.deadline == 0 {
		e.deadline = p.w.now + tellTime
	}
	e.waited = true
	p.waiting = append(p.waiting, e)
	if !p.retrying {
		p.retrying = true
		p.w.after(retryEvery, p, p.retry)
	}
}

// retry makes an attempt for each envelope that waits.
func (p *process) retry() {
	p.retrying = false
	all := p.waiting
	p.waiting = nil
	for _, e := range all {
		switch p.try(e) {
		case sent:
		case lost, notMine:
			p.drop(e)
		default:
			if p.w.now > e.deadline {
				p.drop(e)
			} else {
				p.park(e)
			}
		}
	}
}

func (p *process) drop(e *envelope) {
	if e.sender != nil {
		p.sendTo(e.sender, saysNotMine{})
	}
}

func (p *process) try(e *envelope) outcome {
	if p.lapsed() {
		return lost
	}
	if e.kind == "" {
		return p.tryMember(e)
	}
	if a := p.live[key{e.kind, e.identity}]; a != nil {
		return p.put(a, e)
	}
	owner := p.view.owner(e.kind, e.identity)
	former := p.retiring(e)
	switch {
	case former != "":
		return p.forward(former, e)
	case owner == "":
		return later
	case owner == p.id && e.peek:
		p.sendTo(e.sender, saysInactive{})
		return sent
	case owner == p.id:
		if p.closing || !p.settled {
			return later
		}
		a := p.newActivation(e.kind, e.identity, p.produce[e.kind]())
		p.live[key{e.kind, e.identity}] = a
		out := p.put(a, e)
		a.begin()
		return out
	case e.foreign() || e.hops > 0 && !e.waited:
		return notMine
	default:
		return p.forward(owner, e)
	}
}

// retiring is the member whose actor may be retiring, which gets what it is told; empty for
// none.
func (p *process) retiring(e *envelope) string {
	if p.settled || e.kind != actors.CallerKind || e.sender != nil || e.hops > 0 || e.waited {
		return ""
	}
	if owner := p.former.owner(e.kind, e.identity); owner != p.id && p.view.has(owner) {
		return owner
	}
	return ""
}

func (p *process) tryMember(e *envelope) outcome {
	switch {
	case !p.view.has(e.member):
		return lost
	case e.member != p.id:
		return p.forward(e.member, e)
	}
	a := p.actors[e.identity]
	if a == nil {
		return later
	}
	return p.put(a, e)
}

func (p *process) put(a *activation, e *envelope) outcome {
	a.post(letter{e.message, e.sender, e.bounced})
	return sent
}

// forward sends e to another member.
func (p *process) forward(to string, e *envelope) outcome {
	if e.hops >= maxHops {
		return lost
	}
	body, ok := wire(e.message)
	if !ok {
		p.w.broke("%s sends %T, which has no form between nodes", p.id, e.message)
		return sent
	}
	if e.sender != nil && e.sender.Address == p.id {
		if r := p.requests[e.sender.RequestId]; r != nil {
			r.to = to
			if r.limit > 0 {
				id := e.sender.RequestId
				p.w.after(r.limit, p, func() { p.answer(id, gone{}) })
			}
		}
	}
	copied := envelope{
		kind: e.kind, identity: e.identity, member: e.member, message: body, sender: e.sender, hops: e.hops + 1, peek: e.peek,
	}
	p.cluster.carry(p, to, e.sender != nil, func(q *process) {
		c := copied
		q.send(&c)
	})
	return sent
}
