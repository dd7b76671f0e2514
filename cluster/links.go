package cluster

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"fairfactor/cluster/clusterpb"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"
)

// Two members may be cut off from each other while a third one reaches both. Then
// gossip, which asks around, sees all of them alive, and the table keeps them all.
// So each member looks for itself whether its messages to another one are answered;
// while they are not, it sends what is for that one to a member that it does reach,
// which passes it on and sends the answers back.

// link is the way from this node to a member and back. It lives as long as the
// member is in the view.
type link struct {
	used  atomic.Bool  // something was sent since the last question
	asked atomic.Bool  // a question is under way
	heard atomic.Bool  // a question was answered
	late  atomic.Int32 // looks since the last answer, while one was due
	bad   atomic.Bool  // no answer for too long
}

// badAfter is the number of looks without an answer after which a link counts as
// bad, and deadAfter the number after which the member may be dead. Looks are counted,
// not time: a node that is starved looks less often, so that it does not take its own
// slowness for that of the others. Gossip takes longer than deadAfter to lose a member
// that has died.
const (
	badAfter  = 3
	deadAfter = 4
)

// manyMembers is the number of members from which on only those links are looked at
// that something is sent over.
const manyMembers = 16

// watchLinks looks at the link to each member, once for each probe of gossip, until
// ctx ends.
func (n *Node) watchLinks(ctx context.Context) {
	tick := time.NewTicker(n.cfg.Timing.Probe)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		st := n.router.standing.Load()
		for at := range st.links {
			if at != st.self {
				n.router.lookAt(st, at, n.background)
			}
		}
		if st.isolated() {
			n.router.lease.poke() // the others may have taken this node out: it should know soon
		}
	}
}

// isolated tells whether no other member has answered for long, of two or more: then
// this node has been cut off, and another one should be asked.
func (p *placement) isolated() bool {
	for at, l := range p.links {
		if at != p.self && l.late.Load() < deadAfter {
			return false
		}
	}
	return len(p.links) > 2
}

// answers tells whether a member has answered lately. It is asked if nothing else
// is sent to it.
func (r *router) answers(member string) bool {
	st := r.standing.Load()
	at := st.index(member)
	if at < 0 {
		return false
	}
	l := st.links[at]
	l.used.Store(true)
	return l.heard.Load() && l.late.Load() < deadAfter
}

// lookAt judges the link to a member, and asks the member if there is reason to.
func (r *router) lookAt(st *standing, at int, background func(func(context.Context))) {
	l := st.links[at]
	if l.asked.Load() {
		r.missed(st, at)
		return
	}
	if !l.used.Swap(false) && !l.bad.Load() && len(st.links) >= manyMembers {
		return
	}
	l.asked.Store(true)
	req, sender := r.requests.add(deadAfter*r.timing.Probe, true) // it may get lost without a trace
	r.requests.sent(req.id, destinationOf(st.view.Members[at]))
	r.system.Root.RequestWithCustomSender(st.targets[at], &clusterpb.Flush{}, sender)
	background(func(ctx context.Context) {
		answer, err := r.requests.await(ctx, req)
		if _, done := answer.(*clusterpb.Done); done && err == nil {
			l.late.Store(0)
			l.heard.Store(true)
			if l.bad.Swap(false) {
				r.log.Info("a member answers again", "node", st.view.Members[at].Name, "id", st.view.Members[at].ID)
			}
		} else if err == nil { // the connection broke, or it is over
			r.missed(st, at)
		}
		l.asked.Store(false)
	})
}

// missed notes a look without an answer.
func (r *router) missed(st *standing, at int) {
	l := st.links[at]
	if l.late.Add(1) >= badAfter && !l.bad.Swap(true) {
		r.log.Warn("a member does not answer, asking others to pass messages on", "node", st.view.Members[at].Name, "id", st.view.Members[at].ID)
		r.detour(st, at)
	}
}

// detour has the requests that wait for a member sent again, unless they must not
// be: their answers can't come for now, and another member may pass them on.
func (r *router) detour(st *standing, at int) {
	if st.around(at) < 0 {
		return
	}
	to := destinationOf(st.view.Members[at])
	r.requests.fail(func(q *request) bool { return q.to == to && !q.once }, gone{})
}

// around returns the index of a member that is to pass on what is for the one at
// index at: at itself if the link to it is good, -1 if it is not and there is no
// other way.
func (p *placement) around(at int) int {
	if !p.links[at].bad.Load() {
		return at
	}
	for i, first := 0, rand.IntN(len(p.links)); i < len(p.links); i++ {
		via := (first + i) % len(p.links)
		if via != at && via != p.self && !p.links[via].bad.Load() {
			return via
		}
	}
	return -1
}

// way returns where to send something for the member at index at, and whether that
// is another one, which must pass it on.
func (p *placement) way(at int) (via int, relayed bool) {
	p.links[at].used.Store(true)
	if via = p.around(at); via < 0 {
		via = at // it may arrive all the same
	}
	if via != at {
		p.links[via].used.Store(true)
	}
	return via, via != at
}

// passOn is a member's part in the way of a message between two others.
func (d *deliveries) passOn(m *clusterpb.Relay, sender *actor.PID) {
	r := d.router
	st := r.standing.Load()
	at := st.index(m.GetMember())
	if at < 0 || at == st.self || st.links[at].bad.Load() || r.lease.lapsed() {
		d.answer(sender, &clusterpb.NotMine{})
		return
	}
	st.links[at].used.Store(true)
	switch {
	case m.GetApplied() != nil:
		r.system.Root.Send(st.targets[at], m.GetApplied())
	case m.GetDeliver() == nil:
	case sender == nil:
		r.system.Root.Send(st.targets[at], m.GetDeliver())
	default:
		req, own := r.requests.add(max(time.Duration(m.GetPatienceMs())*time.Millisecond, time.Millisecond), true)
		r.requests.sent(req.id, destinationOf(st.view.Members[at]))
		r.system.Root.RequestWithCustomSender(st.targets[at], m.GetDeliver(), own)
		go d.answerRelayed(req, sender)
	}
}

// answerRelayed sends the answer to a message that was passed on back to who sent it.
func (d *deliveries) answerRelayed(req *request, sender *actor.PID) {
	answer, err := d.router.requests.await(d.running, req)
	if err != nil || d.router.standing.Load().stopped {
		return // this node has stopped, which breaks the connection
	}
	if back, ok := answer.(proto.Message); ok {
		d.answer(sender, back)
		return
	}
	d.answer(sender, &clusterpb.Unanswered{})
}
