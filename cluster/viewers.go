package cluster

import (
	"context"
	"sync"
)

// viewers calls the functions given to [Node.OnView], in order, from one goroutine.
type viewers struct {
	mu    sync.Mutex
	last  View           // guarded by mu
	some  bool           // guarded by mu: there was a view
	queue []func()       // guarded by mu
	calls []func(v View) // guarded by mu
	wake  chan struct{}
}

func newViewers() *viewers { return &viewers{wake: make(chan struct{}, 1)} }

func (w *viewers) add(f func(View)) {
	w.mu.Lock()
	w.calls = append(w.calls, f)
	if last := w.last; w.some {
		w.queue = append(w.queue, func() { f(last) })
	}
	w.mu.Unlock()
	w.look()
}

func (w *viewers) publish(v View) {
	w.mu.Lock()
	w.last, w.some = v, true
	for _, f := range w.calls {
		w.queue = append(w.queue, func() { f(v) })
	}
	w.mu.Unlock()
	w.look()
}

func (w *viewers) look() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *viewers) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.wake:
		}
		w.mu.Lock()
		queue := w.queue
		w.queue = nil
		w.mu.Unlock()
		for _, call := range queue {
			call()
		}
	}
}
