package cluster

import "slices"

// State of a member.
type State string

// States of a [Member].
const (
	Alive   State = "alive"
	Leaving State = "leaving" // it has said that it goes
)

// Member is one node as others see it.
type Member struct {
	ID      string // ULID, new with each process
	Name    string // for people
	Address string // host:port of actor traffic
	Gossip  string // host:port of gossip
	State   State
	Self    bool // this node
}

// View is who belongs to the cluster, as this node knows it.
type View struct {
	Version uint64   // grows with each change
	Members []Member // by ID
}

// has tells whether the member with this id belongs to v.
func (v View) has(id string) bool {
	return slices.ContainsFunc(v.Members, func(m Member) bool { return m.ID == id })
}

// without returns v less one member, as a later view.
func (v View) without(id string) View {
	rest := slices.DeleteFunc(slices.Clone(v.Members), func(m Member) bool { return m.ID == id })
	return View{Version: v.Version + 1, Members: rest}
}
