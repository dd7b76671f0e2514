package fair

import "time"

// Caller is one member of the ring. A Caller with only Owner and Weight set has
// never had a turn and belongs to no group. It takes 104 bytes, and the 64 that
// a search reads come first: they are one line of the processor's cache.
type Caller struct {
	left, right *Caller // in the tree that it is in
	least, most int64   // start tags of this caller and all below it in the tree
	tag         int64   // start tag: charged nanoseconds / weight
	place               // in the round robin; the earliest is next
	since       int64   // the level's floor when the caller last became backlogged

	Owner   any // the user's: not looked at
	group   *Group
	Weight  int    // 1 to 65,535; a change counts from the next charge
	part    int32  // nanoseconds that the division by the weight left over
	counted uint16 // its weight in level.weights
	state   state
	early   bool // asked for turns before they were due, and not served since
}

// state says where a caller's work is.
type state uint8

const (
	idle    state = iota // has no work, or does not answer
	ready                // has turns here
	dormant              // has work in the store, but no turns here
	owed                 // was asked for turns, which are on their way
	blocked              // has turns here, and its next one waits for room
)

// place is a position in the round robin.
type place struct {
	round int64  // turns so far divided by the weight, in parts of a round
	order uint64 // among equal rounds: when the caller was served or joined last
}

// wholeRound is one turn of a caller with weight 1.
const wholeRound = 1 << 20

func (p place) before(q place) bool {
	return p.round < q.round || p.round == q.round && p.order < q.order
}

// Ready reports whether the caller is in line with turns that are here.
func (c *Caller) Ready() bool { return c.state == ready }

// Dormant reports whether the caller is in line, but has no turns here.
func (c *Caller) Dormant() bool { return c.state == dormant }

// Owed reports whether the caller keeps its place while its next offer is on
// the way.
func (c *Caller) Owed() bool { return c.state == owed }

// Blocked reports whether the caller is in line with a turn that waits for room.
func (c *Caller) Blocked() bool { return c.state == blocked }

// Group is the caller's group, or nil if it competes with the groups itself.
func (c *Caller) Group() *Group { return c.group }

// StartTag is the CPU that the caller was charged so far, divided by its weight.
// It compares with the start tags of the same level only: those of the caller's
// group, or of the callers that have none.
func (c *Caller) StartTag() time.Duration { return time.Duration(c.tag) }

// charge adds to the start tag. It divides by the weight and carries what is
// left over to the next division: otherwise many turns of a heavy caller would
// cost it less than they use.
func (c *Caller) charge(d time.Duration, weight int) {
	n, w := int64(d)+int64(c.part), int64(weight)
	v := n / w
	if n%w < 0 {
		v--
	}
	c.part = int32(n - v*w)
	c.tag += v
}

// Group is a set of callers that compete with the rest of the ring as one. It
// takes about 400 bytes.
type Group struct {
	Name string

	entry  Caller // the group among its peers: ready, owed or idle
	asking Caller // stands for the group's next dormant caller among those of the top level
	inside level
	early  int // callers asked before they were due, and not served since
	size   int // callers that belong to it
	at     int // index in Ring.groups while it has callers
}

// NewGroup returns a group without callers. Weight is 1 or more.
func NewGroup(name string, weight int) *Group {
	g := &Group{Name: name}
	g.entry.group, g.asking.group = g, g
	g.entry.Weight = max(weight, 1)
	return g
}

// Size is the number of callers that belong to the group.
func (g *Group) Size() int { return g.size }

// StartTag is the CPU that the group was charged so far, divided by its weight.
func (g *Group) StartTag() time.Duration { return g.entry.StartTag() }

// Bill is what one turn was charged. It is kept until the turn ends, because
// weights may change meanwhile.
type Bill struct {
	Cost time.Duration

	weight, groupWeight int32
	place, groupPlace   place // before the caller, and its group, were served
}

// Weight is the caller's weight when it was charged.
func (b *Bill) Weight() int { return int(b.weight) }
