package memory

import (
	"cmp"
	"context"
	"slices"
	"time"

	"fairfactor"
)

// Overdue implements [fairfactor.DeadlineStore].
func (s *Store) Overdue(ctx context.Context, before time.Time, after fairfactor.Overdue, limit int) (list []fairfactor.Overdue, err error) {
	if err := live(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, j := range s.order {
		o := fairfactor.Overdue{ID: j.ID, Caller: j.Caller, Deadline: j.Deadline}
		if !j.State.Final() && !j.Deadline.IsZero() && j.Deadline.Before(before) && compareOverdue(o, after) > 0 {
			list = append(list, o)
		}
	}
	slices.SortFunc(list, compareOverdue)
	return list[:min(len(list), max(limit, 0))], nil
}

func compareOverdue(a, b fairfactor.Overdue) int {
	return cmp.Or(a.Deadline.Compare(b.Deadline), cmp.Compare(a.ID.Caller, b.ID.Caller), cmp.Compare(a.ID.Seq, b.ID.Seq))
}
