package fairfactor

import (
	"context"
	"time"
)

// MemberTable decides who belongs to a cluster. All nodes share one table, in the
// store that they share; gossip only reports to it.
//
// A member holds a lease, which it renews. It is removed when it leaves, when
// more than half of the other members have reported it dead, when another
// process joins with the address of its actor traffic, or when its lease has
// run out. Only members whose own lease never ran out meanwhile can remove another
// for the last reason: after an outage of the store all leases have run out, and all
// members stay.
//
// Times are by the table's clock: the nodes need no common clock. Errors are
// [*Error] with code unavailable if the table can't be reached.
type MemberTable interface {
	// Leased returns the members whose leases have not run out, by ID, ascending. A node
	// asks before it joins.
	Leased(ctx context.Context) ([]Member, error)
	// Join enters a node with a lease of that length and returns the members after
	// that. Conflict if a node has had this id before.
	Join(ctx context.Context, m Member, lease time.Duration) (MemberList, error)
	// Renew renews the lease of a member, replaces its earlier report by dead, the ids
	// of the members that it believes dead, and returns the members after that.
	// Conflict if it is not a member: it was removed, and must stop.
	Renew(ctx context.Context, id string, dead []string, lease time.Duration) (MemberList, error)
	// Leave removes a member. An unknown id is not an error.
	Leave(ctx context.Context, id string) error
}

// Member is a node as the table of members knows it.
type Member struct {
	ID      string // ULID, new with each process
	Name    string // for people
	Address string // host:port of its actor traffic
	Gossip  string // host:port of its gossip
}

// MemberList is who belongs to the cluster.
type MemberList struct {
	Version uint64   // grows with each change of Members, from 1
	Members []Member // by ID, ascending
}
