package fairfactor

import (
	"context"
	"time"
)

// MemberTable decides who belongs to a cluster. It is one table that all nodes
// share, in the store that they share; gossip only tells it what it has seen.
//
// A member holds a lease, which it renews. It is removed when it leaves, when
// more than half of the other members have reported it dead, when another
// process joins with the address of its actor traffic, or when its lease has
// run out. Of the last it is judged only by members whose own lease never ran
// out meanwhile: after an outage of the store everybody's has, and all stay.
//
// Times are the table's own: nodes need not agree on theirs. Errors are
// [*Error] with code unavailable if the table can't be reached.
type MemberTable interface {
	// Join enters a node, whose id no node has had before (conflict), with a
	// lease of that length, and returns the members as they are then.
	Join(ctx context.Context, m Member, lease time.Duration) (Roll, error)
	// Renew renews the lease of a member, replaces what it has reported before by
	// dead, the ids of those that it believes dead, and returns the members as
	// they are then. Conflict if it is no member: it was removed, and must stop.
	Renew(ctx context.Context, id string, dead []string, lease time.Duration) (Roll, error)
	// Leave removes a member. It is no error if there is none with that id.
	Leave(ctx context.Context, id string) error
}

// Member is a node as the table of members knows it.
type Member struct {
	ID      string // ULID, new with each process
	Name    string // for people
	Address string // host:port of its actor traffic
	Gossip  string // host:port of its gossip
}

// Roll is who belongs to the cluster.
type Roll struct {
	Version uint64   // grows with each change of Members, from 1
	Members []Member // by ID, ascending
}
