package dispatch

import (
	"slices"
	"time"
)

// Offer adds turns of a caller behind those it offered before.
func (m *Machine) Offer(now time.Duration, o Offer) {
	c := m.caller(o.Caller)
	if o.Epoch < c.epoch {
		// The later activation may have died before it wrote anything: nothing in the store
		// tells this one that it is not the last. What it is asked now does.
		c.more, c.silent = true, false
		if !c.asked {
			m.ask(now, c)
		}
		m.settle(now, c)
		return
	}
	if o.Epoch > c.epoch {
		m.supersede(c, o.Epoch)
	}
	m.heard(c)
	m.regroup(c, o.Group)
	c.fair.Weight = max(o.Weight, 1)
	if owed := o.Charge + time.Duration(o.Known)*m.quantum; owed > 0 {
		m.debts[c] += owed
	}
	m.say(c, o.Jobs, o.Work.Seconds(), o.Oldest)
	promised := c.asked
	c.asked, c.silent, c.more = false, false, o.More
	if len(o.Turns) > 0 {
		m.add(now, c, o)
	}
	if promised && o.More && c.waiting() == 0 && m.crowded(c) {
		m.ring.Leave(&c.fair, false) // it has nothing yet: to the end of the round
	}
	m.settle(now, c)
}

// add puts the turns of an offer that are not here yet into the window.
func (m *Machine) add(now time.Duration, c *caller, o Offer) {
	w := m.working(c)
	w.home = o.Home
	w.window.reserve(len(o.Turns))
	known := m.spareKnown
	if o.Again {
		c.list(known)
	}
	for i := range o.Turns {
		t := &o.Turns[i]
		if t.Suspect {
			m.Doubt(now, c.name, t.Seq, m.number(t))
		}
		h, ok := known[t.Key]
		switch {
		case !ok && !m.welcome(c, t):
		case !ok && c.held(t.Seq):
			if !slices.ContainsFunc(w.late, func(l Turn) bool { return l.Key == t.Key }) {
				w.late = append(w.late, *t)
			}
		case !ok:
			w.window.push(*t)
			w.learn(t.Predict)
			m.waiting++
		case h != nil && h.Body == nil: // adopted: now it can be handed out again
			h.Body, h.Mourned = t.Body, t.Mourned
			if t.Suspect && !h.Suspect {
				h.Suspect = true
				h.worker.suspects++
			}
		}
	}
	clear(known)
}

// list fills in the turns of a caller that the machine holds; those in its
// window have no entry of their own.
func (c *caller) list(known map[Key]*handed) {
	if c.work == nil {
		return
	}
	for _, t := range c.work.window.all() {
		known[t.Key] = nil
	}
	for _, list := range [][]Turn{c.work.aside, c.work.held} {
		for i := range list {
			known[list[i].Key] = nil
		}
	}
	for _, h := range c.work.open {
		if !h.dropped {
			known[h.Key] = h
		}
	}
}

// supersede drops what earlier activations of a caller offered: the outcomes
// would be ignored.
func (m *Machine) supersede(c *caller, epoch uint64) {
	c.epoch = epoch
	m.keep(c, func(t *Turn) bool { return t.Epoch >= epoch })
	for _, h := range c.hands() {
		h.dropped = h.dropped || h.Epoch < epoch
	}
}

// Withdraw forgets the turns of a job that an activation of its caller or one before it has
// offered, and returns those that workers should stop. Those of a later activation stay: it
// may have given the number to another job, if that of the one before was not written.
func (m *Machine) Withdraw(now time.Duration, name string, seq, epoch uint64) (halts []Halt) {
	c := m.callers[name]
	if c == nil {
		return nil
	}
	m.keep(c, func(t *Turn) bool { return t.Seq != seq || t.Epoch > epoch })
	for _, h := range c.hands() {
		if h.Seq == seq && h.Epoch <= epoch && !h.dropped {
			h.dropped = true
			halts = append(halts, Halt{Worker: h.worker.name, Dispatched: h.Dispatched})
		}
	}
	m.settle(now, c)
	return halts
}

// keep drops the turns of a window that are not wanted.
func (m *Machine) keep(c *caller, wanted func(*Turn) bool) {
	if c.work != nil {
		m.waiting -= c.work.window.keep(wanted)
		for _, list := range []*[]Turn{&c.work.late, &c.work.aside, &c.work.held} {
			*list = slices.DeleteFunc(*list, func(t Turn) bool { return !wanted(&t) })
		}
	}
}
