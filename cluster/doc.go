// Package cluster is the life of a node among others: who is a member, which
// member owns a virtual actor, and how a message gets there.
//
// It knows nothing of jobs. A [Node] runs the virtual actors of the kinds it was
// given, at most one activation of an identity in the cluster at a time as far
// as the members can agree on it; what an actor writes must be fenced by an
// epoch in the store all the same, because nobody can tell a paused member from
// a dead one.
//
// State and its owners:
//
//   - who is alive: gossip (memberlist), read in gossip.go;
//   - who is a member: a [Membership], asked by the one goroutine in provider.go
//     that also tells protoactor and applies each view; leased.go has the one of
//     nodes that share a table;
//   - until when this node may act: its lease in that table (lease.go);
//   - who owns an identity: nobody's state, it follows from the view
//     (placement.go);
//   - activations of this node: the table in table.go, one entry for each;
//   - requests that wait for an answer: requests.go.
//
// Start reading at [Start] in node.go, then route.go for the way of a message.
package cluster
