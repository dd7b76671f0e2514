package cluster

import (
	"sync"
	"time"
)

// Bounds of the waiting room.
const (
	maxWaiting = 65536                 // envelopes
	retryEvery = 20 * time.Millisecond // between attempts
)

// waiting is the waiting room for envelopes that no member can take now: the owner
// is about to change, or this node doesn't know the others yet.
type waiting struct {
	mu        sync.Mutex
	envelopes []envelope // guarded by mu
	wake      chan struct{}
}

func newWaiting() *waiting { return &waiting{wake: make(chan struct{}, 1)} }

// add keeps e, unless the room is full.
func (w *waiting) add(e envelope) bool {
	w.mu.Lock()
	full := len(w.envelopes) >= maxWaiting
	if !full {
		w.envelopes = append(w.envelopes, e)
	}
	first := len(w.envelopes) == 1
	w.mu.Unlock()
	if first {
		w.look()
	}
	return !full
}

// look retries the envelopes soon.
func (w *waiting) look() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// drain empties the room and returns what was in it.
func (w *waiting) drain() []envelope {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := w.envelopes
	w.envelopes = nil
	return all
}

// len returns how many envelopes wait.
func (w *waiting) len() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.envelopes)
}

// run retries the envelopes until stop is closed.
func (w *waiting) run(r *router, stop <-chan struct{}) {
	timer := time.NewTimer(retryEvery)
	defer timer.Stop()
	for {
		select {
		case <-stop:
			return
		case <-w.wake:
		case <-timer.C:
		}
		if w.retry(r, time.Now()) > 0 {
			timer.Reset(retryEvery)
		}
	}
}

// retry makes an attempt for each envelope and returns how many still wait.
func (w *waiting) retry(r *router, now time.Time) int {
	for _, e := range w.drain() {
		switch r.try(&e) {
		case sent:
		case lost, notMine:
			r.drop(&e)
		default:
			if now.After(e.deadline) || !w.add(e) {
				r.drop(&e)
			}
		}
	}
	return w.len()
}
