package dispatch

import (
	"time"

	"fairfactor/actors/fair"
)

// caller is what the machine knows of one caller: 160 bytes. Those that have
// turns here, or were asked for some, have more in work.
type caller struct {
	fair  fair.Caller
	name  string
	epoch uint64 // of its newest activation
	work  *work  // nil if it has no turns here or in hand, and was not asked

	more     bool // has turns beyond the window
	asked    bool // an offer was asked for and has not arrived
	repeated bool // and was asked for again
	silent   bool // did not answer in time; until it offers again it counts as empty
	pulling  bool // in Machine.pulling
	blocked  bool // in Machine.blocked
	unheard  bool // known from the store, and never asked or heard
	idle     bool // has no work; counted in Machine.idle
	retired  bool // in Machine.retired
	load     load // as it said last
}

// work is what the machine holds of a caller's turns.
type work struct {
	window window
	open   []*handed     // in workers' hands
	mean   time.Duration // predicted cost of the turns that the caller offers, lately
	pulled time.Duration // when it was asked
	home   string        // the member that its actor runs on
	late   []Turn        // that wait for what becomes of others of their jobs
	aside  []Turn        // suspects that no worker may have now
	held   []Turn        // whose numbers are in doubt
}

// Bounds of the free lists: what is above is left to the garbage collector.
const (
	spareWorks  = 4096
	spareWide   = 64 // of these with wider windows
	spareWindow = 32 // turns
)

// waiting is the number of turns in the caller's window.
func (c *caller) waiting() int {
	if c.work == nil {
		return 0
	}
	return c.work.window.len()
}

// hands returns the caller's turns in workers' hands.
func (c *caller) hands() []*handed {
	if c.work == nil {
		return nil
	}
	return c.work.open
}

// waits reports whether there are turns that no worker may have now.
func (w *work) waits() bool { return len(w.late)+len(w.aside)+len(w.held) > 0 }

// busy reports whether a caller has turns here, in workers' hands, or yet to be
// offered.
func (c *caller) busy() bool {
	return c.more || c.waiting() > 0 || len(c.hands()) > 0 || c.work != nil && c.work.waits()
}

// stuffed reports whether so many turns wait for others of their jobs, or numbers, that the caller
// is not asked for more: a large job has turns without end, and all of them would come here.
func (c *caller) stuffed() bool { return c.work != nil && len(c.work.late)+len(c.work.held) >= Window }

// learn takes in what a caller predicts of its turns.
func (w *work) learn(predict time.Duration) {
	predict = min(max(predict, 0), LongestTurn)
	if w.mean == 0 {
		w.mean = predict
	}
	w.mean += (predict - w.mean) / 8
}

// caller returns a caller, new if it has to be.
func (m *Machine) caller(name string) *caller {
	c := m.callers[name]
	if c == nil {
		c = &caller{name: name, fair: fair.Caller{Weight: 1}}
		c.fair.Owner = c
		m.callers[name] = c
	}
	return c
}

// working returns a caller's work, new if it has to be.
func (m *Machine) working(c *caller) *work {
	if c.work == nil {
		if n := len(m.spareWork); n > 0 {
			c.work = m.spareWork[n-1]
			m.spareWork = m.spareWork[:n-1]
		} else {
			c.work = &work{}
		}
	}
	return c.work
}

// settle brings the ring up to what a caller has, and has it asked for turns if
// need be. With more to do it keeps its place.
func (m *Machine) settle(now time.Duration, c *caller) {
	m.fill(now, c)
	switch {
	case c.waiting() > 0 && c.blocked:
		m.ring.Block(&c.fair)
	case c.waiting() > 0:
		m.ring.Join(&c.fair)
	case !c.more || c.silent || c.stuffed():
		m.ring.Leave(&c.fair, false)
	case c.asked:
		m.ring.Leave(&c.fair, true)
	default:
		m.ring.Sleep(&c.fair)
	}
	m.rest(c)
}

// rest gives back what a caller does not need, and has it forgotten some day if
// it has no work.
func (m *Machine) rest(c *caller) {
	if w := c.work; w != nil && w.window.len() == 0 && len(w.open) == 0 && !w.waits() && !c.asked && !c.silent {
		c.work = nil
		if len(m.spareWork) < spareWorks {
			if cap(w.window.turns) > spareWindow && len(m.spareWork) >= spareWide {
				w.window = window{}
			}
			*w = work{window: w.window, open: w.open[:0]}
			m.spareWork = append(m.spareWork, w)
		}
	}
	idle := !c.busy()
	if idle {
		m.unload(c)
	}
	if idle != c.idle {
		c.idle = idle
		if !idle {
			m.idle--
			return
		}
		m.idle++
		if !c.retired {
			c.retired = true
			m.retired.push(c)
		}
	}
}

// fill asks for turns at once when a window is half empty, unless the caller is one
// of a crowd: then it is asked shortly before its turns are due.
func (m *Machine) fill(now time.Duration, c *caller) {
	if !c.more || c.asked || c.silent || c.stuffed() || m.crowded(c) || c.waiting() > m.want(c)/2 {
		return
	}
	m.ask(now, c)
}

// ask has an offer asked for.
func (m *Machine) ask(now time.Duration, c *caller) {
	c.asked, c.repeated = true, false
	m.heard(c)
	m.working(c).pulled = now
	m.unanswer.push(asked{c, now})
	m.pull(c)
}

// pull puts a caller on the list of those that are asked.
func (m *Machine) pull(c *caller) {
	if !c.pulling {
		c.pulling = true
		m.pulling = append(m.pulling, c)
	}
}

// heard says that a caller is no longer one that only the store told of.
func (m *Machine) heard(c *caller) {
	if c.unheard {
		c.unheard = false
		m.unheard--
	}
}
