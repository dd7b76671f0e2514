package storetest

import (
	"context"

	"fairfactor"
)

// modelEvent is that a job reached a state.
type modelEvent struct {
	id    fairfactor.ID
	state fairfactor.State
}

// happened notes what a change that took effect did.
func (m *model) happened(ch *fairfactor.Change) {
	if ch.Op == fairfactor.Accept || ch.Op == fairfactor.Requeue || ch.Op == fairfactor.AcceptEnded {
		m.events = append(m.events, modelEvent{ch.Job.ID, fairfactor.Pending})
	}
	if ch.Op == fairfactor.Finish || ch.Op == fairfactor.AcceptEnded {
		m.events = append(m.events, modelEvent{ch.Job.ID, ch.Job.State})
	}
}

// Events of the model have their place in the list for a group.
func (m *model) Events(ctx context.Context, after fairfactor.Position, limit int, wanted func(caller, seq uint64) bool) (page fairfactor.EventPage, err error) {
	if err := ended(ctx); err != nil {
		return page, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	page.Head = fairfactor.Position{Group: uint64(len(m.events)) + 1}
	page.Gap = after.Line != 0 || after.Compare(page.Head) > 0
	if page.Next = after; after.Group == 0 || page.Gap {
		page.Next = page.Head
	}
	for ; page.Next.Group < page.Head.Group && limit > 0; limit-- {
		e := m.events[page.Next.Group-1]
		page.Next.Group++
		if j := m.stored(e.id); j != nil && (wanted == nil || wanted(e.id.Caller, e.id.Seq)) {
			page.Events = append(page.Events, fairfactor.Event{State: e.state, Job: j.Job, After: page.Next})
		}
	}
	return page, nil
}

// Changed of the model is never closed: nothing waits for it.
func (m *model) Changed() <-chan struct{} { return nil }
