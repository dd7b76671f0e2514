package dispatch

import "time"

// account watches the machine keep its promise.
type account struct {
	lag, maxLag time.Duration
	violations  uint64
	slots       int // the bound is that of so many
}

// Report is the machine's account of its promise, for now.
type Report struct {
	Quantum    time.Duration
	Bound      time.Duration
	Lag        time.Duration
	MaxLag     time.Duration
	Jain       float64
	Violations uint64 // times that Lag was seen above half of Bound, see [Reach]
	Active     int    // callers with turns here, in workers' hands, or owed
	Waiting    int    // turns in windows
	Open       int    // turns in workers' hands
	HandedOut  uint64
	Epoch      uint64
}

// Reach is how far the accounts of two callers that wait may be apart at one
// moment: CPU used and CPU charged in advance, divided by weight. It is one turn
// of the caller that is ahead, plus all that workers with that many slots may
// hold, plus the slack of the round robin and twice that of a place that was kept.
// docs/fairness.md derives it.
func Reach(slots int, quantum time.Duration) time.Duration {
	longest := max(LongestTurn, quantum)
	return longest + time.Duration(slots)*(longest+Credit+Prefetch*quantum) + 3*Slack
}

// Bound is how far the CPU that two callers get during an interval in which both
// wait may differ, divided by weight: they may be [Reach] apart in one direction
// when it begins and in the other one when it ends. Each turn counts as one
// quantum at least. It is the bound of SFQ(D), 2(D+1) turns, with D slots.
func Bound(slots int, quantum time.Duration) time.Duration {
	return 2 * Reach(slots, quantum)
}

// look measures the spread of virtual times among the callers that wait. The
// accounts may be apart by what the most slots allow that there were, until
// they are within what the present ones allow.
func (a *account) look(m *Machine) {
	least, most := m.ring.Spread()
	a.lag = most - least
	a.maxLag = max(a.maxLag, a.lag)
	if now := max(m.slots, 1); a.slots <= now || a.lag <= Reach(now, m.quantum) {
		a.slots = now
	}
	if a.lag > Reach(a.slots, m.quantum) {
		a.violations++
	}
}

// Report looks at all callers.
func (m *Machine) Report() Report {
	m.account.look(m)
	r := Report{
		Quantum: m.quantum, Bound: Bound(m.account.slots, m.quantum), Lag: m.account.lag, MaxLag: m.account.maxLag,
		Violations: m.account.violations, Waiting: m.waiting, Open: len(m.open),
		HandedOut: m.place, Epoch: m.epoch, Active: len(m.callers), Jain: m.ring.Jain(max(100*m.quantum, 10*Slack)),
	}
	for _, c := range m.watched {
		if !c.busy() {
			r.Active--
		}
	}
	return r
}
