package pebble

import (
	"context"

	"fairfactor"
)

// WeighGroup implements [fairfactor.Store].
func (s *Store) WeighGroup(ctx context.Context, group string, weight int) error {
	if err := live(ctx); err != nil {
		return err
	}
	if err := fairfactor.CheckGroupWeight(group, weight); err != nil {
		return err
	}
	wait, err := s.weighGroup(group, weight)
	if err != nil {
		return err
	}
	return wait()
}

func (s *Store) weighGroup(group string, weight int) (wait func() error, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.refusal(); err != nil {
		return nil, err
	}
	b, key := s.db.NewBatch(), groupKey(nil, group)
	switch _, weighed := s.groups[group]; {
	case weight == 1:
		delete(s.groups, group)
		b.Delete(key, nil)
	case !weighed && len(s.groups) >= fairfactor.MaxGroups:
		b.Close()
		return nil, fairfactor.ErrTooManyGroups
	default:
		s.groups[group] = weight
		setNumber(b, key, uint64(weight))
	}
	return s.start(b), nil
}

// loadGroups reads the weights of groups.
func (s *Store) loadGroups() error {
	s.groups = map[string]int{}
	it, err := s.db.NewIter(iterBounds(kindBounds(kindGroup)))
	if err != nil {
		return readError(err)
	}
	defer it.Close()
	for ok := it.First(); ok; ok = it.Next() {
		value, err := iterValue(it)
		if err != nil {
			return err
		}
		weight, err := decodeNumber(it.Key(), value)
		if err != nil {
			return err
		}
		s.groups[string(it.Key()[1:])] = int(weight)
	}
	return readError(it.Error())
}
