package fair

import "math"

// A tree holds the waiting callers in the order of their places in the round
// robin, first ones left. Each node knows the smallest and the largest virtual
// time below it, so the first caller in order whose virtual time is within a
// limit is found in one descent.
//
// It is a treap (Seidel, Aragon: "Randomized Search Trees", Algorithmica 1996):
// a node's priority, above those of its children, is a hash of its order, so
// its depth is logarithmic whatever comes and goes. It is written out because it
// is the inner loop of every hand-out. Nodes lie side by side in one slice, as
// many as ever waited at once, which makes it cheap to look at all of them.
type tree struct {
	nodes []node // nodes[0] is the empty tree
	root  int32
	free  int32 // first of the unused nodes, which hang together by left
	size  int
}

// node is a waiting caller in the tree.
type node struct {
	place       place
	priority    uint64
	vtime       int64
	least, most int64 // virtual times of this node and all below it
	since       int64
	c           *Caller // nil if the node is unused
	left, right int32
}

func newTree() tree {
	return tree{nodes: []node{{least: math.MaxInt64, most: math.MinInt64}}}
}

// add puts a caller in its place by order.
func (t *tree) add(c *Caller) {
	i := t.free
	if i == 0 {
		i = int32(len(t.nodes))
		t.nodes = append(t.nodes, node{})
	} else {
		t.free = t.nodes[i].left
	}
	t.nodes[i] = node{
		place: c.place, priority: mix(c.order), vtime: c.vtime, least: c.vtime, most: c.vtime, since: c.since, c: c,
	}
	c.node = i
	t.root = t.insert(t.root, i)
	t.size++
}

// drop takes a caller out.
func (t *tree) drop(c *Caller) {
	t.root = t.remove(t.root, c.node)
	t.nodes[c.node] = node{left: t.free}
	t.free, c.node = c.node, 0
	t.size--
}

// fix brings a node up to its caller's virtual time.
func (t *tree) fix(c *Caller) {
	t.nodes[c.node].vtime = c.vtime
	t.update(t.root, c.node)
}

// first returns the first caller in order whose virtual time is at most limit,
// or nil.
func (t *tree) first(limit int64) *Caller {
	for i := t.root; i != 0; {
		n := &t.nodes[i]
		switch {
		case t.nodes[n.left].least <= limit:
			i = n.left
		case n.vtime <= limit:
			return n.c
		default:
			i = n.right
		}
	}
	return nil
}

// mix makes a priority of an order number, and different ones of different
// numbers (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators",
// OOPSLA 2014).
func mix(order uint64) uint64 {
	z := order * 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// insert puts the single node i into the tree under root and returns the new
// root.
func (t *tree) insert(root, i int32) int32 {
	if root == 0 {
		return i
	}
	n := &t.nodes[root]
	switch {
	case t.nodes[i].priority > n.priority:
		t.nodes[i].left, t.nodes[i].right = t.split(root, t.nodes[i].place)
		t.sum(i)
		return i
	case t.nodes[i].place.before(n.place):
		n.left = t.insert(n.left, i)
	default:
		n.right = t.insert(n.right, i)
	}
	t.sum(root)
	return root
}

// split parts a tree into the nodes before a place and those after it.
func (t *tree) split(root int32, at place) (before, after int32) {
	if root == 0 {
		return 0, 0
	}
	n := &t.nodes[root]
	if n.place.before(at) {
		n.right, after = t.split(n.right, at)
		before = root
	} else {
		before, n.left = t.split(n.left, at)
		after = root
	}
	t.sum(root)
	return before, after
}

// remove takes node i out of the tree under root and returns the new root.
func (t *tree) remove(root, i int32) int32 {
	n := &t.nodes[root]
	switch {
	case root == i:
		return t.merge(n.left, n.right)
	case t.nodes[i].place.before(n.place):
		n.left = t.remove(n.left, i)
	default:
		n.right = t.remove(n.right, i)
	}
	t.sum(root)
	return root
}

// merge joins two trees, all of the first before all of the second.
func (t *tree) merge(before, after int32) int32 {
	b, a := &t.nodes[before], &t.nodes[after]
	switch {
	case before == 0:
		return after
	case after == 0:
		return before
	case b.priority > a.priority:
		b.right = t.merge(b.right, after)
		t.sum(before)
		return before
	}
	a.left = t.merge(before, a.left)
	t.sum(after)
	return after
}

// update sums up anew on the way from root to node i.
func (t *tree) update(root, i int32) {
	n := &t.nodes[root]
	switch {
	case root == i:
	case t.nodes[i].place.before(n.place):
		t.update(n.left, i)
	default:
		t.update(n.right, i)
	}
	t.sum(root)
}

// sum brings a node's smallest and largest virtual time up to those of its
// children.
func (t *tree) sum(i int32) {
	n := &t.nodes[i]
	left, right := &t.nodes[n.left], &t.nodes[n.right]
	n.least = min(n.vtime, left.least, right.least)
	n.most = max(n.vtime, left.most, right.most)
}
