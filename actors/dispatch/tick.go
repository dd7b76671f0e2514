package dispatch

import (
	"time"

	"fairfactor/actors/fair"
)

// asked is a caller, and when it was asked for turns.
type asked struct {
	c  *caller
	at time.Duration
}

// still reports whether the caller has not answered that question.
func (a asked) still() bool { return a.c.asked && a.c.work.pulled == a.at }

// Callers without work that are looked at, to be forgotten: with each Dispatch,
// more than it can make; and with each Tick, 1 ms or so if none of them can be
// forgotten and 20 ms if all can.
const (
	forgetEach = 8
	forgetTick = 65536
	forgetVain = 4096
)

// Tick does what time does: silent callers lose their place, silent workers
// their turns, and callers without work are forgotten. Call it about once a
// second. It looks at what is due only, not at callers that wait.
func (m *Machine) Tick(now time.Duration) {
	m.dropWorkers(now, func(w *worker) bool { return now-w.heard > Lost }, false)
	for m.unanswer.size > 0 && now-m.unanswer.peek().at > Silence/2 {
		if a := m.unanswer.pop(); a.still() && !a.c.repeated {
			a.c.repeated = true
			m.ring.Late(&a.c.fair)
			m.pull(a.c)
			m.unheeded.push(a)
		}
	}
	for m.unheeded.size > 0 && now-m.unheeded.peek().at > Silence {
		if a := m.unheeded.pop(); a.still() {
			a.c.asked, a.c.silent = false, true
			m.silent.push(a)
			m.settle(now, a.c)
		}
	}
	for m.silent.size > 0 && now-m.silent.peek().at > 2*Silence {
		// A caller that said that it has more is never forgotten: asking it may be
		// what brings it back to life.
		if a := m.silent.pop(); a.c.silent && a.c.work.pulled == a.at {
			a.c.silent = false
			m.settle(now, a.c)
		}
	}
	m.succeed(now)
	m.forget(forgetTick)
	m.lags.look(m)
}

// forget forgets callers and groups that have no work and would come back like
// new ones. It looks at that many at most, and at few that can't be forgotten:
// these come again at the end of the queue.
func (m *Machine) forget(most int) {
	vain := min(most, forgetVain)
	for range min(most, m.retired.size) {
		c := m.retired.pop()
		c.retired = c.idle
		switch {
		case !c.idle:
		case m.ring.Idle(&c.fair):
			g := c.fair.Group()
			m.ring.Move(&c.fair, nil)
			m.abandon(g)
			delete(m.callers, c.name)
			delete(m.debts, c)
			m.idle--
			c.idle, c.retired = false, false
		default:
			m.retired.push(c)
			if vain--; vain <= 0 {
				return
			}
		}
	}
	for range min(most, m.abandoned.size) {
		switch g := m.abandoned.pop(); {
		case g.Size() > 0 || m.groups[g.Name] != g:
		case m.ring.IdleGroup(g):
			delete(m.groups, g.Name)
		default:
			m.abandoned.push(g)
			if vain--; vain <= 0 {
				return
			}
		}
	}
}

// abandon has a group forgotten some day if it has no callers left.
func (m *Machine) abandon(g *fair.Group) {
	if g != nil && g.Size() == 0 {
		m.abandoned.push(g)
	}
}
