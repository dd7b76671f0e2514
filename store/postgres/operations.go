package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"fairfactor"
)

// SaveOperation implements [fairfactor.Store].
func (s *Store) SaveOperation(ctx context.Context, op fairfactor.Operation) error {
	text, err := json.Marshal(op)
	if err != nil {
		return fairfactor.Wrap(fairfactor.Internal, err, "an operation can't be written")
	}
	done := !op.Finished.IsZero()
	return s.retry(ctx, "to save an operation", func(ctx context.Context) error {
		tag, err := s.reads.Exec(ctx, `INSERT INTO fairfactor.operations AS o (id, epoch, done, data) VALUES ($1, $2, $3, $4)
			ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch, done = excluded.done, data = excluded.data WHERE o.epoch <= excluded.epoch`,
			op.ID, int64(op.Epoch), done, string(text))
		switch {
		case err != nil:
			return err
		case tag.RowsAffected() == 0:
			return fairfactor.ErrFenced
		case done:
			_, err = s.reads.Exec(ctx, "DELETE FROM fairfactor.operations WHERE id < $1 AND done", fairfactor.OperationsBefore(op.Finished.Add(-fairfactor.OperationLife)))
		}
		return err
	})
}

// Operation implements [fairfactor.Store].
func (s *Store) Operation(ctx context.Context, id string) (op fairfactor.Operation, err error) {
	if !storable(id) {
		return op, fairfactor.Errorf(fairfactor.NotFound, "there is no operation %.40q", id)
	}
	err = s.retry(ctx, "to read an operation", func(ctx context.Context) error {
		var text string
		err := s.reads.QueryRow(ctx, "SELECT data FROM fairfactor.operations WHERE id = $1", id).Scan(&text)
		if errors.Is(err, pgx.ErrNoRows) {
			return fairfactor.Errorf(fairfactor.NotFound, "there is no operation %.40q", id)
		}
		if err == nil {
			op, err = parseOperation(text)
		}
		return err
	})
	return op, err
}

func parseOperation(text string) (op fairfactor.Operation, err error) {
	if err := json.Unmarshal([]byte(text), &op); err != nil {
		return op, fairfactor.Wrap(fairfactor.Internal, err, "the database is damaged: an operation can't be read")
	}
	return op, nil
}

// OpenOperations implements [fairfactor.Store].
func (s *Store) OpenOperations(ctx context.Context, limit int) (ops []fairfactor.Operation, err error) {
	err = s.retry(ctx, "to read operations", func(ctx context.Context) error {
		rows, err := s.reads.Query(ctx, "SELECT id, data FROM fairfactor.operations WHERE NOT done ORDER BY id LIMIT $1", limit)
		if err != nil {
			return err
		}
		ops = nil
		var id, text string
		_, err = pgx.ForEachRow(rows, []any{&id, &text}, func() error {
			op, err := parseOperation(text)
			if err == nil {
				ops = append(ops, op)
			} else {
				s.report("an operation on many jobs can't be read", id, fmt.Errorf("operation %.40q: %w", id, err))
			}
			return nil
		})
		return err
	})
	return ops, err
}
