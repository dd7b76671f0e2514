package cluster

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"fairfactor/cluster/clusterpb"

	"github.com/asynkron/protoactor-go/actor"
)

// threeMembers is a view of this node, a member that does not answer, and a third.
func threeMembers() *standing {
	return &standing{placement: newPlacement(View{Version: 1, Members: []Member{
		{ID: "a", Address: "a:1", Self: true}, {ID: "b", Address: "b:1"}, {ID: "c", Address: "c:1"},
	}})}
}

// A link is bad after some looks at a question without an answer, not before; then
// what may be sent again is, and the rest goes around until the link is good.
func TestLinkGoesBad(t *testing.T) {
	r := &router{requests: newRequests("a"), log: slog.New(slog.DiscardHandler)}
	st := threeMembers()
	sent := func(member string, once bool) *request {
		req, sender := r.requests.add(0, once)
		r.requests.sent(sender.RequestId, destination{member: member, address: member + ":1"})
		return req
	}
	again, once, other := sent("b", false), sent("b", true), sent("c", false)
	st.links[1].asked.Store(true)
	for look := 1; look <= badAfter; look++ {
		if via, relayed := st.way(1); via != 1 || relayed {
			t.Fatalf("look %d: goes around by %d", look, via)
		}
		r.lookAt(st, 1, nil)
	}
	if via, relayed := st.way(1); via != 2 || !relayed {
		t.Errorf("by member %d, passed on: %t", via, relayed)
	}
	if via, relayed := st.way(2); via != 2 || relayed {
		t.Errorf("another one by member %d, passed on: %t", via, relayed)
	}
	if answer := <-again.answer; answer != (gone{}) {
		t.Errorf("answered with %v", answer)
	}
	for name, req := range map[string]*request{"once": once, "to another": other} {
		select {
		case answer := <-req.answer:
			t.Errorf("%s: answered with %v", name, answer)
		default:
		}
	}
	next := threeMembers() // a later view keeps what is known
	next.keepLinks(st.placement)
	if via, _ := next.way(1); via != 2 {
		t.Errorf("in the next view by member %d", via)
	}
	st.links[2].bad.Store(true) // nor does the third one answer
	if via, relayed := next.way(1); via != 1 || relayed {
		t.Errorf("with no way around by member %d, passed on: %t", via, relayed)
	}
	next.links[1].bad.Store(false)
	if via, relayed := next.way(1); via != 1 || relayed {
		t.Errorf("a good link by member %d, passed on: %t", via, relayed)
	}
}

// Among many members a link over which nothing goes is not looked at.
func TestQuietLinkIsNotLookedAt(t *testing.T) {
	r := &router{requests: newRequests("a"), log: slog.New(slog.DiscardHandler)}
	v := View{Version: 1}
	for i := range manyMembers {
		v.Members = append(v.Members, Member{ID: string(rune('a' + i)), Self: i == 0})
	}
	st := &standing{placement: newPlacement(v)}
	r.lookAt(st, 1, func(func(context.Context)) { t.Error("the member was asked") })
	if st.links[1].asked.Load() {
		t.Error("a question is under way")
	}
}

// A member that has answered counts as one that does for some looks.
func TestAnswers(t *testing.T) {
	r := &router{requests: newRequests("a"), log: slog.New(slog.DiscardHandler)}
	st := threeMembers()
	r.standing.Store(st)
	if r.answers("b") || r.answers("unknown") {
		t.Error("nothing was heard yet")
	}
	st.links[1].heard.Store(true)
	st.links[1].asked.Store(true)
	for range deadAfter {
		if !r.answers("b") {
			t.Error("too few looks")
		}
		r.lookAt(st, 1, nil)
	}
	if r.answers("b") {
		t.Error("too many looks without an answer")
	}
}

// A node is cut off if none of several others answers; a request for one of them
// is refused then, and not sent.
func TestIsolated(t *testing.T) {
	r := &router{requests: newRequests("a"), log: slog.New(slog.DiscardHandler), timing: Timing{}.withDefaults()}
	st := threeMembers()
	r.standing.Store(st)
	st.links[1].late.Store(deadAfter)
	if st.isolated() {
		t.Error("one of two answers")
	}
	st.links[2].late.Store(deadAfter)
	if !st.isolated() {
		t.Error("none of two answers")
	}
	began := time.Now()
	_, err := r.ask(t.Context(), &envelope{member: "b", identity: "worker", message: &clusterpb.Flush{}})
	if !errors.Is(err, errIsolated) || time.Since(began) > time.Minute {
		t.Errorf("after %v: %v", time.Since(began), err)
	}
	if err := (&Node{router: r}).Ready(); !errors.Is(err, errIsolated) {
		t.Errorf("ready: %v", err)
	}
	pair := &standing{placement: newPlacement(View{Members: []Member{{ID: "a", Self: true}, {ID: "b"}}})}
	pair.links[1].late.Store(deadAfter)
	if pair.isolated() {
		t.Error("the other one may have died")
	}
}

// A member does not pass anything on to one that it can't reach either.
func TestNothingIsPassedOnOverABadLink(t *testing.T) {
	r := &router{requests: newRequests("a"), log: slog.New(slog.DiscardHandler)}
	st := threeMembers()
	st.links[1].bad.Store(true)
	r.standing.Store(st)
	d := &deliveries{router: r, running: t.Context()}
	for _, member := range []string{"a", "b", "unknown"} {
		d.passOn(&clusterpb.Relay{Member: member, Deliver: &clusterpb.Deliver{}}, nil) // would panic: there is no actor system
	}
}

// A question that got lost without a trace is asked again.
func TestLostQuestionIsAskedAgain(t *testing.T) {
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }))
	defer system.Shutdown()
	asked := make(chan bool, 2)
	silent := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		if _, ok := ctx.Message().(*clusterpb.Flush); ok {
			asked <- true
		}
	}))
	r := &router{system: system, requests: newRequests("a"), log: slog.New(slog.DiscardHandler), timing: Timing{}.withDefaults()}
	st := threeMembers()
	st.targets[1] = silent
	over := make(chan bool, 2)
	for range 2 {
		r.lookAt(st, 1, func(f func(context.Context)) { go func() { f(t.Context()); over <- true }() })
		<-asked
		r.requests.expire(time.Now().Add(time.Hour))
		select {
		case <-over:
		case <-time.After(30 * time.Second):
			t.Fatal("the question is still waited for")
		}
	}
	if st.links[1].late.Load() != 2 {
		t.Errorf("%d looks without an answer", st.links[1].late.Load())
	}
}
