package fair

import (
	"math"
	"time"
)

// level is one level of the ring: members that compete with each other. Members
// are callers, or groups by their entry.
type level struct {
	ready   tree
	dormant tree
	blocked tree
	owed    int
	weights int64 // of all that have work
	order   uint64
	round   int64 // the one that the last turn was taken in; never falls
	ahead   int64 // the largest round that any member ever was in
	clock   int64 // the virtual clock: largest smallest start tag at a pick or join; never falls
	latest  int64 // the largest start tag that any member ever had
}

// set brings a member into another state. One that was idle comes to the end of
// the round. One that was dormant or owed keeps its start tag and its place, but
// falls no more than twice the slack behind those that are ready: an offer that
// took long does not earn a monopoly. (Within one slack they go round robin, so
// only what is beyond it is made up for.) No member is put further back than
// the ready one that has least, though: the clock may stand too high for a while, if
// it saw charges that were corrected downwards afterwards.
func (l *level) set(c *Caller, to state, slack int64) {
	if c.state == to {
		return
	}
	returns := (to == ready || to == blocked) && c.state != ready && c.state != blocked
	switch {
	case c.state == idle:
		l.come(c, slack)
	case returns:
		l.clock = max(l.clock, l.floor(slack))
	}
	l.remove(c)
	if returns {
		c.tag = max(c.tag, l.behind(slack))
	}
	c.state = to
	l.weigh(c)
	switch to {
	case ready:
		l.ready.add(c)
	case dormant:
		l.dormant.add(c)
	case blocked:
		l.blocked.add(c)
	case owed:
		l.owed++
	}
}

func (l *level) remove(c *Caller) {
	switch c.state {
	case ready:
		l.ready.drop(c)
	case dormant:
		l.dormant.drop(c)
	case blocked:
		l.blocked.drop(c)
	case owed:
		l.owed--
	}
}

// weigh counts a member's weight while it has work.
func (l *level) weigh(c *Caller) {
	l.weights -= int64(c.counted)
	c.counted = 0
	if c.state != idle {
		c.counted = uint16(min(max(c.Weight, 1), math.MaxUint16))
		l.weights += int64(c.counted)
	}
}

// interval is how many turns the level has for each one of a member, if all that
// have work now keep having some.
func (l *level) interval(c *Caller) float64 {
	w := float64(min(max(c.Weight, 1), math.MaxUint16))
	return (float64(l.weights-int64(c.counted)) + w) / w
}

// come gives a member that was idle its start tag and its place. Its own tag
// counts unless the others have passed it: it gains no turn by leaving and
// carries no credit for idle time.
//
// A level on which no member has work is at rest: nothing was held up, so there
// is nothing to be fair about, and those that come next start level.
func (l *level) come(c *Caller, slack int64) {
	c.since = l.floor(slack)
	l.clock = max(l.clock, c.since)
	c.tag = max(c.tag, c.since)
	if l.resting() {
		l.round = l.ahead
	}
	c.place = place{max(c.round, l.round), l.last()}
}

// next returns the ready member whose turn it is, or nil if none is ready: of
// those within the slack of the smallest start tag, the one that is in the
// earliest round, and of several the one that was served or joined longest ago.
// If only dormant ones are within the slack, they do not hold up the others; blocked ones do.
func (l *level) next(slack int64) *Caller {
	if l.ready.root == nil {
		return nil
	}
	if c := l.ready.first(l.smallest(slack) + slack); c != nil {
		return c
	}
	return l.ready.first(l.least() + slack)
}

// least is the smallest start tag of those that are ready or blocked; there must be some.
func (l *level) least() int64 {
	switch {
	case l.blocked.root == nil:
		return l.ready.root.least
	case l.ready.root == nil:
		return l.blocked.root.least
	}
	return min(l.ready.root.least, l.blocked.root.least)
}

// here reports whether any member is ready or blocked.
func (l *level) here() bool { return l.ready.root != nil || l.blocked.root != nil }

