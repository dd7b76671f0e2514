package feed

import (
	"context"

	"fairfactor"
)

// errStopped answers those who come when the hub has stopped.
var errStopped = fairfactor.Errorf(fairfactor.Unavailable, "this node is stopping: use another one")

// do runs a function on the goroutine of Run, between two pages. It is false if the hub
// has stopped, or ctx has ended.
func (h *Hub) do(ctx context.Context, f func()) error {
	done := make(chan struct{})
	select {
	case h.commands <- func() { f(); close(done) }:
	case <-h.stopped:
		return errStopped
	case <-ctx.Done():
		return fairfactor.Wrap(fairfactor.Canceled, ctx.Err(), "the caller went away")
	}
	<-done
	return nil
}

// Subscribe begins a subscription. What happens from its Start on will be in its queue, but
// for what the subscriber has already, up to a position; zero if it has nothing.
func (h *Hub) Subscribe(ctx context.Context, f Filter, has fairfactor.Position) (*Subscription, error) {
	s := &Subscription{hub: h, filter: f, wake: make(chan struct{}, 1), has: has}
	var failure error
	if err := h.do(ctx, func() { failure = h.add(ctx, s) }); err != nil {
		return nil, err
	}
	return s, failure
}

// add puts a subscriber in. The first one is where the hub begins to read.
func (h *Hub) add(ctx context.Context, s *Subscription) error {
	if h.count == 0 {
		bounded, cancel := context.WithTimeout(ctx, askLimit)
		defer cancel()
		page, err := h.opts.Source.Events(bounded, fairfactor.Position{}, 0, nil)
		if err != nil {
			return err
		}
		h.at = page.Next
	}
	s.Start = h.at
	h.count++
	switch f := &s.filter; {
	case f.one():
		h.places[place{f.Job.Caller, f.Job.Seq}]++
		put(h.jobs, f.Job, s)
	case f.Caller != "":
		put(h.callers, f.Caller, s)
	default:
		h.all[s] = true
	}
	return nil
}

func put[K comparable](sets map[K]map[*Subscription]bool, k K, s *Subscription) {
	if sets[k] == nil {
		sets[k] = map[*Subscription]bool{}
	}
	sets[k][s] = true
}

// leave takes a subscriber out, unless the hub has stopped.
func (h *Hub) leave(s *Subscription) { _ = h.do(context.Background(), func() { h.remove(s) }) }

// remove takes a subscriber out if it is in.
func (h *Hub) remove(s *Subscription) {
	f := &s.filter
	in := false
	switch {
	case f.one():
		if in = drop(h.jobs, f.Job, s); in {
			at := place{f.Job.Caller, f.Job.Seq}
			if h.places[at]--; h.places[at] == 0 {
				delete(h.places, at)
			}
		}
	case f.Caller != "":
		in = drop(h.callers, f.Caller, s)
	default:
		in = h.all[s]
		delete(h.all, s)
	}
	if in {
		h.count--
	}
}

func drop[K comparable](sets map[K]map[*Subscription]bool, k K, s *Subscription) (in bool) {
	in = sets[k][s]
	delete(sets[k], s)
	if len(sets[k]) == 0 {
		delete(sets, k)
	}
	return in
}

// each calls f with each subscriber; f may remove it.
func (h *Hub) each(f func(*Subscription)) {
	for s := range h.all {
		f(s)
	}
	for _, set := range h.callers {
		for s := range set {
			f(s)
		}
	}
	for _, set := range h.jobs {
		for s := range set {
			f(s)
		}
	}
}

// endAll ends all subscriptions.
func (h *Hub) endAll() {
	h.each(func(s *Subscription) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.finish(Stopped)
	})
}
