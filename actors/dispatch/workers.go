package dispatch

import (
	"cmp"
	"slices"
	"time"
)

// Beat tells that a worker lives, how many slots it has and which turns it has in
// hand; each with its dispatch number. Turns that it should have and has not are
// handed out again; turns that the machine does not know, as after a change of
// scheduler, are booked on it.
func (m *Machine) Beat(now time.Duration, name string, slots int, open []Turn) {
	at, ok := m.find(name)
	if !ok {
		m.workers = slices.Insert(m.workers, at, &worker{name: name, joined: m.living == nil || slices.Contains(m.living, name)})
	}
	w := m.workers[at]
	m.slots += max(slots, 1) - w.slots
	w.slots, w.heard = max(slots, 1), now
	m.rooms.widest = max(m.rooms.widest, w.slots)
	if ok {
		m.changed(w)
	} else {
		m.rooms.add(w)
	}
	m.lags.slots = max(m.lags.slots, m.slots)
	has := m.spareHas
	for _, t := range open {
		has[t.Dispatched] = true
		if m.open[t.Dispatched] == nil {
			m.adopt(now, w, t)
		}
	}
	m.takeBack(now, w, func(h *handed) bool { return !has[h.Dispatched] && now-h.at > Lost }, false)
	clear(has)
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
	m.keep(c, func(have *Turn) bool {
		if have.Key == t.Key {
			t.Body, t.Suspect, t.Mourned = have.Body, have.Suspect, have.Mourned
		}
		return have.Key != t.Key
	})
	predict := m.cost(t.Predict)
	m.dispatched = max(m.dispatched, t.Dispatched)
	h := m.newHanded()
	h.Turn, h.worker, h.caller, h.load, h.long, h.at = t, w, c, loadOf(predict), predict > Credit, now
	h.dropped, h.bill = t.Epoch < c.epoch, m.ring.Book(&c.fair, predict)
	m.book(h)
	m.settle(now, c)
}

// End tells that a turn has left a worker's hands after using that much CPU, and returns
// its body, which the machine does not have any more. Turns that are not known are ignored.
func (m *Machine) End(now time.Duration, dispatched uint64, used time.Duration) (body any) {
	h := m.open[dispatched]
	if h == nil {
		return nil
	}
	if !h.dropped {
		m.estimate.learn(h.Predict, used)
		m.mean += (float64(used) - m.mean) * learning
	}
	c, body := h.caller, h.Body
	if !h.dropped {
		m.cleared(now, &h.Turn)
	}
	m.ring.Settle(&c.fair, h.bill, used)
	dropped := h.dropped
	m.release(h)
	if dropped && len(c.work.late) > 0 {
		m.arrive(c)
		m.settle(now, c)
	}
	m.rest(c)
	return body
}

// WorkerLeft hands the turns of a worker that takes no more out again.
func (m *Machine) WorkerLeft(now time.Duration, name string) { m.drop(now, name, false) }

// drop forgets a worker. If it died, the jobs of the turns in its hands have to know of
// that first.
func (m *Machine) drop(now time.Duration, name string, died bool) {
	at, ok := m.find(name)
	if !ok {
		return
	}
	w := m.workers[at]
	m.workers = slices.Delete(m.workers, at, at+1)
	m.slots -= w.slots
	m.rooms.remove(w)
	m.leaveFull(w)
	m.takeBack(now, w, func(*handed) bool { return true }, died)
}

// KeepWorkers says which workers are among the living: those that were and are not any more
// have died, and the turns in their hands are handed out again when their callers have counted
// that, see [Machine.Deaths]. One that never was is newer than what is known of the living.
func (m *Machine) KeepWorkers(now time.Duration, living []string) {
	m.members, m.living = len(living), slices.Clone(living)
	for _, w := range m.workers {
		w.joined = w.joined || slices.Contains(living, w.name)
	}
	m.dropWorkers(now, func(w *worker) bool { return w.joined && !slices.Contains(living, w.name) }, true)
}

func (m *Machine) dropWorkers(now time.Duration, gone func(*worker) bool, died bool) {
	for at := len(m.workers) - 1; at >= 0; at-- {
		if w := m.workers[at]; gone(w) {
			m.drop(now, w.name, died)
		}
	}
}

// takeBack returns turns of a worker to the front of their callers, in the order
// in which they were handed out, and takes back what they were charged. If the worker
// died, their callers are told instead.
func (m *Machine) takeBack(now time.Duration, w *worker, lost func(*handed) bool, died bool) {
	var back []*handed
	for _, h := range w.open {
		if lost(h) {
			back = append(back, h)
		}
	}
	slices.SortFunc(back, func(a, b *handed) int { return cmp.Compare(b.Dispatched, a.Dispatched) })
	for _, h := range back {
		t, c, bill, dropped := h.Turn, h.caller, h.bill, h.dropped
		m.release(h)
		if died {
			m.mourn(c, &t, w.name)
			m.Doubt(now, c.name, t.Seq, m.number(&t))
		}
		again := !died && !dropped && m.welcome(c, &t) && t.Body != nil && !c.holds(t.Key) // without a body it was adopted: its caller will offer it again
		if again && !c.fair.Ready() && !c.fair.Blocked() {
			m.ring.Leave(&c.fair, true) // it keeps its place
		}
		m.ring.Refund(&c.fair, bill)
		if again {
			m.working(c).window.unpop(t)
			m.waiting++
		}
		m.arrive(c)
		m.settle(now, c)
	}
}

// holds reports whether a turn waits here or is in some worker's hands: one that
// came back after it was given up may be in the hands of two.
func (c *caller) holds(k Key) bool {
	return c.work != nil && slices.ContainsFunc(c.work.window.all(), func(t Turn) bool { return t.Key == k }) ||
		slices.ContainsFunc(c.hands(), func(h *handed) bool { return h.Key == k && !h.dropped })
}

// release takes a turn out of a worker's hands, and gives the record back to be
// used again.
func (m *Machine) release(h *handed) {
	delete(m.open, h.Dispatched)
	h.worker.load -= h.load
	if h.Suspect {
		h.worker.suspects--
	}
	if h.long {
		h.worker.long--
	}
	h.worker.open = cut(h.worker.open, h.ofWorker, func(last *handed) { last.ofWorker = h.ofWorker })
	m.changed(h.worker)
	w := h.caller.work
	w.open = cut(w.open, h.ofCaller, func(last *handed) { last.ofCaller = h.ofCaller })
	*h = handed{}
	m.spareHanded = append(m.spareHanded, h)
}

// cut takes one out of a list whose order does not matter.
func cut(open []*handed, at int, moved func(*handed)) []*handed {
	n := len(open) - 1
	open[at] = open[n]
	moved(open[at])
	open[n] = nil
	return open[:n]
}
