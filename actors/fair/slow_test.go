package fair_test

import (
	"math/big"
	"time"

	"fairfactor/actors/fair"
)

// The slow twin: the ring's rules in the plainest form. It has no tree, looks at
// every caller whenever it is asked something, and calculates in fractions where
// the ring carries remainders.

type slowState int

const (
	slowIdle slowState = iota
	slowReady
	slowDormant
	slowOwed
	slowBlocked
)

const slowSlack = int64(slack)

// slowPlace is turns by weight, then the moment of the last one.
type slowPlace struct{ round, order int64 }

func (p slowPlace) before(q slowPlace) bool {
	return p.round < q.round || p.round == q.round && p.order < q.order
}

// slowMember is a caller or a group among its peers.
type slowMember struct {
	weight  int
	counted int // the weight that it is in line with
	tag     int64
	part    big.Rat
	place   slowPlace
	state   slowState
}

type slowCaller struct {
	*fair.Caller
	slowMember
	group *slowGroup
	bills []slowBill
	early bool
}

// slowBill is a bill, and the places that the caller and its group had before.
type slowBill struct {
	fair.Bill
	cost                time.Duration
	weight, groupWeight int
	place, groupPlace   slowPlace
}

type slowGroup struct {
	*fair.Group
	slowMember
	slowLevel
}

// slowLevel is one level; who is on it, it asks.
type slowLevel struct {
	members                              func() []*slowMember
	sleepers                             func() []slowSleeper
	order, clock, latest, round, toppest int64
}

// slowSleeper is what dormant callers look like to their level.
type slowSleeper struct {
	tag    int64
	place  slowPlace
	caller *slowCaller
}

func (l *slowLevel) resting() bool {
	for _, m := range l.members() {
		if m.state != slowIdle {
			return false
		}
	}
	return true
}

// tags are the start tags of those that are ready or blocked, and of those that are
// dormant.
func (l *slowLevel) tags() (readyOnes, dormantOnes []int64) {
	for _, m := range l.members() {
		if m.state == slowReady || m.state == slowBlocked {
			readyOnes = append(readyOnes, m.tag)
		}
	}
	for _, s := range l.sleepers() {
		dormantOnes = append(dormantOnes, s.tag)
	}
	return readyOnes, dormantOnes
}

func (l *slowLevel) behind() int64 {
	readyOnes, _ := l.tags()
	least := l.clock
	for i, tag := range readyOnes {
		if i == 0 || tag < least {
			least = tag
		}
	}
	return min(least, l.clock-2*slowSlack)
}

// line is the start tags of all that wait, the dormant ones no further behind
// than they may be.
func (l *slowLevel) line() []int64 {
	line, dormantOnes := l.tags()
	for _, tag := range dormantOnes {
		line = append(line, max(tag, l.behind()))
	}
	return line
}

func (l *slowLevel) spread() (least, most time.Duration) {
	for i, tag := range l.line() {
		if i == 0 {
			least, most = time.Duration(tag), time.Duration(tag)
		}
		least, most = min(least, time.Duration(tag)), max(most, time.Duration(tag))
	}
	return least, most
}

func (l *slowLevel) floor() int64 {
	switch {
	case l.resting():
		return l.latest
	case len(l.line()) == 0:
		return l.clock
	}
	least, _ := l.spread()
	return int64(least)
}

func (l *slowLevel) set(m *slowMember, to slowState) {
	if m.state == to {
		return
	}
	if m.state == slowIdle {
		floor := l.floor()
		l.clock = max(l.clock, floor)
		m.tag = max(m.tag, floor)
		if l.resting() {
			l.round = l.toppest
		}
		l.order++
		m.place = slowPlace{max(m.place.round, l.round), l.order}
	} else if (to == slowReady || to == slowBlocked) && (m.state == slowDormant || m.state == slowOwed) {
		l.clock = max(l.clock, l.floor())
		m.state = slowOwed // it does not count for where it may be
		m.tag = max(m.tag, l.behind())
	}
	m.state, m.counted = to, m.weight
}

// interval is how many turns there are for each one of a member.
func (l *slowLevel) interval(m *slowMember) float64 {
	sum := m.weight
	for _, other := range l.members() {
		if other != m && other.state != slowIdle {
			sum += other.counted
		}
	}
	return float64(sum) / float64(m.weight)
}

// next is the place in members of the ready one whose turn it is.
func (l *slowLevel) next() *slowMember {
	least, _ := l.spread()
	if best := l.within(int64(least) + slowSlack); best != nil {
		return best
	}
	first := int64(1 << 62)
	for _, m := range l.members() {
		if m.state == slowReady || m.state == slowBlocked {
			first = min(first, m.tag)
		}
	}
	return l.within(first + slowSlack)
}

func (l *slowLevel) within(limit int64) (best *slowMember) {
	for _, m := range l.members() {
		if m.state == slowReady && m.tag <= limit && (best == nil || m.place.before(best.place)) {
			best = m
		}
	}
	return best
}

func (l *slowLevel) due() (best *slowSleeper) {
	least, _ := l.spread()
	for _, s := range l.sleepers() {
		if s.tag <= int64(least)+slowSlack && (best == nil || s.place.before(best.place)) {
			best = &s
		}
	}
	return best
}

// pick moves the clock. If the dormant ones do not hold the member up, they do
// not hold up the clock either.
func (l *slowLevel) pick(m *slowMember) {
	least, _ := l.spread()
	if m.tag > int64(least)+slowSlack {
		readyOnes, _ := l.tags()
		least = time.Duration(readyOnes[0])
		for _, tag := range readyOnes {
			least = min(least, time.Duration(tag))
		}
	}
	l.clock = max(l.clock, int64(least))
	l.round = max(l.round, m.place.round)
}

