package dispatch

import "time"

// Dispatch hands out turns as long as a worker has credit and a caller a turn,
// and says which callers should offer more. What it returns is valid until the
// next call: the slices are reused.
func (m *Machine) Dispatch(now time.Duration) (runs []Run, pulls []Pull) {
	m.recycle()
	m.beShy(now)
	m.recallSuspects(now)
	m.unblock(now)
	for next := m.ring.Next(); next != nil; next = m.ring.Next() {
		c := next.Owner.(*caller)
		t := c.work.window.first()
		if m.suspicious(now, c, t) {
			continue
		}
		predict := m.cost(t.Predict)
		w, aside := m.place(t, predict, c.work.home)
		if aside {
			m.setAside(now, c)
			continue
		}
		if w == nil {
			if predict > Credit && m.block(c) {
				continue
			}
			break
		}
		if m.pay(c) {
			continue
		}
		r := m.runOf(w)
		r.Turns = append(r.Turns, m.hand(now, c, w, predict))
	}
	for _, w := range m.running {
		w.run = 0
	}
	m.wake(now)
	for i, c := range m.pulling {
		c.pulling, m.pulling[i] = false, nil
		if c.asked {
			m.pulls = append(m.pulls, Pull{Caller: c.name, Want: max(1, m.want(c)-c.waiting()), Claim: c.epoch})
		}
	}
	m.pulling = m.pulling[:0]
	m.forget(forgetEach)
	return m.runs, m.pulls
}

// recycle empties what the last Dispatch returned.
func (m *Machine) recycle() {
	for i := range m.runs {
		clear(m.runs[i].Turns)
		m.runs[i].Turns = m.runs[i].Turns[:0]
	}
	clear(m.running) // or it would hold workers that left
	m.runs, m.running, m.pulls = m.runs[:0], m.running[:0], m.pulls[:0]
}

// runOf returns the run of a worker in this Dispatch.
func (m *Machine) runOf(w *worker) *Run {
	if w.run == 0 {
		if n := len(m.runs); n < cap(m.runs) {
			m.runs = m.runs[:n+1]
		} else {
			m.runs = append(m.runs, Run{})
		}
		w.run = len(m.runs)
		m.runs[w.run-1].Worker = w.name
		m.running = append(m.running, w)
	}
	return &m.runs[w.run-1]
}

// cost is what a turn will probably use: what similar ones used, within the
// bounds of a turn.
func (m *Machine) cost(predict time.Duration) time.Duration {
	return min(max(m.estimate.of(predict), 0), LongestTurn)
}

// hand gives the first turn of a caller's window to a worker.
func (m *Machine) hand(now time.Duration, c *caller, w *worker, predict time.Duration) Turn {
	t := c.work.window.pop()
	m.waiting--
	m.dispatched++
	t.Dispatched = m.dispatched
	h := m.newHanded()
	h.Turn, h.worker, h.caller, h.load, h.long, h.at = t, w, c, loadOf(predict), predict > Credit, now
	h.bill = m.ring.Charge(&c.fair, predict)
	m.book(h)
	m.settle(now, c)
	return t
}

// newHanded returns an empty one, an old one if there is one.
func (m *Machine) newHanded() *handed {
	n := len(m.spareHanded)
	if n == 0 {
		return &handed{}
	}
	h := m.spareHanded[n-1]
	m.spareHanded = m.spareHanded[:n-1]
	return h
}

// book puts a turn in a worker's hands.
func (m *Machine) book(h *handed) {
	m.open[h.Dispatched] = h
	w := m.working(h.caller)
	h.ofWorker, h.ofCaller = len(h.worker.open), len(w.open)
	h.worker.open = append(h.worker.open, h)
	w.open = append(w.open, h)
	h.worker.load += h.load
	if h.long {
		h.worker.long++
	}
	m.changed(h.worker)
	if h.Suspect {
		h.worker.suspects++
	}
}

// loadOf is what a turn that is predicted to take so long counts for in its worker's credit.
func loadOf(predict time.Duration) time.Duration {
	if predict > Credit {
		return Credit - Express
	}
	return predict
}

// freest returns the worker that should get a turn, or nil: the caller's home if
// that has room, otherwise the one that has most; of equals, the first by name.
// A slot that idles takes any turn; one that is busy takes short ones up to its
// credit.
func (m *Machine) freest(predict time.Duration, home string) *worker {
	if home != "" {
		if at, ok := m.find(home); ok && m.workers[at].takes(predict) {
			return m.workers[at]
		}
	}
	return m.rooms.takes(predict)
}

func (w *worker) takes(predict time.Duration) bool {
	if len(w.open) < w.slots || w.shy {
		return !w.shy
	}
	return predict <= Credit && len(w.open) < w.slots*Prefetch && w.load+predict <= Credit*time.Duration(w.slots)
}

// hasRoom is above 1 if a slot idles, and at most 1 otherwise.
func (w *worker) hasRoom() float64 {
	room := 1 - float64(w.load)/(float64(Credit)*float64(w.slots))
	if len(w.open) < w.slots {
		room++
	}
	return room
}
