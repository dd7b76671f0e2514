// Package fair decides whose turn it is.
//
// A [Ring] holds callers that have work. Each has a virtual time: the CPU it was
// charged so far, divided by its weight. Turns go round robin among the callers
// whose virtual time is within the ring's slack of the smallest one, as many
// turns to each in a round as its weight says; a caller that is further ahead is
// passed over until the others have caught up. A turn costs what it uses, but at
// least one quantum. So callers with like turns go strictly round robin although
// their turns jitter, as do all callers whose turns cost less than a quantum,
// and a turn that took long is paid back.
//
// This is start-time fair queueing (Goyal, Vin, Cheng: "Start-time Fair
// Queueing", SIGCOMM 1996) for several servers (Jin, Chase, Kaur: "Interposed
// Proportional Sharing for a Storage Service Utility", SIGMETRICS 2004), with
// round robin among those that are about level. The bound it gives is derived in
// docs/fairness.md.
//
// The package is pure: no I/O, clock, goroutine or lock. Its owner is the
// scheduler machine in package dispatch. Start reading at [Ring].
package fair

import "time"

// Caller is one member of the ring. The zero value with a name and a weight is
// a caller that has never had a turn.
type Caller struct {
	Name   string
	Weight int // 1 or more; a change counts from the next charge

	vtime int64 // virtual time: charged nanoseconds / weight
	part  int64 // nanoseconds that the division by the weight left over
	place       // the least one is next
	node  int32 // in the tree; 0 when not waiting
	owed  bool  // has work that has not been offered yet: keeps its place
	since int64 // the ring's floor when it last came from being idle
}

// place is where a caller is in the round robin.
type place struct {
	round int64  // its turns so far divided by its weight, in parts of a round
	order uint64 // among those with the same round: when it was served or joined last
}

// wholeRound is one turn of a caller with weight 1.
const wholeRound = 1 << 20

func (p place) before(q place) bool {
	return p.round < q.round || p.round == q.round && p.order < q.order
}

// Bill is what one turn was charged. It is kept until the turn ends, because
// the weight may change meanwhile.
type Bill struct {
	Cost   time.Duration
	Weight int

	place place // the caller's, before it was served
}

// Waiting reports whether the caller is in line for a turn.
func (c *Caller) Waiting() bool { return c.node > 0 }

// Owed reports whether the caller keeps its place while its next offer is on
// the way.
func (c *Caller) Owed() bool { return c.owed }

// VirtualTime is the CPU that the caller was charged so far, divided by its
// weight. It tells something only beside those of other callers of its ring.
func (c *Caller) VirtualTime() time.Duration { return time.Duration(c.vtime) }

// Ring orders the callers that have work. All costs are CPU time. The zero
// value is not usable: see [New].
type Ring struct {
	quantum time.Duration
	slack   int64
	line    tree // the waiting callers
	order   uint64
	round   int64 // the one that the last turn was taken in; never falls
	ahead   int64 // the largest round that any caller ever was in
	owed    int   // callers that are owed
	start   int64 // the largest that the smallest virtual time was at a pick or join; never falls
	most    int64 // the largest virtual time that any caller ever had
}

// New returns an empty ring. quantum, above zero, is the least that a turn is
// charged. slack, in virtual time, is how far callers may be ahead of the one
// that had least and still go round robin with it: without it the jitter of a
// measurement would break the round robin of like turns. It is also the most
// that an owed caller makes up for.
func New(quantum, slack time.Duration) *Ring {
	return &Ring{quantum: quantum, slack: int64(slack), line: newTree()}
}

// Len is the number of waiting callers.
func (r *Ring) Len() int { return r.line.size }

// Join puts a caller in line. A new one starts at the smallest virtual time of
// those waiting, last in the round. One that had left keeps its own unless the
// others have passed it meanwhile: it gains no turn by leaving and carries no
// credit for idle time. One that is owed keeps its own and its place in the
// round, so it is served first; but it falls no more than twice the slack behind
// the others: an offer that took long does not earn a monopoly. (Within one slack
// they go round robin, so only what is beyond it is made up for.) Joining twice
// does nothing.
//
// A ring in which nobody waits or is owed is at rest: nobody is held up, so
// there is nothing to be fair about, and those who come next start level.
func (r *Ring) Join(c *Caller) {
	if c.node > 0 {
		return
	}
	if c.owed {
		floor := r.floor()
		r.start = max(r.start, floor)
		c.vtime = max(c.vtime, min(floor, r.start-2*r.slack))
		r.owe(c, false)
	} else {
		r.come(c)
	}
	r.line.add(c)
}

// come gives a caller that was idle its place.
func (r *Ring) come(c *Caller) {
	c.since = r.floor()
	r.start = max(r.start, c.since)
	c.vtime = max(c.vtime, c.since)
	if r.resting() {
		r.round = r.ahead
	}
	c.place = place{max(c.round, r.round), r.last()}
}

// Leave takes a caller out of line; owed says that it has more work whose offer
// has not arrived yet. One that was idle and is owed now has its place from now
// on. Neither its neighbours nor their order are touched.
func (r *Ring) Leave(c *Caller, owed bool) {
	switch {
	case c.node > 0:
		r.line.drop(c)
	case owed && !c.owed:
		r.come(c)
	}
	r.owe(c, owed)
}

