package cluster

import "slices"

// State of a member.
type State string

// States of a [Member]. It is a member in each of them, until the view is without
// it.
const (
	Alive   State = "alive"
	Suspect State = "suspect" // gossip doesn't see it; of this node: it could not renew its lease
	Left    State = "left"    // it has said that it leaves
)

// Member is one node of the cluster.
type Member struct {
	ID      string // ULID, new with each process
	Name    string // for people
	Address string // host:port of actor traffic
	Gossip  string // host:port of gossip
	State   State  // as [Node.View] sees it; Alive elsewhere
	Self    bool   // this node
}

// View is the members of the cluster, as this node knows them.
type View struct {
	Version uint64   // grows with each change
	Members []Member // by ID
}

// has tells whether v has a member with this id.
func (v View) has(id string) bool {
	return slices.ContainsFunc(v.Members, func(m Member) bool { return m.ID == id })
}

// without returns v without one member, as a later view.
func (v View) without(id string) View {
	rest := slices.DeleteFunc(slices.Clone(v.Members), func(m Member) bool { return m.ID == id })
	return View{Version: v.Version + 1, Members: rest}
}
