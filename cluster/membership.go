package cluster

import (
	"context"
	"slices"
	"strings"
)

// Membership decides who is a member. Gossip only detects: what it sees is
// given to the Membership, and the view that comes back is followed, whether
// gossip agrees or not.
type Membership interface {
	// Decide returns the view that holds now. seen are the nodes that gossip
	// believes alive, this one among them. It is asked after each change that
	// gossip notices and about twice a second, always by the same goroutine. A
	// view counts as new when its Version differs from the last one. After an
	// error the last view stays.
	Decide(ctx context.Context, seen []Member) (View, error)
}

// gossipDecides is the Membership of a node that has no better source: members
// are those whom gossip sees, and versions are counted locally, so that those of
// two nodes can't be compared.
type gossipDecides struct {
	last View
}

// Decide implements [Membership].
func (g *gossipDecides) Decide(_ context.Context, seen []Member) (View, error) {
	members := slices.Clone(seen)
	slices.SortFunc(members, func(a, b Member) int { return strings.Compare(a.ID, b.ID) })
	if g.last.Version == 0 || !slices.Equal(members, g.last.Members) {
		g.last = View{Version: g.last.Version + 1, Members: members}
	}
	return g.last, nil
}
