package dispatch

import "time"

// A long turn whose turn it is while no slot idles does not hold up short ones where workers
// have long turns in all slots: these run short ones next to them. Its caller waits for a slot,
// keeps its start tag and its place, and others go by, see [fair.Ring.Block]. They are charged
// as always and get no further ahead of it than the slack, so the bound of docs/fairness.md
// holds. A worker with a slot that runs short turns gets no more of them meanwhile: that slot is
// what the long turn waits for.

const (
	// maxBlocked bounds the callers that others go by: all of them come back into line
	// whenever a slot idles.
	maxBlocked = 32
	// maxProbes bounds the workers that are looked at for a turn that goes by.
	maxProbes = 8
)

// block has others go by the caller whose turn it is, and whose turn is long. It reports
// whether they may.
func (m *Machine) block(c *caller) bool {
	if len(m.blocked) == maxBlocked || len(m.full) == 0 {
		return false
	}
	c.blocked = true
	m.blocked = append(m.blocked, c)
	m.ring.Block(&c.fair)
	return true
}

// unblock brings all callers back that wait for a slot, if one idles.
func (m *Machine) unblock(now time.Duration) {
	if len(m.blocked) == 0 || m.rooms.takes(LongestTurn) == nil {
		return
	}
	for i, c := range m.blocked {
		c.blocked, m.blocked[i] = false, nil
		if c.waiting() > 0 { // others may be forgotten by now
			m.settle(now, c)
		}
	}
	m.blocked = m.blocked[:0]
}

// passing returns a worker for a turn that goes by others, or nil: the caller's home, or one
// of the next few.
func (m *Machine) passing(predict time.Duration, home string) *worker {
	if at, ok := m.find(home); ok && m.workers[at].atFull > 0 && m.workers[at].takes(predict) {
		return m.workers[at]
	}
	for range min(len(m.full), maxProbes) {
		m.probe = (m.probe + 1) % len(m.full)
		if w := m.full[m.probe]; w.takes(predict) {
			return w
		}
	}
	return nil
}

// changed notes that a worker's slots, or what it has in hand, are others than before.
func (m *Machine) changed(w *worker) {
	m.rooms.changed(w)
	switch full := w.long >= w.slots && w.inRooms; {
	case full && w.atFull == 0:
		m.full = append(m.full, w)
		w.atFull = len(m.full)
	case !full:
		m.leaveFull(w)
	}
}

func (m *Machine) leaveFull(w *worker) {
	if w.atFull == 0 {
		return
	}
	last := len(m.full) - 1
	m.full[w.atFull-1] = m.full[last]
	m.full[w.atFull-1].atFull = w.atFull
	m.full[last] = nil
	m.full, w.atFull = m.full[:last], 0
}
