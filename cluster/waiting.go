package cluster

import (
	"sync"
	"time"
)

// Bounds of the waiting room.
const (
	maxWaiting = 65536                 // letters
	retryEvery = 20 * time.Millisecond // between attempts
)

// waiting is a room for letters that nobody can have now: the owner is about to
// change, or this node doesn't know the others yet.
type waiting struct {
	mu      sync.Mutex
	letters []letter // guarded by mu
	wake    chan struct{}
}

func newWaiting() *waiting { return &waiting{wake: make(chan struct{}, 1)} }

// add keeps l, unless the room is full.
func (w *waiting) add(l letter) bool {
	w.mu.Lock()
	full := len(w.letters) >= maxWaiting
	if !full {
		w.letters = append(w.letters, l)
	}
	first := len(w.letters) == 1
	w.mu.Unlock()
	if first {
		w.look()
	}
	return !full
}

// look has the letters tried again soon.
func (w *waiting) look() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// take empties the room.
func (w *waiting) take() []letter {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := w.letters
	w.letters = nil
	return all
}

// len returns how many letters wait.
func (w *waiting) len() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.letters)
}

// run tries the letters again until stop is closed.
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

// retry makes an attempt for each letter and returns how many still wait.
func (w *waiting) retry(r *router, now time.Time) int {
	for _, l := range w.take() {
		switch r.try(&l) {
		case sent:
		case lost, notMine:
			r.drop(&l)
		default:
			if now.After(l.deadline) || !w.add(l) {
				r.drop(&l)
			}
		}
	}
	return w.len()
}
