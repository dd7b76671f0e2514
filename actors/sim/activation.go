package sim

import (
	"fmt"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"

	"fairfactor/actors"
)

// activation is an actor of a process with its mailbox.
type activation struct {
	p        *process
	kind, id string
	pid      *actor.PID
	actor    actor.Actor
	mail     []letter
	due      bool // the mailbox is about to be emptied
	stopping bool
	stopped  bool
}

// letter is a message in a mailbox.
type letter struct {
	message any
	sender  *actor.PID
	bounced bool // it came from an activation that had stopped
}

// actorContext is what an actor gets with a message.
type actorContext struct {
	actor.Context
	of     *activation
	letter letter
}

func (c *actorContext) Message() any       { return c.letter.message }
func (c *actorContext) Self() *actor.PID   { return c.of.pid }
func (c *actorContext) Sender() *actor.PID { return c.letter.sender }
func (c *actorContext) Stop(*actor.PID)    { c.of.stopping = true }

// identityOf tells an actor its identity.
func identityOf(ctx actor.Context) string { return ctx.(*actorContext).of.id }

func (p *process) newActivation(kind, id string, a actor.Actor) *activation {
	p.names++
	name := id
	if kind != "" {
		name = fmt.Sprintf("%s/%s$%d", kind, id, p.names)
	}
	act := &activation{p: p, kind: kind, id: id, actor: a, pid: &actor.PID{Address: p.id, Id: name}}
	p.actors[name] = act
	return act
}

// begin tells the actor that it lives.
func (a *activation) begin() { a.give(letter{message: &actor.Started{}}) }

func (a *activation) give(l letter) {
	a.actor.Receive(&actorContext{of: a, letter: l})
}

// post puts a message into the mailbox.
func (a *activation) post(l letter) {
	a.mail = append(a.mail, l)
	a.look()
}

func (a *activation) look() {
	if !a.due {
		a.due = true
		a.p.w.after(a.p.delay(), a.p, a.empty)
	}
}

// empty handles the messages that are there, and those that come meanwhile.
func (a *activation) empty() {
	a.due = false
	for {
		a.p.flushOut()
		if a.stopping && !a.stopped {
			a.end()
		}
		if len(a.mail) == 0 {
			return
		}
		l := a.mail[0]
		a.mail = a.mail[1:]
		if a.stopped || a.kind != "" && a.p.lapsed() {
			a.p.bounce(a, l)
			continue
		}
		a.give(l)
	}
}

// stop has the actor stop after its current message.
func (a *activation) stop() {
	if !a.stopping {
		a.stopping = true
		a.look()
	}
}

// retire has an actor that knows how to bring what it is at to an end and stop; others stop at
// once.
func (a *activation) retire() {
	if a.kind != actors.CallerKind {
		a.stop()
		return
	}
	a.post(letter{message: actors.Retire{}})
	a.p.w.after(retireTime, a.p, a.stop)
}

func (a *activation) end() {
	a.stopped = true
	a.give(letter{message: &actor.Stopping{}})
	delete(a.p.actors, a.pid.Id)
	if a.p.live[key{a.kind, a.id}] == a {
		delete(a.p.live, key{a.kind, a.id})
	}
	a.give(letter{message: &actor.Stopped{}})
	a.p.stoppedOne()
}

// bounce sends a message that an actor did not handle before it stopped to the next
// activation, once. Messages of an actor to itself end with it.
func (p *process) bounce(a *activation, l letter) {
	body, ok := wire(l.message)
	if !ok {
		return
	}
	e := &envelope{kind: a.kind, identity: a.id, message: body, sender: l.sender, bounced: true}
	if l.sender != nil && l.sender.Address != p.id {
		e.hops = 1
	}
	if l.bounced {
		p.drop(e)
		return
	}
	p.send(e)
}

// wire is a message as it goes between nodes.
func wire(m any) (proto.Message, bool) {
	switch m := m.(type) {
	case proto.Message:
		return m, true
	case interface{ Proto() proto.Message }:
		return m.Proto(), true
	}
	return nil, false
}
