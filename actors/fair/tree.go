package fair

// A tree holds callers in the order of their places in the round robin, first
// ones left. Each caller knows the smallest and the largest start tag below it,
// so the first caller in order whose start tag is within a limit is found in one
// descent.
//
// It is a treap (Seidel, Aragon: "Randomized Search Trees", Algorithmica 1996):
// a caller's priority, above those of its children, is a hash of its order, so
// the depth is logarithmic whatever comes and goes. It is written out because it
// is the inner loop of every hand-out. The callers themselves are the nodes, so
// waiting costs no memory of its own.
type tree struct {
	root *Caller
	size int
}

// add puts a caller in its place by order.
func (t *tree) add(c *Caller) {
	c.left, c.right, c.least, c.most = nil, nil, c.tag, c.tag
	t.root = insert(t.root, c, mix(c.order))
	t.size++
}

// drop takes a caller out.
func (t *tree) drop(c *Caller) {
	t.root = remove(t.root, c)
	c.left, c.right = nil, nil
	t.size--
}

// fix brings the tree up to a caller's start tag, which was another one before.
func (t *tree) fix(c *Caller, before int64) { update(t.root, c, before) }

// first returns the first caller in order whose start tag is at most limit, or
// nil.
func (t *tree) first(limit int64) *Caller {
	c := t.root
	for c != nil {
		switch {
		case c.left != nil && c.left.least <= limit:
			c = c.left
		case c.tag <= limit:
			return c
		default:
			c = c.right
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

// insert puts the single caller c into the tree under n and returns the new
// root.
func insert(n, c *Caller, priority uint64) *Caller {
	switch {
	case n == nil:
		return c
	case priority > mix(n.order):
		c.left, c.right = split(n, c.place)
		c.sum()
		return c
	case c.before(n.place):
		n.left = insert(n.left, c, priority)
	default:
		n.right = insert(n.right, c, priority)
	}
	n.least, n.most = min(n.least, c.tag), max(n.most, c.tag)
	return n
}

// split parts a tree into the callers before a place and those after it.
func split(n *Caller, at place) (before, after *Caller) {
	if n == nil {
		return nil, nil
	}
	if n.before(at) {
		n.right, after = split(n.right, at)
		before = n
	} else {
		before, n.left = split(n.left, at)
		after = n
	}
	n.sum()
	return before, after
}

// remove takes caller c out of the tree under n and returns the new root.
func remove(n, c *Caller) *Caller {
	switch {
	case n == c:
		return merge(n.left, n.right)
	case c.before(n.place):
		n.left = remove(n.left, c)
	default:
		n.right = remove(n.right, c)
	}
	n.without(c.tag)
	return n
}

// merge joins two trees, all of the first before all of the second.
func merge(before, after *Caller) *Caller {
	switch {
	case before == nil:
		return after
	case after == nil:
		return before
	case mix(before.order) > mix(after.order):
		before.right = merge(before.right, after)
		before.sum()
		return before
	}
	after.left = merge(before, after.left)
	after.sum()
	return after
}

// update sums up on the way from n to caller c.
func update(n, c *Caller, before int64) {
	switch {
	case n == c:
		n.sum()
		return
	case c.before(n.place):
		update(n.left, c, before)
	default:
		update(n.right, c, before)
	}
	n.least, n.most = min(n.least, c.tag), max(n.most, c.tag)
	if before != c.tag {
		n.without(before)
	}
}

// without sums up after a start tag below has gone. It looks at the children,
// which are seldom in the processor's cache, only if the tag was the smallest or
// the largest.
func (c *Caller) without(tag int64) {
	if tag == c.least || tag == c.most {
		c.sum()
	}
}

// sum brings a caller's smallest and largest start tag up to those of its
// children.
func (c *Caller) sum() {
	least, most := c.tag, c.tag
	if l := c.left; l != nil {
		least, most = min(least, l.least), max(most, l.most)
	}
	if r := c.right; r != nil {
		least, most = min(least, r.least), max(most, r.most)
	}
	c.least, c.most = least, most
}
