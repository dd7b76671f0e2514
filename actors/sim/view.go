package sim

import (
	"hash/fnv"
	"slices"
)

// view is the members of the cluster as a node knows them.
type view struct {
	version uint64
	members []string
}

func (v view) has(id string) bool { return slices.Contains(v.members, id) }

// owner is the member that has an identity, by rendezvous hashing.
func (v view) owner(kind, identity string) (owner string) {
	best := uint64(0)
	for _, id := range v.members {
		if score := hash(kind, identity, id); owner == "" || score > best {
			best, owner = score, id
		}
	}
	return owner
}

func (v view) hash() (sum uint64) {
	for _, id := range v.members {
		sum += hash(id)
	}
	return sum
}

func hash(words ...string) uint64 {
	h := fnv.New64a()
	for _, word := range words {
		h.Write([]byte(word))
		h.Write([]byte{0})
	}
	x := h.Sum64()
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	return x
}

// follow makes v the view of this node: activations whose owner has changed retire,
// then the others hear of it, and when all members follow the same view there may be
// new activations.
func (p *process) follow(v view) {
	if p.settled {
		p.former = p.view
	}
	p.view, p.settled, p.announced, p.since = v, false, false, p.w.now
	p.w.say("%s follows view %d of %d members", p.id, v.version, len(v.members))
	for id := range p.reports {
		if !v.has(id) {
			delete(p.reports, id)
		}
	}
	p.fail(func(r *request) bool { return r.to != "" && !v.has(r.to) })
	p.moved = 0
	for _, k := range p.activations() {
		if v.owner(k.kind, k.identity) != p.id {
			p.moved++
			p.live[k].retire()
		}
	}
	p.sys.MembersAre(v.members)
	p.announceWhenMoved()
}

// stoppedOne looks whether all have stopped that had to.
func (p *process) stoppedOne() { p.announceWhenMoved() }

func (p *process) announceWhenMoved() {
	for k := range p.live {
		if p.view.owner(k.kind, k.identity) != p.id {
			return
		}
	}
	if !p.announced {
		p.announced = true
		p.announce(true)
		p.settle()
		p.resend(p.view.version)
	}
}

// resend announces the view again until it has settled.
func (p *process) resend(version uint64) {
	p.w.after(resendEvery, p, func() {
		if p.view.version == version && !p.settled {
			p.announce(true)
			p.settle()
			p.resend(version)
		}
	})
}

func (p *process) announce(answer bool) {
	for _, id := range p.view.members {
		if id != p.id && (!p.settled || p.reports[id] != p.view.hash()) {
			p.tellView(id, answer)
		}
	}
}

func (p *process) tellView(id string, answer bool) {
	sum, from := p.view.hash(), p.id
	p.cluster.carry(p, id, false, func(q *process) { q.applied(from, sum, answer) })
}

// applied hears that a member follows a view.
func (p *process) applied(from string, sum uint64, answer bool) {
	p.reports[from] = sum
	if answer && p.announced && p.view.has(from) {
		p.tellView(from, false)
	}
	if sum != p.view.hash() {
		p.pokeLease()
	}
	p.settle()
}

// settle allows new activations when all members follow the view, or the time for
// that is over.
func (p *process) settle() {
	if !p.announced || p.settled {
		return
	}
	for _, id := range p.view.members {
		if id != p.id && p.reports[id] != p.view.hash() && p.w.now-p.since < settleTime {
			return
		}
	}
	p.settled = true
	p.w.say("%s settled on view %d", p.id, p.view.version)
}
