package fair

import "time"

// Ring orders the callers that have work. All costs are CPU time. The zero
// value is not usable: see [New].
type Ring struct {
	quantum time.Duration
	slack   int64
	top     level
	groups  []*Group // those that have callers
	look    int      // index in groups where [Ring.Inside] goes on
	counts  [5]int   // callers by state; idle ones are not counted
	rivals  int      // members of the top level that have work
	inLine  int      // those of them that are groups
	early   int      // callers asked before they were due, and not served since
	asking  int      // those of them that have not answered
}

// New returns an empty ring. quantum, above zero, is the least that a turn is
// charged. slack, as a difference of start tags, is how far callers may be ahead
// of the one that had least and still go round robin with it: without it the
// jitter of a measurement would break the round robin of similar turns. An owed
// caller makes up for at most that much, too.
func New(quantum, slack time.Duration) *Ring {
	return &Ring{quantum: quantum, slack: int64(slack)}
}

// Ready is the number of callers with turns that are here.
func (r *Ring) Ready() int { return r.counts[ready] }

// Dormant is the number of callers in line that have no turns here.
func (r *Ring) Dormant() int { return r.counts[dormant] }

// Backlogged is the number of callers that are ready, dormant, owed or blocked.
func (r *Ring) Backlogged() int {
	return r.counts[ready] + r.counts[dormant] + r.counts[owed] + r.counts[blocked]
}

// Rivals is the number of groups, and callers without a group, that have work.
func (r *Ring) Rivals() int { return r.rivals }

// Groups is the number of groups that have callers with work.
func (r *Ring) Groups() int { return r.inLine }

// Interval is how many turns there are for each one of a caller, if all that have
// work now keep having some. It is the number of callers in line if there are no
// groups and no weights.
func (r *Ring) Interval(c *Caller) float64 {
	if g := c.group; g != nil {
		return r.top.interval(&g.entry) * g.inside.interval(c)
	}
	return r.top.interval(c)
}

// Early is the number of callers that [Ring.Ask] was called for and that had no
// turn since. Asking is how many of them are owed.
func (r *Ring) Early() (callers, asking int) { return r.early, r.asking }

// Join says that a caller has turns here. A new caller starts at the smallest
// start tag of its level, last in the round. One that had left keeps its own tag
// unless the others have passed it. One that is dormant or owed keeps its tag
// and its place, so it may be served first; but it falls no more than twice the
// slack behind. Joining twice does nothing.
//
// A group joins with the first of its callers, by the same rule.
func (r *Ring) Join(c *Caller) { r.set(c, ready) }

// Block says that the turn of a caller waits for room which others do not need: they may go
// by, but get no further ahead of it than the slack. It keeps its start tag and its place, and
// goes on with [Ring.Join].
func (r *Ring) Block(c *Caller) { r.set(c, blocked) }

// Sleep says that a caller has work, but no turns here. One that was idle joins
// the round like a new caller; all others keep their start tag and their place.
func (r *Ring) Sleep(c *Caller) { r.set(c, dormant) }

// Leave takes a caller out of line. owe says that it has more work whose offer
// is on the way: then it keeps its place, and one that was idle takes its place
// now. Neither its neighbours nor their order are touched.
func (r *Ring) Leave(c *Caller, owe bool) {
	if owe {
		r.set(c, owed)
		return
	}
	r.set(c, idle)
}

// Due returns the dormant caller that should be asked next, or nil: the one
// whose turn comes first, counting the turns of those that were asked already.
func (r *Ring) Due() *Caller {
	c := r.top.due(r.slack)
	if c != nil && c.group != nil {
		return c.group.inside.due(r.slack)
	}
	return c
}

// Ask says that a dormant caller is asked for turns before they are due: it is
// owed from now on, and counts as early until it is served, goes back to sleep
// or leaves.
func (r *Ring) Ask(c *Caller) {
	c.early = true
	r.early++
	if c.group != nil {
		c.group.early++
	}
	r.set(c, owed)
}

// Late says that an early caller takes long to answer: it no longer counts as
// early.
func (r *Ring) Late(c *Caller) {
	r.forgo(c)
	if c.group != nil {
		r.mirror(c.group)
	}
}

// forgo no longer counts a caller as early.
func (r *Ring) forgo(c *Caller) {
	if !c.early {
		return
	}
	c.early = false
	r.early--
	if c.state == owed {
		r.asking--
	}
	if c.group != nil {
		c.group.early--
	}
}

// Weigh changes a group's weight, 1 or more. The change counts from the next
// charge.
func (r *Ring) Weigh(g *Group, weight int) {
	g.entry.Weight = max(weight, 1)
	r.mirror(g)
}