// due returns the dormant member that will be due first, or nil if all of them
// are further ahead than the slack.
func (l *level) due(slack int64) *Caller {
	if l.dormant.root == nil {
		return nil
	}
	return l.dormant.first(l.smallest(slack) + slack)
}

// pick moves the clock when a member's turn is taken.
func (l *level) pick(c *Caller, slack int64) {
	m := l.smallest(slack)
	if c.tag > m+slack { // the dormant ones do not hold it up
		m = l.least()
	}
	l.clock = max(l.clock, m)
	l.round = max(l.round, c.round)
}

// book charges a turn and moves the member to the end of the round. It returns
// the place that a loss of the turn gives back. Rounds in which a member was
// passed over or away are not made up for; the CPU that it missed is, by its
// start tag.
func (l *level) book(c *Caller, cost time.Duration, weight int) (before place) {
	before = c.place
	next := place{max(c.round, l.round) + wholeRound/int64(weight), l.last()}
	if c.state == idle { // it had no place
		before = next
	}
	l.ahead = max(l.ahead, next.round)
	l.weigh(c)
	l.move(c, cost, weight, next)
	return before
}

// refund takes a charge back and gives the member the place that it had before,
// if that is an earlier one.
func (l *level) refund(c *Caller, cost time.Duration, weight int, before place) {
	at := c.place
	if before.before(at) {
		at = before
	}
	l.move(c, -cost, weight, at)
}

// move changes what a member was charged, and its place in the round robin.
func (l *level) move(c *Caller, by time.Duration, weight int, to place) {
	var t *tree
	switch c.state {
	case ready:
		t = &l.ready
	case dormant:
		t = &l.dormant
	case blocked:
		t = &l.blocked
	}
	switch {
	case t == nil:
		c.charge(by, weight)
		c.place = to
	case c.place == to:
		before := c.tag
		c.charge(by, weight)
		t.fix(c, before)
	default:
		t.drop(c)
		c.charge(by, weight)
		c.place = to
		t.add(c)
	}
	l.latest = max(l.latest, c.tag)
}

// forgettable reports whether an idle member would come back like a new one.
func (l *level) forgettable(c *Caller, slack int64) bool {
	return c.state == idle && (l.resting() || c.tag <= l.floor(slack) && c.round <= l.round)
}

// resting reports whether no member has work.
func (l *level) resting() bool {
	return !l.here() && l.dormant.root == nil && l.owed == 0
}

// floor is the start tag of a member without a past.
func (l *level) floor(slack int64) int64 {
	switch {
	case l.resting():
		return l.latest
	case !l.here() && l.dormant.root == nil:
		return l.clock
	}
	return l.smallest(slack)
}

// smallest is the smallest start tag of those that are ready, blocked or dormant; there
// must be some.
func (l *level) smallest(slack int64) int64 {
	switch {
	case l.dormant.root == nil:
		return l.least()
	case !l.here():
		return max(l.dormant.root.least, l.behind(slack))
	}
	return min(l.least(), max(l.dormant.root.least, l.behind(slack)))
}

// behind is the start tag that dormant and owed members have at least, when they
// become ready.
func (l *level) behind(slack int64) int64 {
	least := l.clock
	if l.here() {
		least = l.least()
	}
	return min(least, l.clock-2*slack)
}

// spread returns the smallest and the largest start tag of those that are ready, blocked
// or dormant, zeros if there are none.
func (l *level) spread(slack int64) (least, most int64) {
	if !l.here() && l.dormant.root == nil {
		return 0, 0
	}
	least, most = l.smallest(slack), math.MinInt64
	for _, t := range []*tree{&l.ready, &l.blocked, &l.dormant} {
		if t.root != nil {
			most = max(most, t.root.most)
		}
	}
	return least, max(least, most)
}

// last is the order behind all others.
func (l *level) last() uint64 {
	l.order++
	return l.order
}
