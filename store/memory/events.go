package memory

import (
	"context"

	"fairfactor"
	"fairfactor/store/journal"
)

// tell wakes those that wait for a change. s.mu is held.
func (s *Store) tell() {
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

// Changed implements [fairfactor.Store].
func (s *Store) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	return s.changed
}

// Events implements [fairfactor.Store]. Each call of Apply is a group.
func (s *Store) Events(ctx context.Context, after fairfactor.Position, limit int, wanted func(caller, seq uint64) bool) (page fairfactor.EventPage, err error) {
	if err := live(ctx); err != nil {
		return page, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	end := fairfactor.Position{Line: 1, Group: uint64(len(s.events)) + 1}
	page.Next, page.Head = end, end
	if after == (fairfactor.Position{}) {
		return page, nil
	}
	if after.Line != 1 || after.Compare(end) > 0 {
		page.Gap = true
		return page, nil
	}
	for group := after.Group; group < end.Group; group++ {
		skip := 0
		if group == after.Group {
			skip = int(after.Index)
		}
		full := false
		journal.Read(s.events[group-1].Bytes(), func(i int, e journal.Entry) bool {
			if full = i >= skip && limit <= 0; full {
				page.Next = fairfactor.Position{Line: 1, Group: group, Index: uint64(i)}
				return false
			}
			if i < skip {
				return true
			}
			limit--
			if job := s.numbers[e.Caller].jobs[e.Seq]; job != nil && (wanted == nil || wanted(e.Caller, e.Seq)) {
				page.Events = append(page.Events, fairfactor.Event{State: e.State, Job: job.copy(), After: fairfactor.Position{Line: 1, Group: group, Index: uint64(i) + 1}})
			}
			return true
		})
		if full {
			break
		}
	}
	return page, nil
}
