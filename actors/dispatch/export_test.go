package dispatch

import (
	"fmt"
	"time"
)

// Callers is the number of callers that the machine remembers.
func (m *Machine) Callers() int { return len(m.callers) }

// Apart is how far the virtual times of callers are apart. Those that are
// forgotten are left out.
func (m *Machine) Apart(callers []string) time.Duration {
	least, most := time.Duration(1<<62), time.Duration(-1<<62)
	for _, name := range callers {
		if c := m.callers[name]; c != nil {
			v := c.fair.VirtualTime()
			least, most = min(least, v), max(most, v)
		}
	}
	return max(0, most-least)
}

// Check looks for anything that must not be.
func (m *Machine) Check() error {
	waiting, open := 0, 0
	seen := map[Key]string{}
	watched := map[*caller]bool{}
	for _, c := range m.watched {
		if watched[c] || !c.watched {
			return fmt.Errorf("%s is watched twice, or does not know", c.fair.Name)
		}
		watched[c] = true
	}
	for name, c := range m.callers {
		waiting += len(c.window)
		open += len(c.open)
		if c.fair.Name != name || c.watched != watched[c] || !c.watched && (c.asked || c.silent || len(c.window) == 0) {
			return fmt.Errorf("%s is not watched", name)
		}
		if err := m.checkCaller(c, seen); err != nil {
			return fmt.Errorf("%s: %w", c.fair.Name, err)
		}
	}
	if waiting != m.waiting || open != len(m.open) {
		return fmt.Errorf("waiting %d, counted %d; open %d, counted %d", m.waiting, waiting, len(m.open), open)
	}
	return m.checkWorkers()
}

// checkCaller looks at one caller; seen collects where turns are.
func (m *Machine) checkCaller(c *caller, seen map[Key]string) error {
	if (len(c.window) > 0) != c.fair.Waiting() {
		return fmt.Errorf("%d turns in the window, in line: %v", len(c.window), c.fair.Waiting())
	}
	if c.fair.Waiting() && c.fair.Owed() || c.fair.Owed() && !c.more {
		return fmt.Errorf("owed, but waits or has nothing more")
	}
	if c.more && !c.asked && !c.silent && len(c.window) == 0 {
		return fmt.Errorf("has more, and nobody asked")
	}
	for _, t := range c.window {
		if where, twice := seen[t.Key]; twice {
			return fmt.Errorf("turn %v is in the window and in %s", t.Key, where)
		}
		seen[t.Key] = "the window"
		if t.Epoch != c.epoch || t.Body == nil {
			return fmt.Errorf("turn %v can't be handed out, epoch is %d", t.Key, c.epoch)
		}
	}
	for i, h := range c.open {
		if h.caller != c || h.ofCaller != i || m.open[h.Place] != h || h.Caller != c.fair.Name {
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
		for at, h := range w.open {
			if h.worker != w || h.ofWorker != at || h.load < 0 || h.load > Credit {
				return fmt.Errorf("%s: turn %v is not where it says, load %v", w.name, h.Key, h.load)
			}
			load += h.load
		}
		switch {
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
	if next := m.ring.Next(); next != nil {
		if w := m.freest(m.cost(m.callers[next.Name].window[0].Predict)); w != nil {
			return fmt.Errorf("%s has room and %s waits", w.name, next.Name)
		}
	}
	return nil
}
