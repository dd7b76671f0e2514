package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"fairfactor"
)

// Job implements [fairfactor.Store].
func (s *Store) Job(ctx context.Context, id fairfactor.ID) (j fairfactor.Job, err error) {
	if id.Caller > maxNumber || id.Seq > maxNumber || id.Nonce > maxNonce {
		return j, fairfactor.Errorf(fairfactor.NotFound, "there is no job %s", id)
	}
	err = s.retry(ctx, "to read a job", func(ctx context.Context) error {
		var r jobRow
		err := s.askRow(ctx, r.fields(), "SELECT "+jobColumns+` FROM (
			SELECT `+jobColumns+` FROM fairfactor.jobs WHERE caller = $1 AND seq = $2
			UNION ALL
			SELECT `+queueColumns+` FROM fairfactor.queue WHERE caller = $1 AND ord = $2 AND ord = seq
			UNION ALL
			SELECT `+queueColumns+` FROM fairfactor.queue WHERE caller = $1 AND seq = $2 AND ord <> seq
		) AS r WHERE nonce = $3`, int64(id.Caller), int64(id.Seq), int64(id.Nonce))
		if errors.Is(err, pgx.ErrNoRows) {
			return fairfactor.Errorf(fairfactor.NotFound, "there is no job %s", id)
		}
		if err == nil {
			j, err = r.job("")
		}
		if err == nil {
			err = s.complete(ctx, []*fairfactor.Job{&j})
		}
		return err
	})
	return j, err
}

// Backlog implements [fairfactor.Store].
func (s *Store) Backlog(ctx context.Context, caller, after uint64, limit int) (list []fairfactor.Waiting, err error) {
	if limit <= 0 || caller > maxNumber || after >= maxNumber {
		return nil, live(ctx)
	}
	err = s.retry(ctx, "to read a backlog", func(ctx context.Context) error {
		name, err := s.name(ctx, int64(caller))
		if err != nil {
			return err
		}
		return s.ask(ctx, func(rows pgx.Rows) (err error) {
			list, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (w fairfactor.Waiting, err error) {
				var r jobRow
				if err := row.Scan(append(r.fields(), &w.Checkpoint)...); err != nil {
					return w, err
				}
				if len(w.Checkpoint) == 0 {
					w.Checkpoint = nil
				}
				w.Job, err = r.job(name)
				return w, err
			})
			return err
		}, "SELECT "+queueColumns+`, checkpoint FROM fairfactor.queue
			WHERE caller = $1 AND ord > $2 ORDER BY ord LIMIT $3`, int64(caller), int64(after), limit)
	})
	return list, err
}

// Piece implements [fairfactor.Store].
func (s *Store) Piece(ctx context.Context, caller, order uint64, number uint32) (data []byte, err error) {
	if caller > maxNumber || order > maxNumber {
		return nil, live(ctx)
	}
	err = s.retry(ctx, "to read a piece of a checkpoint", func(ctx context.Context) error {
		err := s.askRow(ctx, []any{&data}, "SELECT data FROM fairfactor.pieces WHERE caller = $1 AND ord = $2 AND number = $3",
			int64(caller), int64(order), int64(number))
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		return err
	})
	return data, err
}
