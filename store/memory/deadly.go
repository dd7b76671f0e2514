package memory

import (
	"context"
	"maps"
	"slices"
	"time"

	"fairfactor"
	"fairfactor/store/rules"
)

// judge keeps what a change says of whether its number is deadly. s.mu is held.
func (s *Store) judge(ch *fairfactor.Change) {
	if rules.Absolved(ch) {
		delete(s.deadly, ch.Job.Number)
	}
	now, ok := rules.Condemned(ch)
	if !ok {
		return
	}
	if was, again := s.deadly[now.Number]; again {
		now, _ = rules.MergeDeadly(was, now)
	}
	if s.deadly == nil {
		s.deadly = map[string]fairfactor.Deadly{}
	}
	s.deadly[now.Number] = now
}

// Deadly implements [fairfactor.DeadlyStore].
func (s *Store) Deadly(ctx context.Context) ([]fairfactor.Deadly, error) {
	if err := live(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return rules.Deadliest(slices.Collect(maps.Values(s.deadly))), nil
}

// TrimDeadly implements [fairfactor.DeadlyStore].
func (s *Store) TrimDeadly(ctx context.Context, before time.Time) error {
	if err := live(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range rules.Trimmed(slices.Collect(maps.Values(s.deadly)), before) {
		delete(s.deadly, d.Number)
	}
	return nil
}
