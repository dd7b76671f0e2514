package cluster_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fairfactor"
	"fairfactor/cluster"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

func TestOneNodeAnswers(t *testing.T) {
	n := start(t, config(nil))
	got, err := ask(t, n, "alice", "hello")
	if err != nil {
		t.Fatal(err)
	}
	if want := "alice@" + n.ID() + " hello"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := n.Stats().Activations["echo"]; got != 1 {
		t.Errorf("%d activations, want 1", got)
	}
}

func TestTellActivatesOnceAndKeepsOrder(t *testing.T) {
	var log ledger
	n := start(t, config(log.see))
	const count = 1000
	for i := range count {
		n.Tell("echo", "alice", wrapperspb.String(names(i)))
	}
	eventually(t, func() bool { return len(log.of("alice")) == count+1 })
	events := log.of("alice")
	if events[0] != "started" {
		t.Fatalf("first event %q", events[0])
	}
	for i := range count {
		if events[i+1] != names(i) {
			t.Fatalf("event %d is %q", i, events[i+1])
		}
	}
}

// An actor that passivates must not take messages with it, and must have stopped
// before the next activation starts.
func TestPassivationLosesNothing(t *testing.T) {
	var log ledger
	n := start(t, config(log.see))
	const askers, each = 8, 300
	done := make(chan error, askers)
	for a := range askers {
		go func() {
			for i := range each {
				text := "hello"
				if (i+a)%10 == 0 {
					text = "stop" // answered too
				}
				if _, err := ask(t, n, "alice", text); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range askers {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	if _, double := log.alive(); len(double) > 0 {
		t.Errorf("overlapping activations: %v", double)
	}
	if starts := log.starts("alice"); starts < 10 {
		t.Errorf("only %d activations: the test did not test", starts)
	}
	if d := n.Stats().Dropped; d != 0 {
		t.Errorf("%d dropped", d)
	}
}

func TestTellIsSentAgainAfterPassivation(t *testing.T) {
	var log ledger
	n := start(t, config(log.see))
	for round := 1; round <= 20; round++ {
		for i := range 200 {
			if i == 100 {
				n.Tell("echo", "alice", wrapperspb.String("stop"))
			}
			n.Tell("echo", "alice", wrapperspb.String("x"))
		}
		eventually(t, func() bool { return log.matching("alice", "x") == 200*round })
	}
	if d := n.Stats().Dropped; d != 0 || log.starts("alice") < 2 {
		t.Errorf("%d dropped, %d activations", d, log.starts("alice"))
	}
}

func TestPanicIsAnsweredAtOnce(t *testing.T) {
	n := start(t, config(nil))
	begin := time.Now()
	_, err := ask(t, n, "alice", "panic")
	if fairfactor.CodeOf(err) != fairfactor.Internal || time.Since(begin) > longest/4 {
		t.Errorf("%v after %v", err, time.Since(begin))
	}
	if _, err := ask(t, n, "alice", "hello"); err != nil {
		t.Errorf("after the panic: %v", err)
	}
}

func TestPanicInConstructorIsAnswered(t *testing.T) {
	c := config(nil)
	c.Kinds["broken"] = actor.PropsFromProducer(func() actor.Actor { panic("no") })
	n := start(t, c)
	_, err := n.Ask(t.Context(), "broken", "alice", wrapperspb.String("x"))
	if fairfactor.CodeOf(err) != fairfactor.Internal {
		t.Errorf("got %v", err)
	}
}

func TestPanicWhileStoppingStillStops(t *testing.T) {
	c := config(nil)
	c.Kinds["clumsy"] = actor.PropsFromFunc(func(ctx actor.Context) {
		switch ctx.Message().(type) {
		case *actor.Stopping:
			panic("clumsy")
		case *wrapperspb.StringValue:
			ctx.Respond(wrapperspb.String("ok"))
		}
	})
	n := start(t, c)
	if _, err := n.Ask(t.Context(), "clumsy", "alice", wrapperspb.String("x")); err != nil {
		t.Fatal(err)
	}
	if err := n.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestUnknownKind(t *testing.T) {
	n := start(t, config(nil))
	if _, err := n.Ask(t.Context(), "nothing", "alice", wrapperspb.String("x")); fairfactor.CodeOf(err) != fairfactor.Internal {
		t.Errorf("got %v", err)
	}
	n.Tell("nothing", "alice", wrapperspb.String("x"))
}

func TestAskEndsWithItsContext(t *testing.T) {
	n := start(t, config(nil))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := n.Ask(ctx, "echo", "alice", wrapperspb.String("silence")); fairfactor.CodeOf(err) != fairfactor.Unavailable {
		t.Errorf("deadline: %v", err)
	}
	if _, err := n.AskOnce(ctx, "echo", "alice", wrapperspb.String("silence")); !errors.Is(err, fairfactor.ErrUnanswered) {
		t.Errorf("deadline of what must not be asked twice: %v", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	if _, err := n.Ask(ctx, "echo", "alice", wrapperspb.String("silence")); fairfactor.CodeOf(err) != fairfactor.Canceled {
		t.Errorf("cancel: %v", err)
	}
	if open := n.OpenRequests(); open != 0 {
		t.Errorf("%d requests left open", open)
	}
}

func TestMemberActor(t *testing.T) {
	n := start(t, config(nil))
	var seen atomic.Int64
	n.TellMember(n.ID(), "worker", wrapperspb.String("early")) // it waits for the actor
	props := actor.PropsFromFunc(func(ctx actor.Context) {
		if m, ok := ctx.Message().(*wrapperspb.StringValue); ok {
			seen.Add(1)
			if ctx.Sender() != nil {
				ctx.Respond(m)
			}
		}
	})
	if _, err := n.System().Root.SpawnNamed(props, "worker"); err != nil {
		t.Fatal(err)
	}
	m, err := n.AskMember(t.Context(), n.ID(), "worker", wrapperspb.String("x"))
	if err != nil || m.(*wrapperspb.StringValue).Value != "x" {
		t.Errorf("%v %v", m, err)
	}
	eventually(t, func() bool { return seen.Load() == 2 })
	begin := time.Now()
	_, err = n.AskMember(t.Context(), "absent", "worker", wrapperspb.String("x"))
	if fairfactor.CodeOf(err) != fairfactor.Unavailable || time.Since(begin) > longest/4 {
		t.Errorf("%v after %v", err, time.Since(begin))
	}
}

func TestStopStopsActors(t *testing.T) {
	var log ledger
	n := start(t, config(log.see))
	const count = 200
	for i := range count {
		n.Tell("echo", names(i), wrapperspb.String("x"))
	}
	eventually(t, func() bool { at, _ := log.alive(); return len(at) == count })
	begin := time.Now()
	if err := n.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begin); took > time.Second {
		t.Errorf("took %v", took)
	}
	if at, _ := log.alive(); len(at) != 0 {
		t.Errorf("%d activations did not see Stopped", len(at))
	}
	if _, err := n.Ask(t.Context(), "echo", "alice", wrapperspb.String("x")); fairfactor.CodeOf(err) != fairfactor.Unavailable {
		t.Errorf("ask after stop: %v", err)
	}
	n.Tell("echo", "alice", wrapperspb.String("x"))
	if err := n.Stop(t.Context()); err != nil {
		t.Errorf("second stop: %v", err)
	}
}

func TestStopDoesNotWaitForEver(t *testing.T) {
	c := config(nil)
	c.Timing.Drain = 50 * time.Millisecond
	release := make(chan struct{})
	busy := make(chan struct{})
	c.Kinds["busy"] = actor.PropsFromFunc(func(ctx actor.Context) {
		if _, ok := ctx.Message().(*wrapperspb.StringValue); ok {
			close(busy)
			<-release
		}
	})
	n := start(t, c)
	defer close(release)
	n.Tell("busy", "alice", wrapperspb.String("x"))
	<-busy
	if err := n.Stop(t.Context()); fairfactor.CodeOf(err) != fairfactor.Unavailable {
		t.Errorf("got %v", err)
	}
}

func TestRestartOnTheSamePorts(t *testing.T) {
	n := start(t, config(nil))
	self := n.View().Members[0]
	for range 3 {
		if _, err := ask(t, n, "alice", "hello"); err != nil {
			t.Fatal(err)
		}
		if err := n.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		c := config(nil)
		c.Remote, c.Gossip = self.Address, self.Gossip
		next := start(t, c)
		if next.ID() == n.ID() {
			t.Fatal("same id again")
		}
		n = next
	}
}

func TestStartFailsWithASentence(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	own := actor.PropsFromFunc(func(actor.Context) {}, actor.WithMailbox(actor.Unbounded()))
	for name, tt := range map[string]struct {
		change func(*cluster.Config)
		want   string
	}{
		"remote port taken": {func(c *cluster.Config) { c.Remote = taken.Addr().String() }, "--remote"},
		"gossip port taken": {func(c *cluster.Config) { c.Gossip = taken.Addr().String() }, "--gossip"},
		"foreign address":   {func(c *cluster.Config) { c.Remote, c.Insecure = "192.0.2.1:0", true }, "--remote"},
		"open remote":       {func(c *cluster.Config) { c.Remote = "0.0.0.0:0" }, "--tls-cert"},
		"open gossip":       {func(c *cluster.Config) { c.Gossip = "0.0.0.0:0" }, "--gossip-key"},
		"half a key pair":   {func(c *cluster.Config) { c.TLS = new(cluster.TLS) }, "--tls-ca"},
		"no port":           {func(c *cluster.Config) { c.Remote = "127.0.0.1" }, "--remote"},
		"bad port":          {func(c *cluster.Config) { c.Gossip = "127.0.0.1:x" }, "--gossip"},
		"long name":         {func(c *cluster.Config) { c.Name = strings.Repeat("x", 129) }, "--node"},
		"long cluster":      {func(c *cluster.Config) { c.Cluster = strings.Repeat("x", 300) }, "--cluster"},
		"long address":      {func(c *cluster.Config) { c.Advertise = strings.Repeat("x", 500) }, "--advertise"},
		"unknown name":      {func(c *cluster.Config) { c.Advertise = "no.such.name.invalid" }, "--advertise"},
		"short key":         {func(c *cluster.Config) { c.GossipKey = []byte("short") }, "--gossip-key"},
		"own mailbox":       {func(c *cluster.Config) { c.Kinds["own"] = own }, "mailbox"},
		"no props":          {func(c *cluster.Config) { c.Kinds["none"] = nil }, "props"},
	} {
		t.Run(name, func(t *testing.T) {
			c := config(nil)
			tt.change(&c)
			n, err := cluster.Start(t.Context(), c)
			if err == nil {
				_ = n.Stop(t.Context())
				t.Fatal("no error")
			}
			if message := fairfactor.MessageOf(err); !strings.Contains(message, tt.want) {
				t.Errorf("%q does not mention %q (%v)", message, tt.want, err)
			}
		})
	}
}

func TestStartCanBeGivenUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := cluster.Start(ctx, config(nil)); fairfactor.CodeOf(err) != fairfactor.Canceled {
		t.Errorf("got %v", err)
	}
}

// protoactor sleeps for a second after the start, and for two at the end.
func TestStartAndStopAreQuick(t *testing.T) {
	begin := time.Now()
	n := start(t, config(nil))
	started := time.Since(begin)
	if err := n.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begin); took > 900*time.Millisecond {
		t.Errorf("started after %v, stopped after %v", started, took)
	}
}

func TestViewsComeInOrder(t *testing.T) {
	if !alone(t) {
		return
	}
	n := start(t, config(nil))
	views := make(chan cluster.View, 100)
	n.OnView(func(v cluster.View) { views <- v })
	first := <-views
	if len(first.Members) != 1 || !first.Members[0].Self || first.Members[0].ID != n.ID() {
		t.Fatalf("first view %+v", first)
	}
	other := spawn(t, new(ledger), settings{join: gossipOf(n)})
	second := <-views
	if second.Version <= first.Version || len(second.Members) != 2 {
		t.Fatalf("second view %+v", second)
	}
	other.stop()
	third := <-views
	if third.Version <= second.Version || len(third.Members) != 1 {
		t.Fatalf("third view %+v", third)
	}
}
