package cluster_test

import (
	"context"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"fairfactor/cluster"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// quick is a gossip profile for nodes in one process.
var quick = cluster.Timing{
	Probe: 100 * time.Millisecond, ProbeTimeout: 50 * time.Millisecond, Spread: 20 * time.Millisecond,
	SuspicionMult: 2, RejoinAlone: 100 * time.Millisecond, Rejoin: time.Second,
	Join: 2 * time.Second, Settle: 3 * time.Second,
}

// unhurried is quick for nodes that all live: no slow one counts as dead.
func unhurried() cluster.Timing {
	t := quick
	t.Probe, t.ProbeTimeout, t.SuspicionMult, t.Join = 2*time.Second, time.Second, 30, longest
	return t
}

// config of a node on loopback with the kinds "echo", and "patient", whose actors retire.
func config(watch func(event, identity, node string), join ...string) cluster.Config {
	c := cluster.Config{Remote: "127.0.0.1:0", Gossip: "127.0.0.1:0", Join: join, Timing: quick}
	props := actor.PropsFromProducer(func() actor.Actor { return &echo{watch: watch} })
	c.Kinds = map[string]*actor.Props{"echo": props, "patient": props}
	c.Retire = map[string]any{"patient": wrapperspb.String("retire")}
	return c
}

// echo answers a string with its identity, its node and that string.
type echo struct {
	watch    func(event, identity, node string)
	forgiven int
}

func (e *echo) Receive(ctx actor.Context) {
	node := ctx.ActorSystem().ID
	see := func(event string) {
		if e.watch != nil {
			e.watch(event, cluster.Identity(ctx), node)
		}
	}
	switch m := ctx.Message().(type) {
	case *actor.Started:
		see("started")
	case *actor.Stopping:
		see("stopping")
	case *actor.Stopped, *actor.Restarting: // after a panic the next instance starts
		see("stopped")
	case *wrapperspb.StringValue:
		see(m.Value)
		switch m.Value {
		case "panic":
			panic("as told")
		case "stop":
			ctx.Stop(ctx.Self())
		case "silence":
			return
		case "silence once":
			if e.forgiven++; e.forgiven == 1 {
				return
			}
		}
		if ctx.Sender() != nil {
			ctx.Respond(wrapperspb.String(cluster.Identity(ctx) + "@" + node + " " + m.Value))
		}
	}
}

func start(t testing.TB, c cluster.Config) *cluster.Node {
	t.Helper()
	n, err := cluster.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Stop(context.Background()) })
	return n
}

// alone runs the test in a process of its own, and is true there. protoactor
// sets a global variable of gRPC at each start, which is a race with every
// connection that an earlier test has had to a peer.
func alone(t *testing.T) bool {
	t.Helper()
	if os.Getenv("CLUSTER_ALONE") != "" {
		return true
	}
	c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.count=1", "-test.timeout=2m", "-test.v")
	c.Env = append(os.Environ(), "CLUSTER_ALONE=1")
	out, err := c.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
	return false
}

func ask(t testing.TB, n *cluster.Node, identity, text string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), longest)
	defer cancel()
	m, err := n.Ask(ctx, "echo", identity, wrapperspb.String(text))
	if err != nil {
		return "", err
	}
	return m.(*wrapperspb.StringValue).Value, nil
}

// longest is how long a test waits for anything.
const longest = 20 * time.Second

// eventually waits until ok holds.
func eventually(t testing.TB, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(longest)
	defer deadline.Stop()
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatal("waited in vain")
		}
	}
}

// gossipOf returns the address at which others join n.
func gossipOf(n *cluster.Node) string {
	for _, m := range n.View().Members {
		if m.Self {
			return m.Gossip
		}
	}
	return ""
}

// members waits until all nodes have a settled view of count members.
func members(t testing.TB, count int, nodes ...*cluster.Node) {
	t.Helper()
	eventually(t, func() bool {
		for _, n := range nodes {
			if len(n.View().Members) != count || !n.Settled() {
				return false
			}
		}
		return true
	})
}

// names gives distinct identities.
func names(i int) string { return "caller-" + strconv.Itoa(i) }

// ownedBy returns an identity that a member owns in n's view.
func ownedBy(t testing.TB, n *cluster.Node, member string) string {
	t.Helper()
	for i := range 10_000 {
		if n.Owner("echo", names(i)) == member && n.Owner("sink", names(i)) == member {
			return names(i)
		}
	}
	t.Fatalf("member %s owns nothing", member)
	return ""
}