func (r *Ring) owe(c *Caller, owed bool) {
	if c.owed {
		r.owed--
	}
	if owed {
		r.owed++
	}
	c.owed = owed
}

// Next returns the caller whose turn it is, or nil if nobody waits: of those
// within the slack of the smallest virtual time, the one that is in the earliest
// round, and of several the one that was served or joined longest ago. It
// changes nothing.
func (r *Ring) Next() *Caller {
	if r.Len() == 0 {
		return nil
	}
	return r.line.first(r.least() + r.slack)
}

// Charge books one turn that is predicted to cost that much on the caller whose
// turn it is, which becomes the last in the round. It returns the bill, which
// [Ring.Settle] and [Ring.Refund] want back.
func (r *Ring) Charge(c *Caller, predict time.Duration) Bill {
	r.start = max(r.start, r.least())
	r.round = max(r.round, c.round)
	return r.Book(c, predict)
}

// Book charges a turn that was not taken in its turn, one that runs already when
// the ring hears of it. Its caller, waiting or not, becomes the last in the round
// all the same: it is being served. Rounds in which it was passed over or away
// are not made up for; the CPU that it missed is, by its virtual time.
func (r *Ring) Book(c *Caller, predict time.Duration) Bill {
	bill := Bill{Cost: max(predict, r.quantum), Weight: max(c.Weight, 1), place: c.place}
	next := place{max(c.round, r.round) + wholeRound/int64(bill.Weight), r.last()}
	if c.node == 0 && !c.owed { // idle: it had no place
		bill.place = next
	}
	r.ahead = max(r.ahead, next.round)
	r.move(c, bill.Cost, bill.Weight, next)
	return bill
}

// Settle corrects a charge by the CPU that the turn really used, at least a
// quantum. The caller keeps its place in the round.
func (r *Ring) Settle(c *Caller, bill Bill, used time.Duration) {
	r.move(c, max(used, r.quantum)-bill.Cost, bill.Weight, c.place)
}

// Refund takes back the charge of a turn that was lost, and gives the caller the
// place in the round that it had before it.
func (r *Ring) Refund(c *Caller, bill Bill) {
	at := c.place
	if bill.place.before(at) {
		at = bill.place
	}
	r.move(c, -bill.Cost, bill.Weight, at)
}

// Idle reports whether a caller that is not waiting may be forgotten: it would
// come back like a new one.
func (r *Ring) Idle(c *Caller) bool {
	return c.node == 0 && !c.owed && (r.resting() || c.vtime <= r.floor())
}

// Jain is Jain's index of fairness (Jain, Chiu, Hawe: DEC-TR-301, 1984) over
// what the waiting callers got since they began to wait, as parts of what they
// were due: 1 is equal, 1/n is everything for one of n. Callers that were due
// less than least are left out. It looks at all waiting callers.
func (r *Ring) Jain(least time.Duration) float64 {
	var n, sum, squares float64
	for i := range r.line.nodes {
		s := &r.line.nodes[i]
		due := r.start - s.since
		if s.c == nil || due <= 0 || due < int64(least) {
			continue
		}
		share := float64(s.vtime-s.since) / float64(due)
		n++
		sum += share
		squares += share * share
	}
	if squares == 0 {
		return 1
	}
	return sum * sum / (n * squares)
}

// Spread returns the smallest and the largest virtual time of the waiting
// callers, zero if there are none.
func (r *Ring) Spread() (least, most time.Duration) {
	if r.Len() == 0 {
		return 0, 0
	}
	return time.Duration(r.least()), time.Duration(r.line.nodes[r.line.root].most)
}

// least is the smallest virtual time of the waiting callers; there must be some.
func (r *Ring) least() int64 { return r.line.nodes[r.line.root].least }

// resting reports whether nobody waits or is owed.
func (r *Ring) resting() bool { return r.Len() == 0 && r.owed == 0 }

// floor is the virtual time at which a caller without a past starts.
func (r *Ring) floor() int64 {
	switch {
	case r.resting():
		return r.most
	case r.Len() == 0:
		return r.start
	}
	return r.least()
}

// last is the order behind all others.
func (r *Ring) last() uint64 {
	r.order++
	return r.order
}

// virtual divides by the weight and carries what is left over to the next
// division: otherwise many turns of a heavy caller would cost it less than they
// use.
func (c *Caller) virtual(d time.Duration, weight int) int64 {
	n, w := int64(d)+c.part, int64(weight)
	v := n / w
	if n%w < 0 {
		v--
	}
	c.part = n - v*w
	return v
}

// move changes what a caller was charged, and its place in the round.
func (r *Ring) move(c *Caller, by time.Duration, weight int, to place) {
	c.vtime += c.virtual(by, weight)
	r.most = max(r.most, c.vtime)
	switch {
	case c.node == 0:
		c.place = to
	case c.place == to:
		r.line.fix(c)
	default:
		r.line.drop(c)
		c.place = to
		r.line.add(c)
	}
}
