package pebble

import (
	"context"
	"encoding/json"

	"fairfactor"
)

// operationKey appends the key of an operation; those that are not done come first.
func operationKey(b []byte, done bool, id string) []byte {
	state := byte(0)
	if done {
		state = 1
	}
	return append(append(b, kindOperation, state), id...)
}

// SaveOperation implements [fairfactor.Store].
func (s *Store) SaveOperation(ctx context.Context, op fairfactor.Operation) error {
	if err := live(ctx); err != nil {
		return err
	}
	text, err := json.Marshal(op)
	if err != nil {
		return fairfactor.Wrap(fairfactor.Internal, err, "an operation can't be written")
	}
	wait, err := s.saveOperation(&op, text)
	if err != nil {
		return err
	}
	return wait()
}

func (s *Store) saveOperation(op *fairfactor.Operation, text []byte) (wait func() error, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.refusal(); err != nil {
		return nil, err
	}
	have, err := s.operation(op.ID)
	if err != nil && fairfactor.CodeOf(err) != fairfactor.NotFound {
		return nil, err
	}
	if have.Epoch > op.Epoch {
		return nil, fairfactor.ErrFenced
	}
	done, b := !op.Finished.IsZero(), s.db.NewBatch()
	key := operationKey(nil, done, op.ID)
	b.Set(key, seal(key, text), nil)
	if done {
		b.Delete(operationKey(nil, false, op.ID), nil)
		before := fairfactor.OperationsBefore(op.Finished.Add(-fairfactor.OperationLife))
		b.DeleteRange(operationKey(nil, true, ""), operationKey(nil, true, before), nil)
	}
	return s.start(b), nil
}

// Operation implements [fairfactor.Store].
func (s *Store) Operation(ctx context.Context, id string) (fairfactor.Operation, error) {
	if err := live(ctx); err != nil {
		return fairfactor.Operation{}, err
	}
	return s.operation(id)
}

func (s *Store) operation(id string) (op fairfactor.Operation, err error) {
	snapshot := s.db.NewSnapshot()
	defer snapshot.Close()
	for _, done := range []bool{false, true} {
		key := operationKey(nil, done, id)
		value, ok, err := get(snapshot, key)
		if err != nil {
			return op, err
		}
		if ok {
			return decodeOperation(key, value)
		}
	}
	return op, fairfactor.Errorf(fairfactor.NotFound, "there is no operation %.40q", id)
}

func decodeOperation(key, value []byte) (op fairfactor.Operation, err error) {
	if err := json.Unmarshal(value, &op); err != nil {
		return op, damaged(key, "the operation has an unknown form")
	}
	return op, nil
}

// OpenOperations implements [fairfactor.Store].
func (s *Store) OpenOperations(ctx context.Context, limit int) (ops []fairfactor.Operation, err error) {
	if err := live(ctx); err != nil {
		return nil, err
	}
	it, err := s.db.NewIter(iterBounds(operationKey(nil, false, ""), operationKey(nil, true, "")))
	if err != nil {
		return nil, readError(err)
	}
	defer it.Close()
	for ok := it.First(); ok && len(ops) < limit; ok = it.Next() {
		value, err := iterValue(it)
		if err == nil {
			var op fairfactor.Operation
			if op, err = decodeOperation(it.Key(), value); err == nil {
				ops = append(ops, op)
			}
		}
		if err := s.stepOver("an operation on many jobs can't be read", it.Key(), err); err != nil {
			return nil, err
		}
	}
	return ops, readError(it.Error())
}
