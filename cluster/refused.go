package cluster

import (
	"context"
	"errors"
	"net"
	"syscall"
	"time"
)

// Gossip takes some seconds to take a member for dead, because one that does not
// answer may only be slow. Most members that die are processes that end on a host
// that lives on: all their connections break at once, and the host refuses new
// ones. So when the connection to a member's actor traffic has broken, its gossip
// port is tried, where a member always listens; if that is refused, and once more,
// the member counts as dead from then on, unless it listens again. As always, most
// others must agree before it is taken out of the table.

const (
	lookAgain = 100 * time.Millisecond // between tries
	refusals  = 2                      // tries in a row, after which a member counts as dead
	// accepts is after how many others it counts as alive: a process that ends
	// closes one thing after the other.
	accepts = 4
)

// broke looks whether the members whose actor traffic is at that address have
// ended, if there are any.
func (g *gossip) broke(ctx context.Context, address string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return
	}
	for id, m := range g.seen {
		if m.Address == address && id != g.id && !g.doubted[id] {
			g.doubted[id] = true
			g.checks.Go(func() { g.doubt(ctx, m) })
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

// doubt follows a member of which the connection has broken, until it answers or
// gossip has lost it too.
func (g *gossip) doubt(ctx context.Context, m Member) {
	defer func() {
		g.mu.Lock()
		delete(g.doubted, m.ID)
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

// mark notes whether a member has ended. It returns false if gossip knows.
func (g *gossip) mark(m Member, ended bool) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, seen := g.seen[m.ID]; !seen {
		return false
	}
	if ended && !g.ended[m.ID] {
		g.log.Info("connections to a member are refused: it has ended", "node", m.Name, "id", m.ID)
		g.ended[m.ID] = true
		g.signal()
	}
	return true
}

// refuses tells whether nobody listens at an address of a host that answers.
func (g *gossip) refuses(ctx context.Context, address string) bool {
	d := net.Dialer{Timeout: g.timing.Probe}
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return errors.Is(err, syscall.ECONNREFUSED)
	}
	conn.Close()
	return false
}
