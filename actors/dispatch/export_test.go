package dispatch

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Callers is the number of callers that the machine remembers.
func (m *Machine) Callers() int { return len(m.callers) }

// Apart is how far the start tags of callers are apart. Those that are
// forgotten are left out.
func (m *Machine) Apart(callers []string) time.Duration {
	least, most := time.Duration(1<<62), time.Duration(-1<<62)
	for _, name := range callers {
		if c := m.callers[name]; c != nil {
			v := c.fair.StartTag()
			least, most = min(least, v), max(most, v)
		}
	}
	return max(0, most-least)
}

// Crowd has callers become dormant that have one turn of more than that many.
func (m *Machine) Crowd(callers int) { m.crowd = callers }

// Asking is the number of callers that were asked ahead, and of those that have
// not answered.
func (m *Machine) Asking() (early, asking int) { return m.ring.Early() }

// Dormant is the number of callers in line without a turn here.
func (m *Machine) Dormant() int { return m.ring.Dormant() }

// Groups is the number of groups that the machine remembers.
func (m *Machine) Groups() int { return len(m.groups) }

// Due is the number of questions that Tick would look at by and by.
func (m *Machine) Due() int { return m.unanswer.size + m.unheeded.size + m.silent.size }

// Check looks for anything that must not be.
func (m *Machine) Check() error {
	waiting, open, idle, unheard, members := 0, 0, 0, 0, 0
	seen, clocks, retired := map[Key]string{}, m.clocks(), m.inRetired()
	var jobs uint64
	work := 0.0
	for name, c := range m.callers {
		waiting += c.waiting()
		open += len(c.hands())
		idle += count(c.idle)
		unheard += count(c.unheard)
		jobs += uint64(c.load.jobs)
		work += float64(c.load.work)
		switch g := c.fair.Group(); {
		case c.name != name || c.fair.Owner != c:
			return fmt.Errorf("%s is not who it says", name)
		case c.idle == c.busy() || c.retired != retired[c] || c.idle && !c.retired:
			return fmt.Errorf("%s: idle %v, busy %v, retired %v", name, c.idle, c.busy(), c.retired)
		case (c.asked || c.silent) && !clocks[c]:
			return fmt.Errorf("%s is asked: %v, silent: %v, and no clock runs", name, c.asked, c.silent)
		case g != nil && m.groups[g.Name] != g:
			return fmt.Errorf("%s is in a group that is forgotten", name)
		case g != nil:
			members++
		}
		if err := m.checkCaller(c, seen); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if waiting != m.waiting || open != len(m.open) || idle != m.idle || unheard != m.unheard {
		return fmt.Errorf("waiting %d, counted %d; open %d, counted %d; idle %d, counted %d; unheard %d, counted %d",
			m.waiting, waiting, len(m.open), open, m.idle, idle, m.unheard, unheard)
	}
	if jobs != m.load.jobs || math.Abs(work-m.load.work) > 1e-6*(1+work) {
		return fmt.Errorf("%d jobs of %v s, counted %d of %v s", m.load.jobs, m.load.work, jobs, work)
	}
	for _, g := range m.groups {
		members -= g.Size()
	}
	if members != 0 {
		return fmt.Errorf("%d callers more in groups than these say", members)
	}
	return m.checkWorkers()
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

// clocks are the callers that time will do something to.
func (m *Machine) clocks() map[*caller]bool {
	run := map[*caller]bool{}
	for _, q := range []*queue[asked]{&m.unanswer, &m.unheeded, &m.silent} {
		for range q.size {
			a := q.pop()
			q.push(a)
			if c := a.c; (c.asked || c.silent) && c.work.pulled == a.at {
				run[c] = true
			}
		}
	}
	return run
}

func (m *Machine) inRetired() map[*caller]bool {
	in := map[*caller]bool{}
	for range m.retired.size {
		c := m.retired.pop()
		m.retired.push(c)
		in[c] = true
	}
	return in
}

// checkCaller looks at one caller; seen collects where turns are.
func (m *Machine) checkCaller(c *caller, seen map[Key]string) error {
	f := &c.fair
	switch want := c.waiting() > 0; {
	case (want && !c.blocked) != f.Ready(), (want && c.blocked) != f.Blocked():
		return fmt.Errorf("%d turns in the window, in line: %v, blocked: %v, %v", c.waiting(), f.Ready(), c.blocked, f.Blocked())
	case !want && (c.more && c.asked && !c.stuffed()) != f.Owed():
		return fmt.Errorf("more: %v, asked: %v, owed: %v", c.more, c.asked, f.Owed())
	case !want && (c.more && !c.asked && !c.silent && !c.stuffed()) != f.Dormant():
		return fmt.Errorf("more: %v, asked: %v, silent: %v, dormant: %v", c.more, c.asked, c.silent, f.Dormant())
	case c.unheard && !f.Dormant():
		return fmt.Errorf("never heard, and not dormant")
	case c.work != nil && c.waiting() == 0 && len(c.work.open) == 0 && !c.work.waits() && !c.asked && !c.silent:
		return fmt.Errorf("holds what it does not need")
	}
	if c.work == nil {
		return nil
	}
	for _, t := range c.work.window.all() {
		if where, twice := seen[t.Key]; twice {
			return fmt.Errorf("turn %v is in the window and in %s", t.Key, where)
		}
		seen[t.Key] = "the window"
		if t.Epoch != c.epoch || t.Body == nil {
			return fmt.Errorf("turn %v can't be handed out, epoch is %d", t.Key, c.epoch)
		}
	}
	for _, t := range c.work.late {
		seen[t.Key] = "those that wait for others"
	}
	for _, t := range c.work.aside {
		seen[t.Key] = "those set aside"
		if !slices.Contains(m.asides, c) || !t.Suspect {
			return fmt.Errorf("turn %v is set aside for ever", t.Key)
		}
	}
	for i, h := range c.work.open {
		if h.caller != c || h.ofCaller != i || m.open[h.Dispatched] != h || h.Caller != c.name {
			return fmt.Errorf("open turn %v is not where it says", h.Key)
		}
		if where := seen[h.Key]; where == "the window" && !h.dropped {
			return fmt.Errorf("turn %v is in the window and in hand", h.Key)
		}
	}
	return nil
}

func (m *Machine) checkWorkers() error {
	slots, open := 0, 0
	for i, w := range m.workers {
		var load time.Duration
		suspects, long := 0, 0
		for at, h := range w.open {
			if h.worker != w || h.ofWorker != at || h.load < 0 || h.load > Credit {
				return fmt.Errorf("%s: turn %v is not where it says, load %v", w.name, h.Key, h.load)
			}
			load += h.load
			suspects += count(h.Suspect)
			long += count(h.long)
		}
		switch {
		case long != w.long || (long >= w.slots) != (w.atFull > 0):
			return fmt.Errorf("%s: %d long turns in %d slots, counted %d, among the full ones: %d", w.name, long, w.slots, w.long, w.atFull)
		case w.atFull > 0 && m.full[w.atFull-1] != w:
			return fmt.Errorf("%s: is not where it says among the full ones", w.name)
		case suspects != w.suspects:
			return fmt.Errorf("%s: %d suspects, counted %d", w.name, suspects, w.suspects)
		case load != w.load:
			return fmt.Errorf("%s: load %v, counted %v", w.name, w.load, load)
		case i > 0 && m.workers[i-1].name >= w.name:
			return fmt.Errorf("%s: out of order", w.name)
		case w.run != 0:
			return fmt.Errorf("%s: still in a run", w.name)
		}
		slots, open = slots+w.slots, open+len(w.open)
	}
	if slots != m.slots || open != len(m.open) {
		return fmt.Errorf("slots %d, counted %d; open %d, in hands %d", m.slots, slots, len(m.open), open)
	}
	for _, predict := range []time.Duration{0, DefaultQuantum, Credit / 3, Credit, Credit + 1, LongestTurn} {
		if got, want := m.rooms.takes(predict), m.roomiest(predict); got != want {
			return fmt.Errorf("a turn of %v goes to %v, not to %v", predict, got, want)
		}
	}
	if len(m.blocked) > 0 && m.rooms.takes(LongestTurn) != nil {
		return fmt.Errorf("a slot idles, and %d callers are blocked", len(m.blocked))
	}
	if next := m.ring.Next(); next != nil {
		c := next.Owner.(*caller)
		t := c.work.window.first()
		if w, aside := m.place(t, m.cost(t.Predict), c.work.home); w != nil || aside {
			return fmt.Errorf("%s has room and %s waits", w.name, c.name)
		}
	}
	return nil
}

// roomiest is what [rooms.takes] finds, by a look at every worker.
func (m *Machine) roomiest(predict time.Duration) (best *worker) {
	for _, w := range m.workers {
		if w.takes(predict) && (best == nil || w.hasRoom() > best.hasRoom()) {
			best = w
		}
	}
	return best
}
