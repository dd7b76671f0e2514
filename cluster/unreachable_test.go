package cluster

import (
	"context"
	"testing"
	"time"
)

// A request that is sent to a connection while that is being taken down is
// answered, as one is that was sent before: no other answer comes.
func TestRequestIntoABrokenConnectionIsAnswered(t *testing.T) {
	r := &router{requests: newRequests("node")}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	sent := func(address string) *request {
		req, sender := r.requests.add(0, false)
		r.requests.sent(sender.RequestId, destination{member: "m", address: address})
		return req
	}
	before, other := sent("broken:1"), sent("other:1")
	r.unreachable("broken:1")
	after := sent("broken:1")
	for name, req := range map[string]*request{"before": before, "after": after} {
		if answer, err := r.requests.await(ctx, req); err != nil || answer != (gone{}) {
			t.Errorf("sent %s: %v, %v", name, answer, err)
		}
	}
	select {
	case answer := <-other.answer:
		t.Errorf("a request to another member was answered with %v", answer)
	default:
	}
}

// A request to a member that is gone is answered also when another process has
// joined at its address, which never got it.
func TestRequestToAnEarlierProcessIsAnswered(t *testing.T) {
	r := &router{requests: newRequests("node")}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	sent := func(member string) *request {
		req, sender := r.requests.add(0, false)
		r.requests.sent(sender.RequestId, destination{member: member, address: "same:1"})
		return req
	}
	earlier, later := sent("earlier"), sent("later")
	here, _ := r.requests.add(0, false)
	r.abandon(View{Version: 2, Members: []Member{{ID: "later", Address: "same:1"}}})
	if answer, err := r.requests.await(ctx, earlier); err != nil || answer != (gone{}) {
		t.Errorf("to the earlier one: %v, %v", answer, err)
	}
	for name, req := range map[string]*request{"to the later one": later, "here": here} {
		select {
		case answer := <-req.answer:
			t.Errorf("%s: answered with %v", name, answer)
		default:
		}
	}
}
