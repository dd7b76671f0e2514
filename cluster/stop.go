package cluster

import (
	"context"
	"time"

	"fairfactor"
	"fairfactor/cluster/clusterpb"

	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/protobuf/proto"
)

// leaveTimeout bounds each of the steps that tell the others that this node leaves.
// They would find out by themselves.
const leaveTimeout = time.Second

// Stop takes the node out of the cluster: its virtual actors get Stopped, the
// others take over their identities, then the ports close. Tells that arrive
// meanwhile are passed on to the new owners; requests of other members are answered
// "not mine". It returns an error if activations were still busy when ctx or
// [Timing].Drain ended; the node has stopped all the same. Plain actors are not
// stopped.
func (n *Node) Stop(ctx context.Context) error {
	n.stop.Do(func() {
		n.stopped = n.leave(ctx)
		n.close()
		n.log.Info("node stopped", "node", n.cfg.Name, "id", n.id)
	})
	return n.stopped
}

// leave is the part of Stop that others notice. No member activates an identity of
// this one before its activations here have stopped.
func (n *Node) leave(ctx context.Context) error {
	p := n.provider
	p.order(func() {
		p.set(&standing{placement: p.now.placement, former: p.now.former, settled: p.now.settled, closing: true})
	})
	activations := n.router.table.collect(func(*activation) bool { return true })
	busy := n.retired(ctx, activations)
	if n.router.lease != nil {
		n.router.lease.stop(ctx)
	}

	last := n.View()
	n.askAll(ctx, last, &clusterpb.Leaving{Member: n.id})
	p.order(func() { p.follow(last.without(n.id)) })
	n.router.waiting.retry(n.router, time.Now())
	n.askAll(ctx, last, &clusterpb.Flush{})
	if busy > 0 {
		return fairfactor.Errorf(fairfactor.Unavailable, "%d virtual actors did not stop in time", busy)
	}
	return nil
}

// retired has activations retire, then stops them and waits until they have. It returns how
// many have not when ctx or [Timing].Drain ends.
func (n *Node) retired(ctx context.Context, activations []*activation) int {
	for _, a := range activations {
		a.retire()
	}
	late := stopped(ctx, n.cfg.Timing.Retire, activations)
	for _, a := range late {
		a.stop()
	}
	late = stopped(ctx, n.cfg.Timing.Drain, late)
	if len(late) > 0 {
		n.log.Warn("virtual actors still busy", "count", len(late), "kind", late[0].kind, "identity", late[0].identity)
	}
	return len(late)
}

// stopped waits until activations have stopped and returns those that have not when ctx or
// the time ends.
func stopped(ctx context.Context, limit time.Duration, activations []*activation) (late []*activation) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for _, a := range activations {
		select {
		case <-a.done:
			continue
		default:
		}
		select {
		case <-a.done:
		case <-ctx.Done():
			late = append(late, a)
		}
	}
	return late
}

// askAll sends m to all other members of v and waits until each has answered or the
// time is over.
func (n *Node) askAll(ctx context.Context, v View, m proto.Message) {
	ctx, cancel := context.WithTimeout(ctx, leaveTimeout)
	defer cancel()
	placement := newPlacement(v)
	var pending []*request
	for i, target := range placement.targets {
		if target == nil {
			continue
		}
		req, sender := n.router.requests.add(0, true)
		n.router.requests.sent(req.id, destinationOf(v.Members[i]))
		n.system.Root.RequestWithCustomSender(target, m, sender)
		pending = append(pending, req)
	}
	for _, req := range pending {
		_, _ = n.router.requests.await(ctx, req) // a member that doesn't answer finds out from gossip
	}
}

// close releases everything, also after a start that failed half-way. protoactor's
// own shutdown sleeps for two seconds, stops the actor system before its users, and
// panics if it comes too early.
func (n *Node) close() {
	p := n.provider
	if n.router.lease != nil { // of a start that failed
		n.router.lease.stop(context.Background())
	}
	n.router.standing.Store(&standing{placement: newPlacement(View{}), closing: true, stopped: true})
	close(p.quit)
	if p.running {
		<-p.done
	}
	if p.gossip != nil {
		_ = p.gossip.list.Leave(leaveTimeout) // its error only says that no other node heard it
		if err := p.gossip.list.Shutdown(); err != nil {
			n.log.Warn("gossip did not close", "err", err)
		}
	}
	n.router.requests.fail(func(*request) bool { return true }, gone{})
	n.halt()
	n.tasks.Wait()
	if p.gossip != nil {
		p.gossip.close()
	}
	if n.listening {
		if p.gossip != nil { // protoactor would retry a connection to a node outside the view forever
			for _, at := range p.gossip.addresses() {
				n.system.EventStream.Publish(&remote.EndpointTerminatedEvent{Address: at})
			}
		}
		n.cluster.Remote.Shutdown(false) // the graceful form races with its own readers
		n.cluster.Gossip.Shutdown()
	}
	n.system.Shutdown()
}
