package cluster

import (
	"context"

	"fairfactor/cluster/clusterpb"

	"github.com/asynkron/protoactor-go/actor"
	clustering "github.com/asynkron/protoactor-go/cluster"
)

// lookup connects protoactor to our placement: it returns the process of a virtual
// actor, activating it if needed. [Node.Tell] and [Node.Ask] don't use it, they send
// the message to the owner directly.
type lookup struct {
	node *Node
}

// Setup implements [clustering.IdentityLookup]. protoactor calls it when its
// server listens, before anything else of the cluster starts: the first moment
// at which the address of this node is known.
func (l *lookup) Setup(c *clustering.Cluster, _ []string, _ bool) {
	n := l.node
	n.listening = true
	registry := n.system.ProcessRegistry
	n.router.requests.address = registry.Address
	registry.Add(n.router.requests, n.router.requests.name)
	registry.Add(&deliveries{n.router, n.provider, n.running}, deliveriesName)
}

// Get implements [clustering.IdentityLookup].
func (l *lookup) Get(id *clustering.ClusterIdentity) *actor.PID {
	r := l.node.router
	st := r.standing.Load()
	at := st.owner(identityHash(id.Kind, id.Identity))
	switch {
	case at < 0:
		return nil
	case at == st.self:
		return r.process(id.Kind, id.Identity)
	}
	ctx, cancel := context.WithTimeout(context.Background(), r.timing.Connect)
	defer cancel()
	req, sender := r.requests.add(0, true)
	r.requests.sent(req.id, destinationOf(st.view.Members[at]))
	r.system.Root.RequestWithCustomSender(st.targets[at], &clusterpb.Activate{Kind: id.Kind, Identity: id.Identity}, sender)
	answer, _ := r.requests.await(ctx, req)
	if a, ok := answer.(*clusterpb.Activated); ok {
		return actor.NewPID(a.Address, a.Id)
	}
	return nil
}

// RemovePid implements [clustering.IdentityLookup]. There is nothing to do: an
// activation that stops leaves the table by itself.
func (l *lookup) RemovePid(*clustering.ClusterIdentity, *actor.PID) {}

// Shutdown implements [clustering.IdentityLookup]. [Node.Stop] does the work.
func (l *lookup) Shutdown() {}
