package dispatch

import "time"

// Tick does what time does: silent callers lose their place, silent workers
// their turns, and callers without work are forgotten. Call it every half
// second or so.
func (m *Machine) Tick(now time.Duration) {
	m.dropWorkers(now, func(w *worker) bool { return now-w.heard > Lost })
	watched := m.watched
	m.watched = m.watched[:0]
	for _, c := range watched {
		m.age(now, c)
		c.watched = m.callers[c.fair.Name] == c && (c.asked || c.silent || len(c.window) == 0)
		if c.watched {
			m.watched = append(m.watched, c)
		}
	}
	clear(watched[len(m.watched):])
	m.account.look(m)
}

// age does for one caller what time does. A caller that said that it has more
// is never forgotten: asking it may be what brings it back to life.
func (m *Machine) age(now time.Duration, c *caller) {
	waited := now - c.pulled
	switch {
	case c.asked && waited > Silence:
		c.asked, c.silent = false, true
		if len(c.window) == 0 {
			m.ring.Leave(&c.fair, false)
		}
	case c.asked && waited > Silence/2 && !c.repeated:
		c.repeated = true
		m.ask(c)
	case c.silent && waited > 2*Silence:
		c.silent = false
		m.fill(now, c)
	case !c.busy() && m.ring.Idle(&c.fair): // it would come back like a new one
		delete(m.callers, c.fair.Name)
	}
}

// busy reports whether a caller has turns here, in workers' hands, or yet to be
// offered.
func (c *caller) busy() bool { return len(c.window) > 0 || len(c.open) > 0 || c.more }

// watch has [Machine.Tick] look at a caller: one that was asked for an offer, is
// silent, or has nothing in its window. All others need no clock.
func (m *Machine) watch(c *caller) {
	if !c.watched {
		c.watched = true
		m.watched = append(m.watched, c)
	}
}
