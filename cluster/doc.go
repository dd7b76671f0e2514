// Package cluster runs a node among others: it decides who is a member, which
// member owns a virtual actor, and how a message gets there.
//
// It knows nothing of jobs. A [Node] runs the virtual actors of the kinds that it
// was given. As far as the members can agree on it, an identity has at most one
// activation in the cluster at a time. An epoch in the store must fence what an
// actor writes all the same, because a paused member looks like a dead one.
//
// State and its owners:
//
//   - who is alive: gossip (memberlist), read in gossip.go;
//   - who is a member: a [Membership], called by the one goroutine in provider.go,
//     which also tells protoactor and applies each view; leased.go has the one of
//     nodes that share a table;
//   - until when this node may act: its lease in that table (lease.go);
//   - who owns an identity: no state, it follows from the view (placement.go);
//   - which members answer this one: the links in links.go, written by the goroutine
//     that looks at them;
//   - activations of this node: the table in table.go, one entry for each;
//   - requests that wait for an answer: requests.go.
//
// # Where a message can wait
//
// A message waits in up to six places on its way, and each has its reason:
//
//   - The queue of a connection (protoactor's endpoint writer). [Node.Tell] does
//     not block, so what the network has not taken yet must wait somewhere. It goes
//     out in batches of up to 256. A connection that breaks takes its queue with it:
//     the requests in it are answered with gone and retried, tells are lost.
//   - The connection itself: gRPC's and the kernel's buffers. They are bounded, and
//     a receiver that is slow holds up the sender here rather than in its memory.
//   - The waiting room (waiting.go), for an envelope that no member can take now: the
//     view has not settled, or the owner is not known. It is bounded, each envelope
//     has a deadline, and each new view retries them all.
//   - activation.early, between the entry in the table and the first run of the
//     actor. The entry comes first, so that no second activation is made; what
//     arrives meanwhile keeps its order and is posted before the rest.
//   - The mailbox of the actor, which handles one message at a time. It is not
//     bounded: a full one would block the goroutine that reads the stream of another
//     member, and with it the messages for all other actors. Senders limit what they
//     have in flight instead. When the actor stops, the activation returns what is
//     left in it to the router.
//   - provider.news, for what other members say about views. One goroutine handles it
//     in order. It is bounded and blocks, because a lost message would delay a new
//     view until the next resend, while a member sends only a few.
//
// As long as a view has not settled, what an actor of a kind that retires is told goes
// to the member that had it in the last view that did: it may live there still, and
// wait for that. Requests wait for the next owner.
//
// A request that waits for its answer (requests.go) is not a message that waits: it
// is where the answer goes, and it ends with its context, after the limit for an
// answer, or when its destination leaves.
//
// Start reading at [Start] in node.go, then route.go for the way of a message.
package cluster
