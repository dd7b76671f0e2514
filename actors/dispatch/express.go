package dispatch

import "time"

// A long turn whose turn it is while no slot idles does not hold up short ones, which workers
// run next to long ones: its caller waits for a slot, keeps its start tag and its place, and
// others go by, see [fair.Ring.Block]. They are charged as always and get no further ahead of
// it than the slack, so the bound of docs/fairness.md holds.

// maxBlocked bounds the callers that others go by: all of them come back into line whenever a
// slot idles.
const maxBlocked = 32

// block has others go by the caller whose turn it is, if its turn is long and a worker would
// take a short one. It reports whether they may.
func (m *Machine) block(c *caller, predict time.Duration) bool {
	if predict <= Credit || len(m.blocked) == maxBlocked || m.rooms.takes(0) == nil {
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
		m.settle(now, c)
	}
	m.blocked = m.blocked[:0]
}
