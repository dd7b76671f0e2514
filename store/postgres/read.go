package postgres

import (
	"bytes"
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

// Backlog implements [fairfactor.Store]. A job that can't be read holds up none behind it.
func (s *Store) Backlog(ctx context.Context, caller, after uint64, limit int, into []fairfactor.Waiting) (list []fairfactor.Waiting, err error) {
	if limit <= 0 || caller > maxNumber || after >= maxNumber {
		return nil, live(ctx)
	}
	err = s.retry(ctx, "to read a backlog", func(ctx context.Context) error {
		name, err := s.name(ctx, int64(caller))
		if err != nil {
			return err
		}
		list = into[:0]
		for place := int64(after); len(list) < limit; {
			page, last, rows, err := s.backlogPage(ctx, int64(caller), name, place, limit-len(list))
			if err != nil {
				return err
			}
			asked := limit - len(list)
			list, place = append(list, page...), last
			if rows < asked {
				break
			}
		}
		return nil
	})
	return list, err
}

// backlogPage reads rows of a caller's queue. It returns the jobs in them, the order of
// the last row, and how many rows there were.
func (s *Store) backlogPage(ctx context.Context, caller int64, name string, after int64, limit int) (list []fairfactor.Waiting, last int64, rows int, err error) {
	err = s.ask(ctx, func(answer pgx.Rows) error {
		list, rows = nil, 0
		var r jobRow
		var checkpoint []byte
		_, err := pgx.ForEachRow(answer, append(r.fields(), &checkpoint), func() error {
			rows, last = rows+1, r.ord
			job, err := r.job(name)
			if err != nil {
				s.stepOver(&r, err)
				return nil
			}
			w := fairfactor.Waiting{Job: job}
			if len(checkpoint) > 0 {
				w.Checkpoint = bytes.Clone(checkpoint)
			}
			list = append(list, w)
			return nil
		})
		return err
	}, "SELECT "+queueColumns+`, checkpoint FROM fairfactor.queue
		WHERE caller = $1 AND ord > $2 ORDER BY ord LIMIT $3`, caller, after, limit)
	return list, last, rows, err
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