// set brings a caller into another state, and its group with it.
func (r *Ring) set(c *Caller, to state) {
	from := c.state
	if from == to {
		return
	}
	if to == idle || to == dormant {
		r.forgo(c)
	}
	if c.early {
		r.asking += btoi(to == owed) - btoi(from == owed)
	}
	if from != idle {
		r.counts[from]--
	}
	if to != idle {
		r.counts[to]++
	}
	g := c.group
	if g == nil {
		r.rivals += btoi(to != idle) - btoi(from != idle)
		r.top.set(c, to, r.slack)
		return
	}
	g.inside.set(c, to, r.slack)
	r.sync(g)
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// sync brings a group's state up to those of its callers.
func (r *Ring) sync(g *Group) {
	to := idle
	switch {
	case g.inside.ready.root != nil && (g.inside.blocked.root == nil || g.inside.next(r.slack) != nil):
		to = ready
	case g.inside.blocked.root != nil: // those that are ready are too far ahead of it
		to = blocked
	case !g.inside.resting():
		to = owed
	}
	r.mirror(g)
	if was := g.entry.state; was != to {
		came := btoi(to != idle) - btoi(was != idle)
		r.rivals += came
		r.inLine += came
		r.top.set(&g.entry, to, r.slack)
		r.mirror(g)
	}
}

// mirror has a group stand among the dormant members of the top level while one
// of its own dormant callers is due: with the group's start tag, and as many of
// its turns behind the group's place as were asked for already.
func (r *Ring) mirror(g *Group) {
	a, e := &g.asking, &g.entry
	due := e.state != idle && g.inside.due(r.slack) != nil
	at := place{e.round + int64(g.early)*(wholeRound/int64(e.Weight)), e.order}
	switch {
	case a.state == dormant && due && a.place == at:
		if before := a.tag; before != e.tag {
			a.tag = e.tag
			r.top.dormant.fix(a, before)
		}
		return
	case a.state == dormant:
		r.top.dormant.drop(a)
	}
	a.state = idle
	if due {
		a.state, a.place, a.tag = dormant, at, e.tag
		r.top.dormant.add(a)
	}
}

// Next returns the caller whose turn it is, or nil if none is ready. It changes
// nothing.
func (r *Ring) Next() *Caller {
	c := r.top.next(r.slack)
	if c != nil && c.group != nil {
		return c.group.inside.next(r.slack)
	}
	return c
}

// Charge books one turn that is predicted to cost that much on the caller whose
// turn it is, which becomes the last in the round. It returns the bill, which
// [Ring.Settle] and [Ring.Refund] want back.
func (r *Ring) Charge(c *Caller, predict time.Duration) Bill {
	if g := c.group; g != nil {
		g.inside.pick(c, r.slack)
		r.top.pick(&g.entry, r.slack)
	} else {
		r.top.pick(c, r.slack)
	}
	return r.Book(c, predict)
}

// Book charges a turn that was not taken in its turn, one that runs already when
// the ring hears of it. Its caller, ready or not, becomes the last in the round
// all the same: it is being served.
func (r *Ring) Book(c *Caller, predict time.Duration) Bill {
	r.forgo(c)
	b := Bill{Cost: max(predict, r.quantum), weight: int32(max(c.Weight, 1))}
	g := c.group
	if g == nil {
		b.place = r.top.book(c, b.Cost, int(b.weight))
		return b
	}
	b.groupWeight = int32(g.entry.Weight)
	b.place = g.inside.book(c, b.Cost, int(b.weight))
	b.groupPlace = r.top.book(&g.entry, b.Cost, int(b.groupWeight))
	r.sync(g)
	return b
}

// Settle corrects a charge by the CPU that the turn really used, at least a
// quantum. The caller keeps its place in the round.
func (r *Ring) Settle(c *Caller, b Bill, used time.Duration) {
	by := max(used, r.quantum) - b.Cost
	g := c.group
	if g == nil {
		r.top.move(c, by, int(b.weight), c.place)
		return
	}
	g.inside.move(c, by, int(b.weight), c.place)
	r.top.move(&g.entry, by, int(b.groupWeight), g.entry.place)
	r.sync(g)
}

// Refund takes back the charge of a turn that was lost, and gives the caller and
// its group the places in the round that they had before it.
func (r *Ring) Refund(c *Caller, b Bill) {
	g := c.group
	if g == nil {
		r.top.refund(c, b.Cost, int(b.weight), b.place)
		return
	}
	g.inside.refund(c, b.Cost, int(b.weight), b.place)
	r.top.refund(&g.entry, b.Cost, int(b.groupWeight), b.groupPlace)
	r.sync(g)
}

// Idle reports whether a caller without work may be
// forgotten: it would come back like a new one.
func (r *Ring) Idle(c *Caller) bool {
	if c.group != nil {
		return c.group.inside.forgettable(c, r.slack)
	}
	return r.top.forgettable(c, r.slack)
}

// IdleGroup reports whether a group has no callers and may be forgotten.
func (r *Ring) IdleGroup(g *Group) bool {
	return g.size == 0 && r.top.forgettable(&g.entry, r.slack)
}

// Move puts a caller into a group, or with nil into none. There it is like a new
// caller, in the state that it was in. Bills of turns that have not ended must be
// refunded before and booked afterwards. A caller that is forgotten has to be
// moved to nil first.
func (r *Ring) Move(c *Caller, g *Group) {
	if c.group == g {
		return
	}
	was := c.state
	r.set(c, idle)
	if old := c.group; old != nil {
		if old.size--; old.size == 0 {
			last := r.groups[len(r.groups)-1]
			r.groups[old.at], last.at = last, old.at
			r.groups[len(r.groups)-1] = nil
			r.groups = r.groups[:len(r.groups)-1]
		}
	}
	c.group, c.tag, c.part, c.place = g, 0, 0, place{}
	if g != nil {
		if g.size++; g.size == 1 {
			g.at = len(r.groups)
			r.groups = append(r.groups, g)
		}
	}
	r.set(c, was)
}
