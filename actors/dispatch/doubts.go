package dispatch

import (
	"maps"
	"slices"
	"time"
)

// A number that a worker died with is in doubt: it may be why, and other jobs for it, of
// any caller, would each take a worker with them before one of them has died often enough to
// be quarantined. So one job is at it, its holder: the others are held back until a turn of
// the holder has ended, which shows that the number is harmless. When the holder is heard of
// no more, because it was quarantined, cancelled, or never was, the next one is at it, as a
// suspect. Callers that are to know that the number is deadly by then see it when they offer
// again what was held back.

const (
	// Doubt is how long nothing may be heard of the holder: far longer than its caller takes to
	// count a death, and than nodes take to hear of a number that is deadly.
	Doubt = 10 * time.Second
	// Certain is the same for a number that is known to be deadly: all callers have offered
	// again by then what was held back, and what is left was tried again by a person.
	Certain = 70 * time.Second
)

// maxDoubts bounds the numbers in doubt; others are not held back.
const maxDoubts = 4096

// doubt is what is known of a number in doubt.
type doubt struct {
	holder jobKey
	heard  time.Duration
	asked  time.Duration // when callers were asked whether they know that it is deadly
	held   []*caller     // whose turns are held back, in order
}

// number is that of a turn, empty if it is not known.
func (m *Machine) number(t *Turn) string {
	if m.numberOf == nil || t.Body == nil {
		return ""
	}
	return m.numberOf(t.Body)
}

// Doubt says that a process died with a job for a number in its hands.
func (m *Machine) Doubt(now time.Duration, caller string, seq uint64, number string) {
	if number == "" {
		return
	}
	job := jobKey{caller, seq}
	d := m.doubts[number]
	switch {
	case d != nil && d.holder == job:
		d.heard = now
	case d == nil && len(m.doubts) < maxDoubts:
		m.doubts[number] = &doubt{holder: job, heard: now}
	}
}

// suspicious reports whether the first turn of a caller is held back because its number is in
// doubt. A turn of the holder is one of a suspect.
func (m *Machine) suspicious(now time.Duration, c *caller, t *Turn) bool {
	if len(m.doubts) == 0 {
		return false
	}
	d := m.doubts[m.number(t)]
	if d == nil {
		return false
	}
	if d.holder == (jobKey{c.name, t.Seq}) {
		d.heard, t.Suspect = now, true
		return false
	}
	w := c.work
	w.held = append(w.held, w.window.pop())
	m.waiting--
	if !slices.Contains(d.held, c) {
		d.held = append(d.held, c)
	}
	m.settle(now, c)
	return true
}

// cleared lets all jobs for a number go on, if that is in doubt and the turn which has ended
// is one of its holder.
func (m *Machine) cleared(now time.Duration, t *Turn) {
	if len(m.doubts) == 0 {
		return
	}
	number := m.number(t)
	d := m.doubts[number]
	if d == nil || d.holder != (jobKey{t.Caller, t.Seq}) {
		return
	}
	delete(m.doubts, number)
	for _, c := range d.held {
		m.letGo(now, c, func(t *Turn) bool { return m.number(t) == number })
	}
}

// letGo brings turns that were held back to the front of their caller.
func (m *Machine) letGo(now time.Duration, c *caller, which func(*Turn) bool) (found bool) {
	w := c.work
	if w == nil {
		return false
	}
	for i := len(w.held) - 1; i >= 0; i-- {
		if which(&w.held[i]) {
			w.window.unpop(w.held[i])
			w.held = slices.Delete(w.held, i, i+1)
			m.waiting++
			found = true
		}
	}
	m.settle(now, c)
	return found
}

// succeed has another job hold each number whose holder was not heard of for long.
func (m *Machine) succeed(now time.Duration) {
	for _, number := range slices.Sorted(maps.Keys(m.doubts)) { // the same order each time
		d, patience := m.doubts[number], Doubt
		if m.deadly != nil && m.deadly(number) {
			patience = Certain
			m.askHeld(now, d)
		}
		if now-d.heard < patience || m.present(d.holder) {
			continue
		}
		if !m.succeeded(now, number, d) {
			delete(m.doubts, number)
		}
	}
}

// askHeld asks the callers whose turns are held back, now and then: some have no actor any more
// that would offer again.
func (m *Machine) askHeld(now time.Duration, d *doubt) {
	if now-d.asked < 2*Silence {
		return
	}
	d.asked = now
	for _, c := range d.held {
		if c.work != nil && len(c.work.held) > 0 && !c.asked {
			m.ask(now, c)
			m.settle(now, c)
		}
	}
}

// present reports whether a job has turns here or in some worker's hands.
func (m *Machine) present(job jobKey) bool {
	c := m.callers[job.caller]
	if c == nil || c.work == nil {
		return false
	}
	is := func(t Turn) bool { return t.Seq == job.seq }
	w := c.work
	return slices.ContainsFunc(w.window.all(), is) || slices.ContainsFunc(w.late, is) || slices.ContainsFunc(w.aside, is) ||
		slices.ContainsFunc(w.open, func(h *handed) bool { return h.Seq == job.seq && !h.dropped })
}

// succeeded makes the first job that is held back the holder, and lets it go.
func (m *Machine) succeeded(now time.Duration, number string, d *doubt) bool {
	for len(d.held) > 0 {
		c := d.held[0]
		if w := c.work; w != nil {
			if at := slices.IndexFunc(w.held, func(t Turn) bool { return m.number(&t) == number }); at >= 0 {
				seq := w.held[at].Seq
				d.holder, d.heard = jobKey{c.name, seq}, now
				m.letGo(now, c, func(t *Turn) bool { return t.Seq == seq })
				return true
			}
		}
		d.held = d.held[1:] // what it had was withdrawn
	}
	return false
}
