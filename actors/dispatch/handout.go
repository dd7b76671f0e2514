package dispatch

import "time"

// Dispatch hands out turns as long as a worker has credit and a caller a turn,
// and says which callers should offer more.
func (m *Machine) Dispatch(now time.Duration) (runs []Run, pulls []Pull) {
	for next := m.ring.Next(); next != nil; next = m.ring.Next() {
		c := m.callers[next.Name]
		predict := m.cost(c.window[0].Predict)
		w := m.freest(predict)
		if w == nil {
			break
		}
		if w.run == 0 {
			runs = append(runs, Run{Worker: w.name})
			w.run = len(runs)
		}
		r := &runs[w.run-1]
		r.Turns = append(r.Turns, m.hand(now, c, w, predict))
	}
	for _, w := range m.workers {
		w.run = 0
	}
	for _, c := range m.due {
		c.due = false
		if c.asked {
			pulls = append(pulls, Pull{Caller: c.fair.Name, Want: max(1, m.want(c)-len(c.window))})
		}
	}
	clear(m.due)
	m.due = m.due[:0]
	return runs, pulls
}

// cost is what a turn will probably use: what its like used, within the bounds
// of a turn.
func (m *Machine) cost(predict time.Duration) time.Duration {
	return min(max(m.estimate.of(predict), 0), LongestTurn)
}

// hand gives the first turn of a caller's window to a worker.
func (m *Machine) hand(now time.Duration, c *caller, w *worker, predict time.Duration) Turn {
	t := c.window[0]
	c.window[0] = Turn{}
	c.window = c.window[1:]
	m.waiting--
	m.place++
	t.Place = m.place
	m.book(&handed{Turn: t, worker: w, caller: c, bill: m.ring.Charge(&c.fair, predict), load: min(predict, Credit), at: now})
	m.settleWindow(now, c)
	return t
}

// book puts a turn in a worker's hands.
func (m *Machine) book(h *handed) {
	m.open[h.Place] = h
	h.ofWorker, h.ofCaller = len(h.worker.open), len(h.caller.open)
	h.worker.open = append(h.worker.open, h)
	h.caller.open = append(h.caller.open, h)
	h.worker.load += h.load
}

// settleWindow puts a caller out of line if its window is empty, and has the
// window filled if need be. With more to do it keeps its place.
func (m *Machine) settleWindow(now time.Duration, c *caller) {
	if len(c.window) == 0 {
		c.window = nil
		m.ring.Leave(&c.fair, c.more && !c.silent)
		m.watch(c)
	}
	m.fill(now, c)
}

// fill asks for turns when a window is half empty.
func (m *Machine) fill(now time.Duration, c *caller) {
	if !c.more || c.asked || c.silent || len(c.window) > m.want(c)/2 {
		return
	}
	c.asked, c.repeated, c.pulled = true, false, now
	m.ask(c)
	m.watch(c)
}

func (m *Machine) ask(c *caller) {
	if !c.due {
		c.due = true
		m.due = append(m.due, c)
	}
}

// want is the size of a window that is full: smaller the more callers there are
// and the longer their turns.
func (m *Machine) want(c *caller) int {
	n := min(Window, Cache/max(m.ring.Len(), 1))
	if ahead := Ahead * time.Duration(max(m.slots, 1)); c.mean*time.Duration(n) > ahead {
		n = int(ahead / c.mean)
	}
	return max(2, n)
}

// freest returns the worker that has most room for a turn, or nil; of equals,
// the first by name. A slot that idles takes any turn; one that is busy takes
// short ones up to its credit.
func (m *Machine) freest(predict time.Duration) (best *worker) {
	bestRoom := 0.0
	for _, w := range m.workers {
		if !w.takes(predict) {
			continue
		}
		if room := w.room(); best == nil || room > bestRoom {
			best, bestRoom = w, room
		}
	}
	return best
}

func (w *worker) takes(predict time.Duration) bool {
	if len(w.open) < w.slots {
		return true
	}
	return predict <= Credit && len(w.open) < w.slots*Prefetch && w.load+predict <= Credit*time.Duration(w.slots)
}

// room is above 1 if a slot idles, and at most 1 otherwise.
func (w *worker) room() float64 {
	room := 1 - float64(w.load)/(float64(Credit)*float64(w.slots))
	if len(w.open) < w.slots {
		room++
	}
	return room
}
