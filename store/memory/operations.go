package memory

import (
	"context"
	"maps"
	"slices"

	"fairfactor"
)

// SaveOperation implements [fairfactor.Store].
func (s *Store) SaveOperation(ctx context.Context, op fairfactor.Operation) error {
	if err := live(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.operations[op.ID].Epoch > op.Epoch {
		return fairfactor.ErrFenced
	}
	if s.operations == nil {
		s.operations = map[string]fairfactor.Operation{}
	}
	op.Page, op.Orders = slices.Clone(op.Page), slices.Clone(op.Orders)
	s.operations[op.ID] = op
	if op.Finished.IsZero() {
		return nil
	}
	before := fairfactor.OperationsBefore(op.Finished.Add(-fairfactor.OperationLife))
	maps.DeleteFunc(s.operations, func(id string, o fairfactor.Operation) bool { return !o.Finished.IsZero() && id < before })
	return nil
}

// Operation implements [fairfactor.Store].
func (s *Store) Operation(ctx context.Context, id string) (fairfactor.Operation, error) {
	if err := live(ctx); err != nil {
		return fairfactor.Operation{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	op, ok := s.operations[id]
	if !ok {
		return op, fairfactor.Errorf(fairfactor.NotFound, "there is no operation %.40q", id)
	}
	return op, nil
}

// OpenOperations implements [fairfactor.Store].
func (s *Store) OpenOperations(ctx context.Context, limit int) (ops []fairfactor.Operation, err error) {
	if err := live(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(s.operations)) {
		if op := s.operations[id]; op.Finished.IsZero() && len(ops) < limit {
			ops = append(ops, op)
		}
	}
	return ops, nil
}
