package fair

import (
	"math"
	"time"
)

// Spread returns the smallest and the largest start tag of the groups, and of
// the callers without a group, that are ready, blocked or dormant; zeros if there are
// none.
func (r *Ring) Spread() (least, most time.Duration) {
	l, m := r.top.spread(r.slack)
	return time.Duration(l), time.Duration(m)
}

// Inside returns the largest difference between the start tags of two callers
// that wait in one group. It looks at no more than that many groups, and next
// time at those that follow.
func (r *Ring) Inside(groups int) (widest time.Duration) {
	for range min(groups, len(r.groups)) {
		r.look = (r.look + 1) % len(r.groups)
		least, most := r.groups[r.look].inside.spread(r.slack)
		widest = max(widest, time.Duration(most-least))
	}
	return widest
}

// Jain is Jain's index of fairness (Jain, Chiu, Hawe: DEC-TR-301, 1984) over
// what the members of the top level got since they began to wait, as parts of
// what they were due: 1 is equal, 1/n is everything for one of n. Members that
// were due less than least are left out. If there are more than sample, it looks
// at about that many.
func (r *Ring) Jain(least time.Duration, sample int) float64 {
	var j jain
	part := float64(sample) / float64(max(r.top.ready.size+r.top.blocked.size+r.top.dormant.size, 1))
	see := func(c *Caller) {
		if due := r.top.clock - c.since; due > 0 && due >= int64(least) {
			j.add(float64(c.tag-c.since) / float64(due))
		}
	}
	visit(r.top.ready.root, part, see)
	visit(r.top.blocked.root, part, see)
	visit(r.top.dormant.root, part, func(c *Caller) {
		if c.group != nil { // it stands for the group
			c = &c.group.entry
		}
		if c.state != ready && c.state != blocked { // not seen yet
			see(c)
		}
	})
	return j.index()
}

// visit shows that part of the callers below and at n. Each caller's priority is a
// hash, and those above it have higher ones: so the callers with the highest
// priorities are a fair sample, and lie together at the root.
func visit(n *Caller, part float64, see func(*Caller)) {
	if n == nil || part < 1 && float64(mix(n.order)) < (1-part)*math.MaxUint64 {
		return
	}
	see(n)
	visit(n.left, part, see)
	visit(n.right, part, see)
}

// jain sums up shares.
type jain struct{ n, sum, squares float64 }

func (j *jain) add(share float64) {
	j.n++
	j.sum += share
	j.squares += share * share
}

func (j *jain) index() float64 {
	if j.squares == 0 {
		return 1
	}
	return j.sum * j.sum / (j.n * j.squares)
}
