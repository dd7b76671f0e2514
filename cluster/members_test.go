package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fairfactor"
	"fairfactor/cluster"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

func TestTwoNodes(t *testing.T) {
	if !alone(t) {
		return
	}
	var log ledger
	c := config(log.see)
	c.Timing = unhurried()
	a := start(t, c)
	b := spawn(t, &log, settings{join: gossipOf(a), timing: c.Timing})
	members(t, 2, a)
	there, here := ownedBy(t, a, b.id), ownedBy(t, a, a.ID())

	t.Run("ask remote", func(t *testing.T) {
		if got, err := ask(t, a, there, "hello"); err != nil || got != there+"@"+b.id+" hello" {
			t.Errorf("%q %v", got, err)
		}
		if got := b.do("ask", here, "hello", longest.String()); got != here+"@"+a.ID()+" hello" {
			t.Errorf("%q", got)
		}
	})
	t.Run("panic remote", func(t *testing.T) {
		if _, err := ask(t, a, there, "panic"); fairfactor.CodeOf(err) != fairfactor.Internal {
			t.Errorf("got %v", err)
		}
	})
	t.Run("tell remote", func(t *testing.T) {
		a.Tell("echo", there, wrapperspb.String("told"))
		eventually(t, func() bool { return log.matching(there, "told") == 1 })
	})
	t.Run("passivation remote", func(t *testing.T) {
		for range 20 {
			for _, text := range []string{"stop", "hello", "hello"} {
				if _, err := ask(t, a, there, text); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
	t.Run("member actor", func(t *testing.T) {
		// More than gRPC takes by default, in batches as large as they get.
		const count, size = 250, 64 << 10
		text := strings.Repeat("x", size)
		for range count {
			a.TellMember(b.id, "worker", wrapperspb.String(text))
		}
		m, err := a.AskMember(t.Context(), b.id, "worker", wrapperspb.String(""))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := m.(*wrapperspb.StringValue).Value, fmt.Sprint(count, " ", count*size); got != want {
			t.Errorf("%s arrived, want %s", got, want)
		}
	})
	t.Run("too large", func(t *testing.T) {
		_, err := a.Ask(t.Context(), "echo", there, wrapperspb.String(strings.Repeat("x", cluster.MaxPayload)))
		if fairfactor.CodeOf(err) != fairfactor.Internal {
			t.Errorf("got %v", err)
		}
	})
	if _, double := log.alive(); len(double) > 0 {
		t.Errorf("overlapping activations: %v", double)
	}
}

// load asks n for many identities, again and again, until stop is called, which
// returns how many were answered and the first error.
func load(t *testing.T, n *cluster.Node, identities int) (stop func() (int64, error)) {
	var answered atomic.Int64
	var first atomic.Pointer[error]
	ctx, cancel := context.WithCancel(t.Context())
	var askers sync.WaitGroup
	for w := range 4 {
		askers.Go(func() {
			for i := w; ctx.Err() == nil; i += 4 {
				if _, err := ask(t, n, names(i%identities), "hello"); err != nil {
					first.CompareAndSwap(nil, &err)
					return
				}
				answered.Add(1)
				time.Sleep(100 * time.Microsecond) // two cores for all processes
			}
		})
	}
	return func() (int64, error) {
		cancel()
		askers.Wait()
		if err := first.Load(); err != nil {
			return answered.Load(), *err
		}
		return answered.Load(), nil
	}
}

// Nodes join and leave in good order under load: no request fails, and no
// identity is ever active twice, though views differ on the way.
func TestJoinAndLeaveUnderLoad(t *testing.T) {
	if !alone(t) {
		return
	}
	var log ledger
	a := start(t, config(log.see))
	const identities = 300
	stop := load(t, a, identities)
	for range 2 {
		b := spawn(t, &log, settings{join: gossipOf(a)})
		members(t, 2, a)
		c := spawn(t, &log, settings{join: b.gossip})
		members(t, 3, a)
		eventually(t, func() bool { // each has about its share: less than half would be bad luck of six sigma
			at, _ := log.alive()
			count := make(map[string]int)
			for _, node := range at {
				count[node]++
			}
			return len(at) == identities && min(count[a.ID()], count[b.id], count[c.id]) > identities/3/2
		})
		b.stop()
		c.stop()
		members(t, 1, a)
	}
	answered, err := stop()
	if err != nil {
		t.Error(err)
	}
	if _, double := log.alive(); len(double) > 0 {
		t.Errorf("%d overlapping activations: %v", len(double), double[0])
	}
	t.Logf("%d answered", answered)
}

// A killed member's requests are answered by its heir as soon as it is out of the
// view, long before their own time is over.
func TestKill(t *testing.T) {
	if !alone(t) {
		return
	}
	var log ledger
	view := &slow{}
	c := config(log.see)
	c.Membership = view
	a := start(t, c)
	b := spawn(t, &log, settings{join: gossipOf(a)})
	members(t, 2, a)
	view.hold(true) // gossip can lose b too early on a busy machine
	identity := ownedBy(t, a, b.id)
	if _, err := ask(t, a, identity, "hello"); err != nil {
		t.Fatal(err)
	}
	b.pause(t) // so that the request is taken and not answered
	got := make(chan string)
	begin := time.Now()
	go func() {
		text, err := ask(t, a, identity, "hello")
		got <- fmt.Sprint(text, err)
	}()
	once := make(chan error)
	var killed atomic.Bool
	go func() {
		for {
			_, err := a.AskOnce(t.Context(), "echo", identity, wrapperspb.String("hello"))
			if killed.Load() || !errors.Is(err, fairfactor.ErrUnanswered) { // connections break on busy machines too
				once <- err
				return
			}
		}
	}()
	eventually(t, func() bool { return a.OpenRequests() == 2 })
	killed.Store(true)
	b.kill()
	view.hold(false)
	if err := <-once; !errors.Is(err, fairfactor.ErrUnanswered) {
		t.Errorf("what must not be asked twice: %v", err)
	}
	if text, want := <-got, identity+"@"+a.ID()+" hello<nil>"; text != want {
		t.Errorf("got %s", text)
	}
	t.Logf("answered %v after the kill", time.Since(begin).Round(time.Millisecond))
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("answered after %v", took)
	}
	if _, double := log.alive(); len(double) > 0 {
		t.Errorf("overlapping activations: %v", double)
	}
}

// An answer that got lost is asked for again, in time, unless the question must not
// be asked twice.
func TestLateAnswers(t *testing.T) {
	if !alone(t) {
		return
	}
	var log ledger
	c := config(log.see)
	c.Timing.Attempt = 300 * time.Millisecond
	a := start(t, c)
	b := spawn(t, &log, settings{join: gossipOf(a)})
	members(t, 2, a)
	identity := ownedBy(t, a, b.id)
	if got, err := ask(t, a, identity, "silence once"); err != nil || got != identity+"@"+b.id+" silence once" {
		t.Errorf("%q %v", got, err)
	}
	if _, err := a.AskOnce(t.Context(), "echo", identity, wrapperspb.String("silence")); !errors.Is(err, fairfactor.ErrUnanswered) {
		t.Errorf("what must not be asked twice: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*c.Timing.Attempt)
	defer cancel()
	other := ""
	for i := 0; other == ""; i++ {
		if name := names(i); name != identity && a.Owner("echo", name) == b.id {
			other = name
		}
	}
	if _, err := a.Await(ctx, "echo", other, wrapperspb.String("silence")); fairfactor.CodeOf(err) != fairfactor.Unavailable {
		t.Errorf("what may take long: %v", err)
	}
	if n := log.matching(other, "silence"); n != 1 {
		t.Errorf("what may take long was asked %d times", n)
	}
}

// A member whose process has ended is out of the view long before gossip has
// missed it, also when its death is only seen by an idle connection.
func TestProcessEnds(t *testing.T) {
	if !alone(t) {
		return
	}
	var log ledger
	patient := quick
	patient.Probe, patient.SuspicionMult = time.Second, 30
	c := config(log.see)
	c.Timing = patient
	a := start(t, c)
	b := spawn(t, &log, settings{join: gossipOf(a), timing: patient})
	members(t, 2, a)
	begin := time.Now()
	b.kill()
	members(t, 1, a)
	t.Logf("out after %v", time.Since(begin).Round(time.Millisecond))
}

// What another member asked is not passed on by an activation that has stopped:
// the member asks again, and the copy could arrive after that.
func TestRequestsOfOthersDoNotWanderOn(t *testing.T) {
	if !alone(t) {
		return
	}
	var log ledger
	a := start(t, config(log.see))
	b := spawn(t, &log, settings{join: gossipOf(a)})
	members(t, 2, a)
	identity := ownedBy(t, a, b.id)
	a.GiveBack("echo", identity, wrapperspb.String("asked"), actor.NewPID(b.remote, "absent"))
	a.GiveBack("echo", identity, wrapperspb.String("told"), nil)
	eventually(t, func() bool { return log.matching(identity, "told") == 1 })
	if log.matching(identity, "asked") != 0 {
		t.Error("the request was passed on")
	}
}

// A process that comes back at once on the same ports is another member.
func TestKillAndRestartOnTheSamePorts(t *testing.T) {
	if !alone(t) {
		return
	}
	var log ledger
	a := start(t, config(log.see))
	var breaks atomic.Int64
	a.System().EventStream.Subscribe(func(event any) {
		if _, ok := event.(*remote.EndpointTerminatedEvent); ok {
			breaks.Add(1)
		}
	})
	stop := load(t, a, 50)
	b := spawn(t, &log, settings{join: gossipOf(a)})
	members(t, 2, a)
	const rounds = 3
	for range rounds {
		b.kill()
		b = spawn(t, &log, settings{remote: b.remote, gossip: b.gossip, join: gossipOf(a)})
		eventually(t, func() bool {
			at, _ := log.alive()
			v := a.View()
			return len(v.Members) == 2 && a.Owner("echo", names(0)) != "" && len(at) == 50 && contains(v, b.id) && a.Settled()
		})
	}
	if _, err := stop(); err != nil {
		t.Error(err)
	}
	if _, double := log.alive(); len(double) > 0 {
		t.Errorf("%d overlapping activations: %v", len(double), double[0])
	}
	// The break, the view without the member, and an attempt or two to connect.
	if n := breaks.Load(); n > 6*rounds {
		t.Errorf("protoactor closed connections %d times in %d restarts", n, rounds)
	}
	t.Logf("connections were closed %d times", breaks.Load())
}

func contains(v cluster.View, id string) bool {
	for _, m := range v.Members {
		if m.ID == id {
			return true
		}
	}
	return false
}

// slow is a Membership that follows gossip, unless it is held.
type slow struct {
	mu   sync.Mutex
	held bool
	last cluster.View
}

func (s *slow) hold(held bool) {
	s.mu.Lock()
	s.held = held
	s.mu.Unlock()
}

func (s *slow) Decide(_ context.Context, seen []cluster.Member) (cluster.View, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.held && len(seen) != len(s.last.Members) {
		s.last = cluster.View{Version: s.last.Version + 1, Members: seen}
	}
	return s.last, nil
}

// While the members' views differ, the newcomer activates nothing and does not
// say that it has started.
func TestNoDoubleActivationWhileViewsDiffer(t *testing.T) {
	if !alone(t) {
		return
	}
	var log ledger
	view := &slow{}
	c := config(log.see)
	c.Membership = view
	a := start(t, c)
	b := spawn(t, &log, settings{join: gossipOf(a), settle: longest})
	members(t, 2, a)
	const identities = 100
	for i := range identities {
		if _, err := ask(t, a, names(i), "hello"); err != nil {
			t.Fatal(err)
		}
	}
	view.hold(true)
	newcomer := launch(t, &log, settings{join: b.gossip, settle: longest})
	eventually(t, func() bool { return b.do("members") == "3" && b.do("settled") == "false" })
	before, _ := log.alive()
	for i := range identities { // b passes some on to the newcomer
		_ = b.do("ask", names(i), "hello", "10ms")
	}
	during, double := log.alive()
	for identity, node := range during {
		if before[identity] != "" && before[identity] != node || node != a.ID() && node != b.id {
			t.Errorf("%s is active on %s", identity, node)
		}
	}
	if len(double) > 0 {
		t.Errorf("overlapping activations: %v", double)
	}
	select {
	case <-newcomer.ready:
		t.Error("the newcomer says that it has started")
	default:
	}
	view.hold(false)
	newcomer.up()
	members(t, 3, a)
	eventually(t, func() bool { return b.do("settled") == "true" })
	for i := range identities {
		if want := names(i) + "@" + a.Owner("echo", names(i)) + " hello"; b.do("ask", names(i), "hello", "5s") != want {
			t.Errorf("want %q", want)
		}
	}
	if _, double := log.alive(); len(double) > 0 {
		t.Errorf("overlapping activations: %v", double)
	}
}

// A member that never follows holds up the others for Timing.Settle only.
func TestSettleEnds(t *testing.T) {
	if !alone(t) {
		return
	}
	var log ledger
	view := &slow{}
	c := config(log.see)
	c.Membership = view
	a := start(t, c)
	view.hold(true)
	b := spawn(t, &log, settings{join: gossipOf(a), settle: 300 * time.Millisecond})
	eventually(t, func() bool { return b.do("members") == "2" && b.do("settled") == "true" })
	if got := b.do("ask", names(1), "hello", "5s"); strings.HasPrefix(got, "error") {
		t.Error(got)
	}
}
