package cluster

import (
	"context"

	"fairfactor/cluster/clusterpb"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"
)

// deliveriesName is the process at which every member receives what others send.
const deliveriesName = "deliveries"

// deliveries receives what other members send: messages for actors, and messages
// about membership. It runs in the goroutine that reads the sender's stream, which
// keeps the order of messages. It blocks only in [provider.hear], when the queue of
// membership messages is full.
type deliveries struct {
	router   *router
	provider *provider
	running  context.Context // until the node has stopped
}

// SendUserMessage implements [actor.Process].
func (d *deliveries) SendUserMessage(_ *actor.PID, m any) {
	_, inner, sender := actor.UnwrapEnvelope(m)
	switch m := inner.(type) {
	case *clusterpb.Deliver:
		d.deliver(m, sender)
	case *clusterpb.Relay:
		d.passOn(m, sender)
	case *clusterpb.Activate:
		d.answer(sender, d.activate(m))
	case *clusterpb.Flush:
		d.answer(sender, &clusterpb.Done{})
	case *clusterpb.Applied, *clusterpb.Leaving:
		d.provider.hear(news{m.(proto.Message), sender})
	}
}

func (d *deliveries) deliver(m *clusterpb.Deliver, sender *actor.PID) {
	e := envelope{kind: m.Kind, identity: m.Identity, wire: m, sender: sender, hops: max(m.Hops, 1), peek: m.Peek}
	if e.kind == "" {
		e.member = d.router.system.ID
	} else {
		e.hash = identityHash(e.kind, e.identity)
	}
	d.router.send(&e)
}

func (d *deliveries) activate(m *clusterpb.Activate) proto.Message {
	pid := d.router.process(m.Kind, m.Identity)
	if pid == nil {
		return &clusterpb.NotMine{}
	}
	return &clusterpb.Activated{Address: pid.Address, Id: pid.Id}
}

func (d *deliveries) answer(to *actor.PID, m proto.Message) {
	if to != nil {
		d.router.system.Root.Send(to, m)
	}
}

// SendSystemMessage implements [actor.Process]: it ignores system messages.
func (d *deliveries) SendSystemMessage(*actor.PID, any) {}

// Stop implements [actor.Process]: a peer can't stop it.
func (d *deliveries) Stop(*actor.PID) {}
