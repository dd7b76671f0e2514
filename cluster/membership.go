package cluster

import (
	"context"
	"slices"
	"strings"
)

// Membership decides who is a member. Gossip only detects: the Membership gets what
// gossip sees, and the node follows the view that it returns, whether gossip agrees
// or not.
type Membership interface {
	// Decide returns the current view. seen are the nodes that gossip believes
	// alive, including this one. It is called after each change that gossip notices
	// and about twice a second, always by the same goroutine. A view is new if its
	// Version differs from the last one. After an error the last view stays.
	Decide(ctx context.Context, seen []Member) (View, error)
}

// gossipDecides is the Membership of a node that has no table: gossip's nodes are
// the members, and versions are counted locally, so that those of two nodes can't
// be compared.
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
