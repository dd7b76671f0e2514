package fair

import "time"

// Spread returns the smallest and the largest start tag of the groups, and of
// the callers without a group, that are ready or dormant; zeros if there are
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
// were due less than least are left out.
//
// It looks at no more than sample members. Those are the ones near the roots of
// the trees, and what is near the root of a treap was chosen by a hash.
func (r *Ring) Jain(least time.Duration, sample int) float64 {
	var j jain
	all := r.top.ready.size + r.top.dormant.size
	for _, t := range []*tree{&r.top.ready, &r.top.dormant} {
		n := t.size
		if all > sample {
			n = int(int64(sample) * int64(t.size) / int64(all))
		}
		for _, c := range t.sample(n) {
			if c.group != nil && t == &r.top.dormant { // stands for a group
				if c = &c.group.entry; c.state == ready {
					continue
				}
			}
			if due := r.top.clock - c.since; due > 0 && due >= int64(least) {
				j.add(float64(c.tag-c.since) / float64(due))
			}
		}
	}
	return j.index()
}

// sample returns up to n callers, level by level from the root.
func (t *tree) sample(n int) []*Caller {
	if t.root == nil || n == 0 {
		return nil
	}
	out := make([]*Caller, 1, n)
	out[0] = t.root
	for i := 0; i < len(out); i++ {
		for _, c := range [2]*Caller{out[i].left, out[i].right} {
			if c != nil && len(out) < n {
				out = append(out, c)
			}
		}
	}
	return out
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
