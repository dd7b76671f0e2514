package cluster

import (
	"github.com/asynkron/protoactor-go/actor"
)

// placement is a view, prepared to find the owner of an identity. It doesn't
// change.
type placement struct {
	view    View
	hash    uint64       // of the ids of all members
	seeds   []uint64     // one for each member
	targets []*actor.PID // where a member receives deliveries; nil for this node
	links   []*link      // how it can be reached
	self    int          // index of this node, -1 if it isn't a member
}

func newPlacement(v View) *placement {
	p := &placement{view: v, self: -1}
	for i, m := range v.Members {
		seed := hashString(m.ID)
		p.seeds = append(p.seeds, seed)
		p.hash += finalize(seed) // in any order
		p.links = append(p.links, &link{})
		if m.Self {
			p.self = i
			p.targets = append(p.targets, nil)
		} else {
			p.targets = append(p.targets, actor.NewPID(m.Address, deliveriesName))
		}
	}
	return p
}

// keepLinks takes over what an earlier view knew of the links to members that stay.
func (p *placement) keepLinks(earlier *placement) {
	for i, m := range p.view.Members {
		if at := earlier.index(m.ID); at >= 0 {
			p.links[i] = earlier.links[at]
		}
	}
}

// owner returns the index of the member that owns the identity with hash h, -1
// if there are no members. It is rendezvous hashing: the member with the highest
// score wins, so that a member that comes or goes moves only its own share.
func (p *placement) owner(h uint64) int {
	best, at := uint64(0), -1
	for i, seed := range p.seeds {
		if score := finalize(h ^ seed); at < 0 || score > best {
			best, at = score, i
		}
	}
	return at
}

// index returns the index of the member with this id, or -1.
func (p *placement) index(id string) int {
	for i, m := range p.view.Members {
		if m.ID == id {
			return i
		}
	}
	return -1
}

// FNV-1a with 64 bits, http://www.isthe.com/chongo/tech/comp/fnv/.
const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

// identityHash returns the hash of an identity, which is the same on every node.
func identityHash(kind, identity string) uint64 {
	h := uint64(fnvOffset)
	for i := range len(kind) {
		h = (h ^ uint64(kind[i])) * fnvPrime
	}
	h *= fnvPrime // a zero byte between them
	for i := range len(identity) {
		h = (h ^ uint64(identity[i])) * fnvPrime
	}
	return finalize(h)
}

func hashString(s string) uint64 {
	return identityHash("", s)
}

// finalize spreads the entropy of all bits over all bits: FNV leaves most of that
// of the last bytes in the lower bits. It is the 64-bit finalizer of MurmurHash3.
func finalize(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	h ^= h >> 33
	return h
}
