package cluster

import (
	"context"
	"errors"
	"net"
	"syscall"
	"time"
)

// Gossip needs some seconds to declare a member dead, because one that does not
// answer may only be slow. Most members that die are processes that end on a host
// that lives on: all their connections break at once, and the host refuses new
// ones. So when the connection to a member's actor traffic has broken, the node
// tries the member's gossip port, where a member always listens. If that is refused
// twice in a row, the member counts as dead until it listens again. As always, most
// others must agree before the table removes it.

const (
	lookAgain = 100 * time.Millisecond // between tries
	refusals  = 2                      // refused tries in a row after which a member counts as dead
	// accepts is the number of other tries after which it counts as alive: a process
	// that ends closes its sockets one after the other.
	accepts = 4
)

// broke checks whether the members whose actor traffic is at that address have
// ended, if there are any.
func (g *gossip) broke(ctx context.Context, address string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return
	}
	for id, m := range g.seen {
		if m.Address == address && id != g.id && !g.suspected[id] {
			g.suspected[id] = true
			g.checks.Go(func() { g.suspect(ctx, m) })
		}
	}
}

// close ends all checks, whose context must have ended.
func (g *gossip) close() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.checks.Wait()
}

// suspect follows a member whose connection has broken, until it answers or gossip
// has lost it too.
func (g *gossip) suspect(ctx context.Context, m Member) {
	defer func() {
		g.mu.Lock()
		delete(g.suspected, m.ID)
		delete(g.ended, m.ID)
		g.mu.Unlock()
		g.signal()
	}()
	refused, accepted := 0, 0
	for accepted < accepts {
		if g.refuses(ctx, m.Gossip) {
			refused++
		} else {
			refused = 0
			accepted++
		}
		wait := lookAgain
		if refused > refusals {
			wait = g.timing.Probe
		}
		if !g.mark(m, refused >= refusals) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// mark records whether a member has ended. It returns false if gossip has dropped
// the member.
func (g *gossip) mark(m Member, ended bool) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, seen := g.seen[m.ID]; !seen {
		return false
	}
	if ended && !g.ended[m.ID] {
		g.log.Info("the host of a member refuses connections: the member has ended", "node", m.Name, "id", m.ID)
		g.ended[m.ID] = true
		g.signal()
	}
	return true
}

// refuses tells whether the host of an address answers but nothing listens there.
func (g *gossip) refuses(ctx context.Context, address string) bool {
	d := net.Dialer{Timeout: g.timing.Probe}
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return errors.Is(err, syscall.ECONNREFUSED)
	}
	conn.Close()
	return false
}
