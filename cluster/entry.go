package cluster

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"fairfactor"
)

// A node that enters the table gets its share of the virtual actors. If the others
// can't reach it they wait for their answers until they have taken it out again, which
// takes seconds; it ends, is started again, and all that is repeated for as long as the
// network is broken. So a node looks first whether it reaches those that would take it
// out.

// sayWaiting is the time between lines in the log while a node waits to enter.
const sayWaiting = 10 * time.Second

// enter waits until this node reaches enough of the members, and joins the table. It
// goes on until ctx ends; while the table can't be reached, for at most [Timing].Join.
func (l *lease) enter(ctx context.Context, self fairfactor.Member, g *gossip) error {
	var said time.Time
	for {
		var members []fairfactor.Member
		err := l.insist(ctx, func(ctx context.Context, _ bool) (err error) {
			members, err = l.table.Leased(ctx)
			return err
		})
		if err != nil {
			return err
		}
		lost := g.unreached(ctx, without(members, self.Address))
		if len(lost) == 0 {
			return l.join(ctx, self)
		}
		if time.Since(said) > sayWaiting {
			said = time.Now()
			l.log.Warn("waiting until most members can be reached, or their leases have run out: see that the network and the keys of gossip are right",
				"members", namesOf(members), "not_reached", namesOf(lost))
		}
		select {
		case <-ctx.Done():
			return fairfactor.Wrap(fairfactor.Unavailable, ctx.Err(), "most members of the cluster can't be reached")
		case <-time.After(l.timing.Probe):
		}
	}
}

// without returns the members but the one at an address: a process that ended there.
func without(members []fairfactor.Member, address string) (others []fairfactor.Member) {
	for _, m := range members {
		if m.Address != address {
			others = append(others, m)
		}
	}
	return others
}

func namesOf(members []fairfactor.Member) string {
	var names []string
	for _, m := range members {
		names = append(names, m.Name)
	}
	return strings.Join(names, " ")
}

// unreached joins the gossip of all these members at once, and returns none as soon as
// those that it can't reach are not more than half: they could not take this node out. A
// member whose host refuses connections has ended and does not count. Otherwise it
// returns those that were not reached.
func (g *gossip) unreached(ctx context.Context, members []fairfactor.Member) (lost []fairfactor.Member) {
	results := make(chan *fairfactor.Member, len(members)) // one each, nil for reached
	for _, m := range members {
		go func() {
			_, err := g.list.Join([]string{m.Gossip})
			if err == nil || g.refuses(ctx, m.Gossip) {
				results <- nil
				return
			}
			g.log.Log(ctx, slog.LevelDebug, "member not reachable", "node", m.Name, "gossip", m.Gossip, "err", err)
			results <- &m
		}()
	}
	for left := len(members) - len(members)/2; left > 0; {
		select {
		case m := <-results:
			if m == nil {
				left--
				continue
			}
			if lost = append(lost, *m); len(lost) > len(members)/2 {
				return lost
			}
		case <-ctx.Done():
			return members
		}
	}
	return nil
}
