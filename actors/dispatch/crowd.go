package dispatch

import (
	"time"

	"fairfactor/actors/fair"
)

// Bounds on how far ahead of their turns dormant callers are asked.
const (
	// MaxAsking is the most dormant callers that have been asked ahead and have
	// not answered: a burst that callers' nodes and the store take in their stride,
	// and half a second's worth at 2,000 activations a second.
	MaxAsking = 1024
	// MaxEarly is the most callers that have been asked ahead and not served.
	MaxEarly = 8192
	// MaxWants is the most callers that [Machine.Wants] asks for.
	MaxWants = 65536
	// firstMean is what a turn is taken to cost before any has ended.
	firstMean = time.Millisecond
	// leastEarly is asked ahead for each slot at least, whatever turns cost: its
	// next four turns, so that a slot never waits for a round trip.
	leastEarly = 4
	// Helping is the predicted work that a caller is asked for when there are many
	// callers: waking its actor costs some 100 us, which is a twentieth of it.
	Helping = 2 * time.Millisecond
	// Full is the number of turns in all windows above which callers are asked
	// for one turn at a time: some 30 MB with what the turns carry.
	Full = 8 * Cache
)

// Known is a caller that the store says has unfinished jobs.
type Known struct {
	Caller string
	Group  string // empty: it has none
	Weight int
	Jobs   uint64 // unfinished, taken to be like what the workers had lately
}

// Backlogged tells of callers that the store says have unfinished jobs, and calls
// for a Dispatch. Those that are not known, or seem to have nothing to do, join
// the line dormant: they are asked for turns shortly before these are due. Those
// that have turns here or in hand, or said that they have more, are left alone.
func (m *Machine) Backlogged(_ time.Duration, callers []Known) {
	for _, k := range callers {
		if c := m.callers[k.Caller]; c != nil && c.busy() {
			continue
		}
		c := m.caller(k.Caller)
		c.fair.Weight = max(k.Weight, 1)
		m.regroup(c, k.Group)
		m.say(c, k.Jobs, float64(k.Jobs)*m.mean/1e9, 0)
		c.more, c.unheard = true, true
		m.unheard++
		m.ring.Sleep(&c.fair)
		m.rest(c)
	}
}

// Unread tells how many unfinished jobs those callers have that the machine will hear
// of by [Machine.Backlogged] later. The report counts them.
func (m *Machine) Unread(jobs uint64) { m.unread = jobs }

// Wants is how many more callers the machine would like to hear of by
// [Machine.Backlogged] now: zero when it knows of enough that were never asked to
// keep the workers busy for about a second.
func (m *Machine) Wants() int {
	return max(0, min(max(m.perSecond(), leastEarly), MaxWants)-m.unheard)
}

// perSecond is how many turns the workers can use in a second, by what turns
// cost lately.
func (m *Machine) perSecond() int {
	mean := max(m.mean, float64(m.quantum))
	return max(m.slots, 1) * max(1, int(float64(time.Second)/mean))
}

// crowded reports whether a caller shares the workers with so many that it
// becomes dormant when its window is empty. A caller that competes with a group
// of thousands is not crowded, they are.
func (m *Machine) crowded(c *caller) bool { return m.ring.Interval(&c.fair) > float64(m.crowd) }

// wake asks dormant callers in the order in which they are due, about a second
// ahead of their turns.
func (m *Machine) wake(now time.Duration) {
	if m.slots == 0 {
		return
	}
	limit := max(min(m.perSecond(), MaxEarly), leastEarly*m.slots)
	for {
		early, asking := m.ring.Early()
		if early >= limit || asking >= max(MaxAsking, leastEarly*m.slots) {
			return
		}
		f := m.ring.Due()
		if f == nil {
			return
		}
		m.ring.Ask(f)
		m.ask(now, f.Owner.(*caller))
	}
}

// want is the size of a window that is full: the part of Cache that is the
// caller's share, and less if its turns are long. A caller that has not said what its turns cost is
// taken to be like the others lately.
func (m *Machine) want(c *caller) int {
	mean := time.Duration(m.mean)
	if c.work != nil && c.work.mean > 0 {
		mean = c.work.mean
	}
	if m.crowded(c) {
		return m.helping(mean)
	}
	n := int(min(Window, Cache/m.ring.Interval(&c.fair)))
	if ahead := Ahead * time.Duration(max(m.slots, 1)); mean*time.Duration(n) > ahead {
		n = int(ahead / mean)
	}
	return max(2, n)
}

// helping is how many turns a caller is asked for when there are many callers:
// more of short ones, so that waking the caller pays, and fewer the more turns
// are here.
func (m *Machine) helping(mean time.Duration) int {
	switch {
	case m.waiting >= Full:
		return 1
	case m.waiting >= Cache:
		return 2
	}
	return min(Window, max(2, int(Helping/max(mean, m.quantum))))
}

// WeighGroup sets the weight of a group, 1 or more, whether it is known or not.
// The change counts from the next charge. Groups have weight 1 unless this was
// called for them: a machine has to be told of all others once.
func (m *Machine) WeighGroup(name string, weight int) {
	weight = max(weight, 1)
	if weight == 1 {
		delete(m.weights, name)
	} else {
		m.weights[name] = weight
	}
	if g := m.groups[name]; g != nil {
		m.ring.Weigh(g, weight)
	}
}

// regroup moves a caller to the group of that name, or to none. What it has in
// hand is charged to the new group.
func (m *Machine) regroup(c *caller, name string) {
	old := c.fair.Group()
	if old == nil && name == "" || old != nil && old.Name == name {
		return
	}
	for _, h := range c.hands() {
		m.ring.Refund(&c.fair, h.bill)
	}
	m.ring.Move(&c.fair, m.group(name))
	for _, h := range c.hands() {
		h.bill = m.ring.Book(&c.fair, h.bill.Cost)
	}
	m.abandon(old)
}

// group returns a group, new if it has to be; nil if the name is empty.
func (m *Machine) group(name string) *fair.Group {
	if name == "" {
		return nil
	}
	g := m.groups[name]
	if g == nil {
		g = fair.NewGroup(name, max(m.weights[name], 1))
		m.groups[name] = g
	}
	return g
}
