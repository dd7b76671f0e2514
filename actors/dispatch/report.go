package dispatch

import "time"

// Samples of what a Report looks at, so that it takes less than a millisecond
// whatever the number of callers.
const (
	jainSample  = 4096
	groupSample = 1024
)

// lags watches the machine keep its promise, on both levels.
type lags struct {
	between, inside levelLag
	slots           int // the bound is that of so many
}

// levelLag is what was seen on one level.
type levelLag struct {
	now, most  time.Duration
	violations uint64
}

func (l *levelLag) saw(lag time.Duration) {
	l.now, l.most = lag, max(l.most, lag)
}

// Report is the state of the machine's promise, for now.
type Report struct {
	Quantum    time.Duration
	Bound      time.Duration // of each level, see [Bound]
	Lag        time.Duration // the larger one of Between and Inside
	MaxLag     time.Duration
	Jain       float64 // of the top level, over a sample of about 4,096
	Violations uint64  // times that a lag was seen above half of Bound, see [Reach]; of both levels
	Active     int     // callers with turns here, in workers' hands, owed, or dormant
	Dormant    int     // those of them in line without a turn here
	Waiting    int     // turns in windows
	Open       int     // turns in workers' hands
	Dispatched uint64  // number of the last turn that was handed out
	Epoch      uint64
	Between    Level // groups, and callers without a group
	Inside     Level // callers in one group
	// Jobs are the unfinished jobs of callers that have said how many they have, and those
	// of [Machine.Unread]. Work is the CPU that these probably take. Oldest is since when the first of them waits for
	// its first turn, in microseconds since 1970, zero if none does: of up to 4,096 callers.
	Jobs   uint64
	Work   time.Duration
	Oldest int64
}

// Level is what a Report says of one level.
type Level struct {
	InLine     int           // groups and callers without a group that have work; inside: groups
	Bound      time.Duration // in CPU divided by the weight on this level
	Lag        time.Duration // inside: in the worst of up to 1,024 groups, others at each look
	MaxLag     time.Duration
	Violations uint64
}

// Reach is how far two members of a level that wait may be apart at one moment,
// by CPU used and by CPU charged in advance, divided by weight. It is one turn of
// the one that is ahead, plus all that workers with that many slots may hold,
// plus the slack of the round robin and twice that of a place that was kept. It
// is the same on both levels: docs/fairness.md derives it.
func Reach(slots int, quantum time.Duration) time.Duration {
	longest := max(LongestTurn, quantum)
	return longest + time.Duration(slots)*(longest+Credit+Prefetch*quantum) + 3*Slack
}

// Bound is how far the CPU that two members of a level get during an interval in
// which both wait may differ, divided by weight: they may be [Reach] apart in one
// direction when it begins and in the other one when it ends. Each turn counts as
// one quantum at least. It is the bound of SFQ(D), 2(D+1) turns, with D slots.
func Bound(slots int, quantum time.Duration) time.Duration {
	return 2 * Reach(slots, quantum)
}

// look measures the spread of start tags among those that wait. They may be
// apart by what the most slots allow that there were, until they are within what
// the present ones allow.
func (l *lags) look(m *Machine) {
	least, most := m.ring.Spread()
	l.between.saw(most - least)
	l.inside.saw(m.ring.Inside(groupSample))
	now := max(m.slots, 1)
	if reach := Reach(now, m.quantum); l.slots <= now || max(l.between.now, l.inside.now) <= reach {
		l.slots = now
	}
	reach := Reach(l.slots, m.quantum)
	for _, level := range []*levelLag{&l.between, &l.inside} {
		if level.now > reach {
			level.violations++
		}
	}
}

// Report looks at both levels, and at samples of what is on them.
func (m *Machine) Report() Report {
	m.lags.look(m)
	l := &m.lags
	bound := Bound(l.slots, m.quantum)
	return Report{
		Quantum: m.quantum, Bound: bound, Lag: max(l.between.now, l.inside.now), MaxLag: max(l.between.most, l.inside.most),
		Jain:       m.ring.Jain(max(100*m.quantum, 10*Slack), jainSample),
		Violations: l.between.violations + l.inside.violations,
		Active:     len(m.callers) - m.idle, Dormant: m.ring.Dormant(), Waiting: m.waiting, Open: len(m.open),
		Dispatched: m.dispatched, Epoch: m.epoch,
		Between: Level{m.ring.Rivals(), bound, l.between.now, l.between.most, l.between.violations},
		Jobs:    m.load.jobs + m.unread, Work: time.Duration(m.load.work*float64(time.Second) + float64(m.unread)*m.mean), Oldest: m.oldest(),
		Inside: Level{m.ring.Groups(), bound, l.inside.now, l.inside.most, l.inside.violations},
	}
}
