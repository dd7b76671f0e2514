package feed

import (
	"context"

	"fairfactor"
)

// replayEvents is how many events are looked at in one question while a subscriber
// catches up: most of them are usually others'.
const replayEvents = 2048

// Replay reads what has happened since a position, as far as it is there when it begins,
// and hands it to send, page by page. It returns how far it got.
func (h *Hub) Replay(ctx context.Context, f Filter, from fairfactor.Position, send func([]*Message) error) (to fairfactor.Position, err error) {
	r := replay{hub: h, filter: &f, at: from, names: map[uint64]bool{}}
	for end := (fairfactor.Position{}); ; {
		before := r.at
		page, err := r.page(ctx, fairfactor.Position{Group: 1<<64 - 1}, send)
		if err != nil {
			return r.at, err
		}
		if end.Group == 0 {
			end = page.Head
		}
		if r.at.Compare(end) >= 0 || r.at == before {
			return r.at, nil
		}
	}
}

// replay is a subscriber that catches up.
type replay struct {
	hub    *Hub
	filter *Filter
	at     fairfactor.Position
	names  map[uint64]bool // whether the caller with a number is the one that is wanted
}

// page reads one page and sends what is wanted of it and not behind a position.
func (r *replay) page(ctx context.Context, to fairfactor.Position, send func([]*Message) error) (fairfactor.EventPage, error) {
	page, err := r.read(ctx)
	if err != nil {
		return page, err
	}
	var messages []*Message
	if page.Gap {
		messages = append(messages, r.hub.gap(&page))
	}
	for i := range page.Events {
		e := &page.Events[i]
		r.names[e.Job.ID.Caller] = r.filter.Caller == e.Job.Caller
		if r.filter.wants(&e.Job) && e.After.Compare(to) <= 0 {
			messages = append(messages, r.hub.message(kindOf(e.State), &e.Job, e.State, e.After))
		}
	}
	r.at = page.Next
	if len(messages) > 0 {
		err = send(messages)
	}
	return page, err
}

// read reads the next page. Not many do so at the same time, however many subscribers
// come back together.
func (r *replay) read(ctx context.Context) (fairfactor.EventPage, error) {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	select {
	case r.hub.replaying <- struct{}{}:
		defer func() { <-r.hub.replaying }()
	case <-ctx.Done():
		return fairfactor.EventPage{}, fairfactor.Wrap(fairfactor.Unavailable, ctx.Err(), "too many subscribers come back at the same time: try again")
	}
	return r.hub.opts.Source.Events(ctx, r.at, replayEvents, r.wanted)
}

func (r *replay) wanted(caller, seq uint64) bool {
	switch f := r.filter; {
	case f.one():
		return caller == f.Job.Caller && seq == f.Job.Seq
	case f.Caller != "":
		mine, known := r.names[caller]
		return mine || !known
	}
	return true
}
