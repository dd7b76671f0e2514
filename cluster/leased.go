package cluster

import (
	"context"
	"slices"
	"time"

	"fairfactor"
)

// leased is the [Membership] of nodes that share a table of members. Gossip is
// reported to the table, and the table decides.
type leased struct {
	lease  *lease
	gossip *gossip
	self   string
	grace  time.Duration // for a member of the table that gossip has never seen
	now    func() time.Time
	// answers tells whether a member has answered lately over actor traffic.
	answers func(id string) bool

	// Owned by the goroutine that calls Decide.
	known   map[string]*acquaintance // other members in the table
	strange map[string]bool          // gossip sees them and the table did not have them
	dead    []string                 // reported last
}

// acquaintance is what this node knows of another member in the table.
type acquaintance struct {
	since time.Time // when this node first saw it in the table
	heard bool      // gossip has seen it
}

func newLeased(l *lease, g *gossip, self string, grace time.Duration) *leased {
	return &leased{lease: l, gossip: g, self: self, grace: grace, now: time.Now, known: map[string]*acquaintance{}, strange: map[string]bool{}, answers: func(string) bool { return false }}
}

// Decide implements [Membership].
func (d *leased) Decide(_ context.Context, seen []Member) (View, error) {
	list := d.lease.members()
	if dead := d.judge(list, seen); !slices.Equal(dead, d.dead) {
		d.dead = dead
		d.lease.report(dead)
	}
	if d.strangers(list, seen) {
		d.lease.poke()
	}
	v := View{Version: list.Version, Members: make([]Member, len(list.Members))}
	for i, m := range list.Members {
		v.Members[i] = Member{ID: m.ID, Name: m.Name, Address: m.Address, Gossip: m.Gossip, State: Alive}
	}
	return v, nil
}

// judge returns the members in the table that this node believes dead: those that
// gossip saw and no longer sees, and those that it never saw in the time of grace. One
// that still answers is not dead, but slow: gossip lost it on a busy machine. Gossip is
// told to look for all that it doesn't see.
func (d *leased) judge(list fairfactor.MemberList, seen []Member) (dead []string) {
	now := d.now()
	var unseen []string
	known := make(map[string]*acquaintance, len(list.Members))
	for _, m := range list.Members {
		if m.ID == d.self {
			continue
		}
		a := d.known[m.ID]
		if a == nil {
			a = &acquaintance{since: now}
		}
		known[m.ID] = a
		switch {
		case slices.ContainsFunc(seen, func(s Member) bool { return s.ID == m.ID }):
			a.heard = true
			continue
		case d.answers(m.ID) && !d.gossip.gone(m.ID):
		case a.heard || now.Sub(a.since) >= d.grace:
			dead = append(dead, m.ID)
		}
		unseen = append(unseen, m.Gossip)
	}
	d.known = known
	d.gossip.expect(unseen)
	return dead
}

// strangers tells whether gossip sees a new node that list doesn't have: then list
// is out of date.
func (d *leased) strangers(list fairfactor.MemberList, seen []Member) (news bool) {
	strange := make(map[string]bool)
	for _, s := range seen {
		if !slices.ContainsFunc(list.Members, func(m fairfactor.Member) bool { return m.ID == s.ID }) {
			strange[s.ID] = true
			news = news || !d.strange[s.ID]
		}
	}
	d.strange = strange
	return news
}
