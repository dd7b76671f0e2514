package actors

import (
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// alarms wake actors when something is due for them: a timer wheel, as in Varghese
// and Lauck, "Hashed and Hierarchical Timing Wheels", SOSP 1987. It costs what is
// due, however many actors there are.
type alarms struct {
	tick time.Duration // between two slots: how late an alarm may ring
	base time.Time     // slots are counted from here, so that a clock that is set moves none
	ring func(*actor.PID)

	mu    sync.Mutex
	slots map[int64]*alarm // guarded by mu: rings of what is due, by time since base divided by tick
	last  int64            // guarded by mu: the slot that rang last
}

// alarm is an actor's place in the wheel. An actor has one, and sets it again when
// it rang. Its neighbours in the slot are linked, so that one that is cancelled leaves
// at once: actors often stop long before their alarm is due, and would be kept by it.
type alarm struct {
	pid        *actor.PID
	slot       int64  // guarded by alarms.mu: zero if it is not set
	next, prev *alarm // guarded by alarms.mu: nil if it is not set
}

func newAlarms(tick time.Duration, now time.Time, ring func(*actor.PID)) *alarms {
	return &alarms{tick: tick, base: now, ring: ring, slots: map[int64]*alarm{}}
}

// set has a ring at a time or soon after it; zero is never. One that is set to ring
// before stays as it is: an actor that was woken too early sets it again.
func (w *alarms) set(a *alarm, at time.Time) {
	if at.IsZero() {
		return
	}
	slot := w.slot(at) + 1
	w.mu.Lock()
	defer w.mu.Unlock()
	slot = max(slot, w.last+1)
	if a.slot != 0 && a.slot <= slot {
		return
	}
	a.leave()
	head := w.slots[slot]
	if head == nil {
		head = new(alarm)
		head.next, head.prev = head, head
		w.slots[slot] = head
	}
	a.slot, a.next, a.prev = slot, head, head.prev
	a.prev.next, head.prev = a, a
}

func (w *alarms) slot(at time.Time) int64 { return int64(at.Sub(w.base) / w.tick) }

// cancel has a ring no more, and forgets it.
func (w *alarms) cancel(a *alarm) {
	w.mu.Lock()
	defer w.mu.Unlock()
	a.leave()
}

// leave takes a out of its slot, if it is in one. alarms.mu is held.
func (a *alarm) leave() {
	if a.slot == 0 {
		return
	}
	a.next.prev, a.prev.next = a.prev, a.next
	a.slot, a.next, a.prev = 0, nil, nil
}

// due rings what is due.
func (w *alarms) due(now time.Time) {
	for _, pid := range w.take(w.slot(now)) {
		w.ring(pid)
	}
}

// take empties the slots up to one.
func (w *alarms) take(upTo int64) (pids []*actor.PID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.last == 0 || upTo-w.last > int64(len(w.slots)) { // fewer slots are used than have passed
		for slot := range w.slots {
			if slot <= upTo {
				pids = w.empty(slot, pids)
			}
		}
	} else {
		for slot := w.last + 1; slot <= upTo; slot++ {
			pids = w.empty(slot, pids)
		}
	}
	w.last = max(w.last, upTo)
	return pids
}

func (w *alarms) empty(slot int64, pids []*actor.PID) []*actor.PID {
	head := w.slots[slot]
	if head == nil {
		return pids
	}
	for head.next != head {
		pids = append(pids, head.next.pid)
		head.next.leave()
	}
	delete(w.slots, slot)
	return pids
}
