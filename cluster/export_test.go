package cluster

import (
	"context"
	"net"

	"github.com/asynkron/protoactor-go/actor"
	clustering "github.com/asynkron/protoactor-go/cluster"
	"github.com/hashicorp/memberlist"
	"google.golang.org/protobuf/proto"
)

// Through has c's node reach others by dial, and its gossip as tune says.
func (c *Config) Through(dial func(context.Context, string) (net.Conn, error), tune func(*memberlist.Config)) {
	c.dial, c.tune = dial, tune
}

// Handshake connects to an address as a node with this config would.
func Handshake(ctx context.Context, c Config, address string) error {
	c, err := c.checked("01ARZ3NDEKTSV4RRFFQ69G5FAV")
	if err != nil {
		return err
	}
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	_, _, err = credentialsOf(c).ClientHandshake(ctx, address, conn)
	return err
}

// Heartbeats returns how many members have sent one through protoactor's own
// gossip.
func (n *Node) Heartbeats() int {
	state, err := n.cluster.Gossip.GetState(clustering.HeartbeatKey)
	if err != nil {
		return -1
	}
	return len(state)
}

// Expire ends n's lease without a word to anybody.
func (n *Node) Expire() { n.router.lease.until.Store(0) }

// Owner returns the id of the member that owns an identity in n's view.
func (n *Node) Owner(kind, identity string) string {
	st := n.router.standing.Load()
	at := st.owner(identityHash(kind, identity))
	if at < 0 {
		return ""
	}
	return st.view.Members[at].ID
}

// Settled tells whether all members follow n's view, as far as n knows.
func (n *Node) Settled() bool { return n.router.standing.Load().settled }

// Process activates a virtual actor of n and returns its process.
func (n *Node) Process(kind, identity string) *actor.PID { return n.router.process(kind, identity) }

// GiveBack takes back what an activation of n did not handle before it stopped.
func (n *Node) GiveBack(kind, identity string, m proto.Message, sender *actor.PID) {
	a := newActivation(n.router, key{kind, identity}, identityHash(kind, identity))
	n.router.bounce(a, &actor.MessageEnvelope{Message: m, Sender: sender})
}

// OpenRequests returns how many requests wait for an answer.
func (n *Node) OpenRequests() int {
	open := 0
	for i := range n.router.requests.shards {
		s := &n.router.requests.shards[i]
		s.mu.Lock()
		open += len(s.pending)
		s.mu.Unlock()
	}
	return open
}