// book charges a turn and returns where a loss of it would bring the member back
// to: an idle one stays at the end.
func (l *slowLevel) book(m *slowMember, cost time.Duration) slowPlace {
	l.order++
	back, next := m.place, slowPlace{max(m.place.round, l.round) + (1<<20)/int64(m.weight), l.order}
	if m.state == slowIdle {
		back = next
	}
	l.toppest = max(l.toppest, next.round)
	m.place, m.counted = next, m.weight
	l.charge(m, cost, m.weight)
	return back
}

// charge adds to the start tag; the part below one nanosecond is kept, in units
// of CPU, for the next time.
func (l *slowLevel) charge(m *slowMember, by time.Duration, weight int) {
	x := new(big.Rat).Add(new(big.Rat).SetInt64(int64(by)), &m.part)
	x.Quo(x, new(big.Rat).SetInt64(int64(weight)))
	v := new(big.Int).Div(x.Num(), x.Denom()) // Euclidean: rounds down
	x.Sub(x, new(big.Rat).SetInt(v))
	m.part.Mul(x, new(big.Rat).SetInt64(int64(weight)))
	m.tag += v.Int64()
	l.latest = max(l.latest, m.tag)
}

// slowRing is the two levels.
type slowRing struct {
	slowLevel
	all    []*slowCaller
	groups []*slowGroup
}

func newSlowRing(groups int) *slowRing {
	s := &slowRing{}
	for range groups {
		g := &slowGroup{}
		g.slowLevel = s.levelOf(g)
		s.groups = append(s.groups, g)
	}
	s.slowLevel = s.levelOf(nil)
	callers, sleeping := s.members, s.sleepers
	s.members = func() []*slowMember {
		out := callers()
		for _, g := range s.groups {
			out = append(out, &g.slowMember)
		}
		return out
	}
	s.sleepers = func() []slowSleeper {
		out := sleeping()
		for _, g := range s.groups {
			if due := g.due(); due != nil && g.state != slowIdle {
				step := int64(s.earlyIn(g)) * ((1 << 20) / int64(g.weight))
				out = append(out, slowSleeper{g.tag, slowPlace{g.place.round + step, g.place.order}, due.caller})
			}
		}
		return out
	}
	return s
}

// levelOf is the callers of a group, or those of none.
func (s *slowRing) levelOf(g *slowGroup) slowLevel {
	return slowLevel{
		members: func() (out []*slowMember) {
			for _, c := range s.all {
				if c.group == g {
					out = append(out, &c.slowMember)
				}
			}
			return out
		},
		sleepers: func() (out []slowSleeper) {
			for _, c := range s.all {
				if c.group == g && c.state == slowDormant {
					out = append(out, slowSleeper{c.tag, c.place, c})
				}
			}
			return out
		},
	}
}

func (s *slowRing) earlyIn(g *slowGroup) (n int) {
	for _, c := range s.all {
		if c.group == g && c.early {
			n++
		}
	}
	return n
}

func (s *slowRing) level(c *slowCaller) *slowLevel {
	if c.group != nil {
		return &c.group.slowLevel
	}
	return &s.slowLevel
}

func (s *slowRing) setState(c *slowCaller, to slowState) {
	if c.state != to && (to == slowIdle || to == slowDormant) {
		c.early = false
	}
	s.level(c).set(&c.slowMember, to)
	s.sync(c.group)
}

// sync gives a group its state: it is ready if one of its callers may have a turn.
func (s *slowRing) sync(g *slowGroup) {
	if g == nil {
		return
	}
	has := map[slowState]bool{}
	for _, m := range g.members() {
		has[m.state] = true
	}
	is := slowIdle
	switch {
	case g.next() != nil:
		is = slowReady
	case has[slowBlocked]:
		is = slowBlocked
	case has[slowOwed] || has[slowDormant]:
		is = slowOwed
	}
	s.set(&g.slowMember, is)
}

// turn is the caller whose turn it is.
func (s *slowRing) turn() *slowCaller {
	m := s.next()
	for _, g := range s.groups {
		if m == &g.slowMember {
			m = g.next()
		}
	}
	for _, c := range s.all {
		if m == &c.slowMember {
			return c
		}
	}
	return nil
}

func (s *slowRing) bill(c *slowCaller, b fair.Bill, cost time.Duration) {
	c.early = false
	cost = max(cost, quantum)
	sb := slowBill{Bill: b, cost: cost, weight: c.weight, place: s.level(c).book(&c.slowMember, cost)}
	if g := c.group; g != nil {
		sb.groupWeight, sb.groupPlace = g.weight, s.book(&g.slowMember, cost)
	}
	s.sync(c.group)
	c.bills = append(c.bills, sb)
}

func (s *slowRing) settle(c *slowCaller, b slowBill, used time.Duration) {
	by := max(used, quantum) - b.cost
	s.level(c).charge(&c.slowMember, by, b.weight)
	if g := c.group; g != nil {
		s.charge(&g.slowMember, by, b.groupWeight)
	}
	s.sync(c.group)
}

func (s *slowRing) refund(c *slowCaller, b slowBill) {
	s.level(c).charge(&c.slowMember, -b.cost, b.weight)
	if b.place.before(c.place) {
		c.place = b.place
	}
	if g := c.group; g != nil {
		s.charge(&g.slowMember, -b.cost, b.groupWeight)
		if b.groupPlace.before(g.place) {
			g.place = b.groupPlace
		}
	}
	s.sync(c.group)
}

func (s *slowRing) move(c *slowCaller, g *slowGroup) {
	if c.group == g {
		return
	}
	was := c.state
	s.setState(c, slowIdle)
	c.group, c.tag, c.place = g, 0, slowPlace{}
	c.part.SetInt64(0)
	s.setState(c, was)
}
