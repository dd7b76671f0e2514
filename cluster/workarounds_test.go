package cluster_test

import (
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// protoactor's own gossip shuts out for ever a member whose heartbeat is late. It
// must not run: not even the first heartbeat may be there after many of its
// intervals of 300 ms.
func TestNoHeartbeatsOfProtoactor(t *testing.T) {
	if !alone(t) {
		return
	}
	begin := time.Now()
	a := start(t, config(nil))
	b := spawn(t, new(ledger), settings{join: gossipOf(a)})
	members(t, 2, a)
	eventually(t, func() bool { return time.Since(begin) > 2*time.Second })
	if beats := a.Heartbeats(); beats != 0 {
		t.Errorf("%d members have sent heartbeats", beats)
	}
	b.stop()
}

// Process ids are counted from a random number: what was meant for a process of
// an earlier node on the same address doesn't reach anybody.
func TestOldProcessIdsReachNobody(t *testing.T) {
	var log ledger
	n := start(t, config(log.see))
	old := n.Process("echo", "alice")
	self := n.View().Members[0]
	if err := n.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	stopped := time.Now()
	c := config(log.see)
	c.Remote, c.Gossip = self.Address, self.Gossip
	next := start(t, c)
	if took := time.Since(stopped); took > 100*time.Millisecond {
		t.Logf("back on the same ports after %v", took)
	}
	if now := next.Process("echo", "alice"); now.Address != old.Address || now.Id == old.Id {
		t.Fatalf("the process was %v and is %v", old, now)
	}
	next.System().Root.Send(actor.NewPID(old.Address, old.Id), wrapperspb.String("late"))
	if _, err := ask(t, next, "alice", "hello"); err != nil {
		t.Fatal(err)
	}
	if late := log.matching("alice", "late"); late != 0 {
		t.Error("a message for an earlier process was handled")
	}
}

// A message of a type that it doesn't know makes protoactor's reader panic, which
// would end the process.
func TestUnknownMessageTypeEndsTheStreamOnly(t *testing.T) {
	var said lines
	c := config(nil)
	c.Logger = said.logger()
	n := start(t, c)
	conn, err := grpc.NewClient(n.System().Address(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	stream, err := remote.NewRemotingClient(conn).Receive(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	hello := &remote.RemoteMessage{MessageType: &remote.RemoteMessage_ConnectRequest{ConnectRequest: &remote.ConnectRequest{
		ConnectionType: &remote.ConnectRequest_ServerConnection{ServerConnection: &remote.ServerConnection{SystemId: "stranger", Address: "127.0.0.1:1"}},
	}}}
	if err := stream.Send(hello); err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	batch := &remote.RemoteMessage{MessageType: &remote.RemoteMessage_MessageBatch{MessageBatch: &remote.MessageBatch{
		TypeNames: []string{"no.such.Type"},
		Targets:   []*actor.PID{actor.NewPID(n.System().Address(), "deliveries")},
		Envelopes: []*remote.MessageEnvelope{{MessageData: []byte{1, 2, 3}}},
	}}}
	if err := stream.Send(batch); err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err == nil {
		t.Error("the stream goes on")
	}
	eventually(t, func() bool { return said.has("unreadable traffic from another member") })
	if _, err := ask(t, n, "alice", "hello"); err != nil {
		t.Errorf("the node does not answer any more: %v", err)
	}
}
