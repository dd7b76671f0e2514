package dispatch

import (
	"slices"
	"time"
)

// A worker that is not among the living any more has died, with the turns in its hands: one
// of them may be why. Its jobs run no turn until their callers say that the death is
// counted. Those that may have killed a worker before are suspects: a worker has one turn
// of a suspect at a time, so that the next death tells which of them it was; and the
// scheduler's own member gets none, so that it lives to tell.

// Death says that a worker died with turns of a job in its hands.
type Death struct {
	Caller     string
	Seq, Nonce uint64 // of the job's id
	Process    string // the worker
}

// Deaths returns what callers have to be told, each until it offers a turn of that job
// that says so. It is valid until the next call of a method.
func (m *Machine) Deaths() []Death {
	told := m.deaths
	m.deaths = m.deaths[:0]
	return told
}

// jobKey names a job.
type jobKey struct {
	caller string
	seq    uint64
}

// maxMourned bounds the deaths that callers have not said to be counted. Beyond it they
// are told once.
const maxMourned = 65536

// mourn notes that a turn was in the hands of a worker that died. No other turn of the job
// is handed out until its caller says that it knows.
func (m *Machine) mourn(c *caller, t *Turn, process string) {
	d := Death{Caller: c.name, Seq: t.Seq, Nonce: t.Nonce, Process: process}
	if slices.Contains(m.deaths, d) {
		return
	}
	m.deaths = append(m.deaths, d)
	if len(m.mourned) < maxMourned {
		m.mourned[jobKey{c.name, t.Seq}] = d
	}
	m.keep(c, func(have *Turn) bool { return have.Seq != t.Seq })
}

// welcome reports whether a turn that is offered may be handed out: one of a job that a
// worker died with may not, as long as it does not say so. Its caller is told again then.
func (m *Machine) welcome(c *caller, t *Turn) bool {
	if len(m.mourned) == 0 {
		return true
	}
	k := jobKey{c.name, t.Seq}
	d, ok := m.mourned[k]
	switch {
	case !ok:
		return true
	case d.Process == t.Mourned || d.Nonce != t.Nonce:
		delete(m.mourned, k)
		return true
	}
	if !slices.Contains(m.deaths, d) {
		m.deaths = append(m.deaths, d)
	}
	return false
}

// held reports whether a turn of that job, which an earlier activation of its caller had
// offered, is in some worker's hands: what becomes of it is waited for, because it may be
// a death.
func (c *caller) held(seq uint64) bool {
	return slices.ContainsFunc(c.hands(), func(h *handed) bool { return h.dropped && h.Seq == seq && h.Epoch < c.epoch })
}

// arrive puts turns into the window that waited for others of their jobs, which are in no
// worker's hands any more.
func (m *Machine) arrive(c *caller) {
	w := c.work
	if w == nil || len(w.late) == 0 {
		return
	}
	kept := w.late[:0]
	for i := range w.late {
		switch t := w.late[i]; {
		case c.held(t.Seq):
			kept = append(kept, t)
		case m.welcome(c, &t):
			w.window.push(t)
			m.waiting++
		}
	}
	clear(w.late[len(kept):])
	w.late = kept
}

// recallSuspects brings suspects back to the front of their callers, if a worker may take
// one now.
func (m *Machine) recallSuspects(now time.Duration) {
	if len(m.asides) == 0 || !slices.ContainsFunc(m.workers, m.trusts) {
		return
	}
	for i, c := range m.asides {
		if w := c.work; w != nil {
			for len(w.aside) > 0 {
				n := len(w.aside) - 1
				w.window.unpop(w.aside[n])
				w.aside[n] = Turn{}
				w.aside = w.aside[:n]
				m.waiting++
			}
			m.settle(now, c)
		}
		m.asides[i] = nil
	}
	m.asides = m.asides[:0]
}

// setAside takes the first turn of a caller, a suspect, out of the way of the others.
func (m *Machine) setAside(now time.Duration, c *caller) {
	w := c.work
	w.aside = append(w.aside, w.window.pop())
	m.waiting--
	if !slices.Contains(m.asides, c) {
		m.asides = append(m.asides, c)
	}
	m.settle(now, c)
}

// trusts reports whether a worker may have a suspect: it has no other one, and is not on
// the scheduler's own member, unless there is no other.
func (m *Machine) trusts(w *worker) bool {
	return w.suspects == 0 && (w.name != m.self || m.alone())
}

// alone reports whether the scheduler's own member is the only one.
func (m *Machine) alone() bool { return m.members <= 1 && len(m.workers) <= 1 }

// place finds a worker for a turn of the caller whose turn it is. aside says that none may
// have this one now, though there is room for others.
func (m *Machine) place(t *Turn, predict time.Duration, home string) (best *worker, aside bool) {
	if !t.Suspect {
		if len(m.blocked) > 0 {
			return m.passing(predict, home), false
		}
		return m.freest(predict, home), false
	}
	idle := false
	for _, w := range m.workers {
		if len(w.open) >= w.slots {
			continue
		}
		idle = true
		if m.trusts(w) && (best == nil || w.hasRoom() > best.hasRoom()) {
			best = w
		}
	}
	if best == nil && !idle && !slices.ContainsFunc(m.workers, m.trusts) {
		return nil, true // a worker that will be idle would not take it either
	}
	return best, best == nil && idle
}

// beShy keeps the scheduler's own worker out of work, or no longer, see [Shy].
func (m *Machine) beShy(now time.Duration) {
	shy := m.epoch > 1 && now < Shy && !m.alone()
	if !shy && !m.shy {
		return
	}
	m.shy = shy
	if at, ok := m.find(m.self); ok {
		m.workers[at].shy = shy
	}
}
