package cluster

import (
	"context"
	"slices"
	"time"

	"fairfactor"
)

// leased is the [Membership] of nodes that share a table of members. The table
// decides; what gossip sees is reported to it.
type leased struct {
	lease  *lease
	gossip *gossip
	self   string
	grace  time.Duration // for a member of the roll that gossip has not heard of
	now    func() time.Time

	// Owned by the goroutine that calls Decide.
	known   map[string]*acquaintance // members of the roll
	strange map[string]bool          // gossip sees them and the roll had not heard of them
	dead    []string                 // as reported last
}

// acquaintance is what is known of another member of the roll.
type acquaintance struct {
	since time.Time // in the roll, as this node knows
	heard bool      // gossip has seen it
}

func newLeased(l *lease, g *gossip, self string, grace time.Duration) *leased {
	return &leased{lease: l, gossip: g, self: self, grace: grace, now: time.Now, known: map[string]*acquaintance{}, strange: map[string]bool{}}
}

// Decide implements [Membership].
func (d *leased) Decide(_ context.Context, seen []Member) (View, error) {
	roll := d.lease.members()
	if dead := d.judge(roll, seen); !slices.Equal(dead, d.dead) {
		d.dead = dead
		d.lease.report(dead)
	}
	if d.strangers(roll, seen) {
		d.lease.poke()
	}
	v := View{Version: roll.Version, Members: make([]Member, len(roll.Members))}
	for i, m := range roll.Members {
		v.Members[i] = Member{ID: m.ID, Name: m.Name, Address: m.Address, Gossip: m.Gossip, State: Alive}
	}
	return v, nil
}

// judge returns which members of the roll this node believes dead: those whom
// gossip has seen and sees no more, and those whom it had time to find and did
// not. The latter it is asked to look for.
func (d *leased) judge(roll fairfactor.Roll, seen []Member) (dead []string) {
	now := d.now()
	var unseen []string
	known := make(map[string]*acquaintance, len(roll.Members))
	for _, m := range roll.Members {
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
		case a.heard || now.Sub(a.since) >= d.grace:
			dead = append(dead, m.ID)
		}
		unseen = append(unseen, m.Gossip)
	}
	d.known = known
	d.gossip.expect(unseen)
	return dead
}

// strangers tells whether gossip sees somebody new whom the roll doesn't have:
// then the roll is old.
func (d *leased) strangers(roll fairfactor.Roll, seen []Member) (news bool) {
	strange := make(map[string]bool)
	for _, s := range seen {
		if !slices.ContainsFunc(roll.Members, func(m fairfactor.Member) bool { return m.ID == s.ID }) {
			strange[s.ID] = true
			news = news || !d.strange[s.ID]
		}
	}
	d.strange = strange
	return news
}
