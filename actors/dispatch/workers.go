package dispatch

import (
	"cmp"
	"slices"
	"time"
)

// Beat tells that a worker lives, how many slots it has and which turns it has
// in hand. Turns that it should have and has not are handed out again; turns
// that the machine does not know, as after a change of scheduler, are booked on
// it.
func (m *Machine) Beat(now time.Duration, name string, slots int, open []Turn) {
	at, ok := m.find(name)
	if !ok {
		m.workers = slices.Insert(m.workers, at, &worker{name: name})
	}
	w := m.workers[at]
	m.slots += max(slots, 1) - w.slots
	w.slots, w.heard = max(slots, 1), now
	m.account.slots = max(m.account.slots, m.slots)
	has := make(map[uint64]bool, len(open))
	for _, t := range open {
		has[t.Place] = true
		if m.open[t.Place] == nil {
			m.adopt(now, w, t)
		}
	}
	m.takeBack(now, w, func(h *handed) bool { return !has[h.Place] && now-h.at > Lost })
}

// find returns where a worker is, or where it should be.
func (m *Machine) find(name string) (at int, ok bool) {
	return slices.BinarySearchFunc(m.workers, name, func(w *worker, name string) int { return cmp.Compare(w.name, name) })
}

// adopt books a turn that an earlier scheduler handed out, or this one before it
// lost sight of the worker. If the turn waits to be handed out again, it need
// not be.
func (m *Machine) adopt(now time.Duration, w *worker, t Turn) {
	c := m.caller(t.Caller)
	m.keep(c, func(have Turn) bool {
		if have.Key == t.Key {
			t.Body = have.Body
		}
		return have.Key != t.Key
	})
	predict := m.cost(t.Predict)
	m.place = max(m.place, t.Place)
	m.book(&handed{
		Turn: t, worker: w, caller: c, bill: m.ring.Book(&c.fair, predict), load: min(predict, Credit), at: now,
		dropped: t.Epoch < c.epoch,
	})
	m.settleWindow(now, c)
}

// End tells that a turn has left a worker's hands after using that much CPU.
// Turns that are not known are ignored.
func (m *Machine) End(now time.Duration, place uint64, used time.Duration) {
	h := m.open[place]
	if h == nil {
		return
	}
	m.release(h)
	if !h.dropped {
		m.estimate.learn(h.Predict, used)
	}
	m.ring.Settle(&h.caller.fair, h.bill, used)
}

// WorkerLeft hands a dead worker's turns out again.
func (m *Machine) WorkerLeft(now time.Duration, name string) {
	at, ok := m.find(name)
	if !ok {
		return
	}
	w := m.workers[at]
	m.workers = slices.Delete(m.workers, at, at+1)
	m.slots -= w.slots
	m.takeBack(now, w, func(*handed) bool { return true })
}

// KeepWorkers hands the turns of all workers out again that are not among the
// living.
func (m *Machine) KeepWorkers(now time.Duration, living []string) {
	m.dropWorkers(now, func(w *worker) bool { return !slices.Contains(living, w.name) })
}

func (m *Machine) dropWorkers(now time.Duration, gone func(*worker) bool) {
	for at := len(m.workers) - 1; at >= 0; at-- {
		if w := m.workers[at]; gone(w) {
			m.WorkerLeft(now, w.name)
		}
	}
}

// takeBack returns turns of a worker to the front of their callers, in the order
// in which they were handed out, and takes back what they were charged.
func (m *Machine) takeBack(now time.Duration, w *worker, lost func(*handed) bool) {
	var back []*handed
	for _, h := range w.open {
		if lost(h) {
			back = append(back, h)
		}
	}
	slices.SortFunc(back, func(a, b *handed) int { return cmp.Compare(b.Place, a.Place) })
	for _, h := range back {
		m.release(h)
		c := h.caller
		again := !h.dropped && h.Body != nil && !c.holds(h.Key) // without a body it was adopted: its caller will offer it again
		if again && !c.fair.Waiting() {
			m.ring.Leave(&c.fair, true) // it keeps its place
		}
		m.ring.Refund(&c.fair, h.bill)
		if again {
			c.window = slices.Insert(c.window, 0, h.Turn)
			m.waiting++
			m.ring.Join(&c.fair)
		}
	}
}

// holds reports whether a turn waits here or is in some worker's hands: one that
// came back after it was given up may be in the hands of two.
func (c *caller) holds(k Key) bool {
	return slices.ContainsFunc(c.window, func(t Turn) bool { return t.Key == k }) ||
		slices.ContainsFunc(c.open, func(h *handed) bool { return h.Key == k && !h.dropped })
}

// release takes a turn out of a worker's hands.
func (m *Machine) release(h *handed) {
	delete(m.open, h.Place)
	w, c := h.worker, h.caller
	w.load -= h.load
	last := w.open[len(w.open)-1]
	w.open[h.ofWorker], last.ofWorker = last, h.ofWorker
	w.open[len(w.open)-1] = nil
	w.open = w.open[:len(w.open)-1]
	last = c.open[len(c.open)-1]
	c.open[h.ofCaller], last.ofCaller = last, h.ofCaller
	c.open[len(c.open)-1] = nil
	c.open = c.open[:len(c.open)-1]
	if len(c.open) == 0 {
		c.open = nil
	}
}
