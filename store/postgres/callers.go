package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"fairfactor"
	"fairfactor/store/rules"
)

// oldest is the time of submission of a caller's unfinished job with the lowest
// sequence number: the first of those that are in their first place in the queue,
// or of those that were queued again.
const oldest = `(
	SELECT o.submitted FROM (
		(SELECT q.seq, q.submitted FROM fairfactor.queue AS q WHERE q.caller = c.number AND q.ord = q.seq ORDER BY q.ord LIMIT 1)
		UNION ALL
		(SELECT q.seq, q.submitted FROM fairfactor.queue AS q WHERE q.caller = c.number AND q.ord <> q.seq ORDER BY q.seq LIMIT 1)
	) AS o ORDER BY o.seq LIMIT 1)`

// callerColumns are an account in the order of scanCaller.
const callerColumns = `c.name, c.caller_group, c.weight, c.paused, c.bounds, c.queued, c.completed, c.failed, c.cancelled, c.cpu, c.turns, CASE WHEN c.queued > 0 THEN ` + oldest + ` END`

// scanCaller reads an account, behind the given columns.
func scanCaller(row pgx.CollectableRow, before ...any) (c fairfactor.Caller, err error) {
	var first *time.Time
	var bounds []int64
	err = row.Scan(append(before, &c.Name, &c.Group, &c.Weight, &c.Paused, &bounds, &c.Queued, &c.Completed, &c.Failed, &c.Cancelled, &c.CPU, &c.Turns, &first)...)
	if first != nil {
		c.Oldest = first.UTC()
	}
	if b := boundsIn(bounds); b != nil {
		c.Bounds = *b
	}
	return c, err
}

// boundsOf is how the bounds of a caller are stored, nil for none.
func boundsOf(b *fairfactor.Bounds) []int64 {
	if b == nil {
		return nil
	}
	return []int64{int64(b.MaxQueue), int64(b.MaxRate), int64(b.MaxDigits), int64(b.MaxCPU), int64(b.Day), int64(b.Before)}
}

// boundsIn reads what boundsOf has stored.
func boundsIn(v []int64) *fairfactor.Bounds {
	const count = 6
	if len(v) != count {
		return nil
	}
	return &fairfactor.Bounds{MaxQueue: uint64(v[0]), MaxRate: uint64(v[1]), MaxDigits: uint64(v[2]), MaxCPU: time.Duration(v[3]), Day: uint64(v[4]), Before: time.Duration(v[5])}
}

// Caller implements [fairfactor.Store].
func (s *Store) Caller(ctx context.Context, name string) (c fairfactor.Caller, err error) {
	if !storable(name) {
		return c, fairfactor.Errorf(fairfactor.NotFound, "there is no caller %q", name)
	}
	err = s.retry(ctx, "to read a caller", func(ctx context.Context) error {
		err := s.ask(ctx, func(rows pgx.Rows) (err error) {
			c, err = pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (fairfactor.Caller, error) { return scanCaller(row) })
			return err
		}, "SELECT "+callerColumns+` FROM fairfactor.callers AS c WHERE c.known AND c.ctid = coalesce(
				(SELECT y.ctid FROM fairfactor.callers AS y WHERE y.ctid = $2::text::tid AND y.name = $1),
				(SELECT x.ctid FROM fairfactor.callers AS x WHERE x.name = $1))`, name, s.placeOf(name))
		if errors.Is(err, pgx.ErrNoRows) {
			return fairfactor.Errorf(fairfactor.NotFound, "there is no caller %q", name)
		}
		return err
	})
	return c, err
}

// placeOf is where the row of a caller is, as far as this store knows: see [places].
func (s *Store) placeOf(name string) string {
	number, ok := s.names.number(name)
	if !ok {
		return noPlace
	}
	return s.places.at(number)
}

// Callers implements [fairfactor.Store].
func (s *Store) Callers(ctx context.Context, after string, limit int) (list []fairfactor.Caller, err error) {
	if limit <= 0 || !storable(after) {
		return nil, live(ctx)
	}
	return s.callersBy(ctx, "SELECT "+callerColumns+` FROM fairfactor.callers AS c
		WHERE c.name > $1 AND c.known ORDER BY c.name LIMIT $2`, after, limit)
}

// CallersNamed implements [fairfactor.Store].
func (s *Store) CallersNamed(ctx context.Context, names []string) (list []fairfactor.Caller, err error) {
	return s.callersBy(ctx, "SELECT "+callerColumns+` FROM unnest($1::text[]) AS u (name)
		CROSS JOIN LATERAL (SELECT * FROM fairfactor.callers AS x WHERE x.name = u.name AND x.known OFFSET 0) AS c`, slices.DeleteFunc(slices.Clone(names), func(n string) bool { return !storable(n) }))
}

// callersBy returns the accounts that a statement finds.
func (s *Store) callersBy(ctx context.Context, statement string, args ...any) (list []fairfactor.Caller, err error) {
	err = s.retry(ctx, "to read callers", func(ctx context.Context) error {
		rows, err := s.reads.Query(ctx, statement, args...)
		if err != nil {
			return err
		}
		list, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (fairfactor.Caller, error) { return scanCaller(row) })
		return err
	})
	return list, err
}

// Classes of a caller's queue and CPU when a group of changes is added to its row, as
// [rules.Class] has them. Their indexes are written only when the class of a caller changes.
const (
	queuedAmount = "(c.queued + u.queued)"
	queuedClass  = "CASE WHEN " + queuedAmount + " >= 16::bigint << c.queued_class OR c.queued_class > 0 AND " + queuedAmount + " < 4::bigint << c.queued_class THEN " +
		classFrom + queuedAmount + classTo + " ELSE c.queued_class END"
	cpuAmount = "((c.cpu + u.cpu) / 1000000)"
	cpuClass  = "CASE WHEN " + cpuAmount + " >= 16::bigint << c.cpu_class THEN " + classFrom + cpuAmount + classTo + " ELSE c.cpu_class END"
	classFrom = "floor(ln(greatest("
	classTo   = " / 6, 1)::float8) / ln(2::float8) + 1e-9)::smallint"
)

// Foremost implements [fairfactor.Store]. Those with few unfinished jobs are in no class:
// some are found in the queue.
func (s *Store) Foremost(ctx context.Context, order fairfactor.CallerOrder, limit int) ([]fairfactor.Caller, error) {
	if err := cmp.Or(live(ctx), rules.CheckRanking(order)); err != nil {
		return nil, err
	}
	column := "queued"
	if order == fairfactor.ByCPU {
		column = "cpu"
	}
	limit = min(limit, fairfactor.MaxRanked)
	list, err := s.callersBy(ctx, fmt.Sprintf(`SELECT %[1]s FROM (
			SELECT * FROM (
				SELECT * FROM fairfactor.callers AS x WHERE x.%[2]s_class > 0 ORDER BY x.%[2]s_class DESC LIMIT %[3]d
			) AS y ORDER BY y.%[2]s DESC, y.name LIMIT $1
		) AS c`, callerColumns, column, rules.MaxCandidates), limit)
	list = rules.Rank(list, order, limit)
	// A caller in a class may have less than those in none.
	large := limit <= 0 || len(list) == limit && list[limit-1].Queued >= rules.ClassEnd(0)
	if err != nil || order != fairfactor.ByQueued || large {
		return list, err
	}
	small, err := s.callersBy(ctx, waiting+"SELECT "+callerColumns+` FROM waiting AS w
		CROSS JOIN LATERAL (SELECT * FROM fairfactor.callers AS x WHERE x.number = w.caller AND x.queued > 0 AND x.queued_class = 0 OFFSET 0) AS c`, 0, fairfactor.MaxRanked)
	return rules.Rank(append(list, small...), order, limit), err
}

// waiting are the numbers of callers that have unfinished jobs, after $1, at most $2.
const waiting = `
	WITH RECURSIVE waiting (caller, n) AS (
		(SELECT q.caller, 1 FROM fairfactor.queue AS q WHERE q.caller > $1 ORDER BY q.caller LIMIT 1)
		UNION ALL
		SELECT (SELECT q.caller FROM fairfactor.queue AS q WHERE q.caller > w.caller ORDER BY q.caller LIMIT 1), w.n + 1
		FROM waiting AS w WHERE w.caller IS NOT NULL AND w.n < $2
	)
	`

// Backlogged implements [fairfactor.Store]. It skips from one caller in the queue
// to the next by the queue's primary key. An index of callers that have jobs would
// cost a write of all indexes of callers with every update that changes the number
// of a caller's jobs.
func (s *Store) Backlogged(ctx context.Context, after uint64, limit int) (list []fairfactor.Backlogged, err error) {
	if limit <= 0 || after >= maxNumber {
		return nil, live(ctx)
	}
	err = s.retry(ctx, "to read callers that wait", func(ctx context.Context) error {
		rows, err := s.reads.Query(ctx, waiting+`
			SELECT c.number, c.name, c.caller_group, c.weight, c.paused, c.queued FROM waiting AS w
			CROSS JOIN LATERAL (SELECT * FROM fairfactor.callers AS x WHERE x.number = w.caller OFFSET 0) AS c ORDER BY c.number`,
			int64(after), limit)
		if err != nil {
			return err
		}
		list, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (b fairfactor.Backlogged, err error) {
			err = row.Scan(&b.Number, &b.Name, &b.Group, &b.Weight, &b.Paused, &b.Queued)
			return b, err
		})
		return err
	})
	return list, err
}

// WeighGroup implements [fairfactor.Store].
func (s *Store) WeighGroup(ctx context.Context, group string, weight int) error {
	if err := live(ctx); err != nil {
		return err
	}
	if err := fairfactor.CheckGroupWeight(group, weight); err != nil {
		return err
	}
	if weight == 1 {
		return s.retry(ctx, "to weigh a group", func(ctx context.Context) error {
			_, err := s.reads.Exec(ctx, "DELETE FROM fairfactor.groups WHERE name = $1", group)
			return err
		})
	}
	return s.retry(ctx, "to weigh a group", func(ctx context.Context) error {
		b := &pgx.Batch{}
		b.Queue("SELECT 1 FROM fairfactor.scheduler FOR UPDATE") // one at a time, for the sake of the bound
		b.Queue(`INSERT INTO fairfactor.groups AS g (name, weight) SELECT $1, $2
			WHERE (SELECT count(*) FROM fairfactor.groups WHERE name <> $1) < $3
			ON CONFLICT (name) DO UPDATE SET weight = excluded.weight`, group, weight, fairfactor.MaxGroups).Exec(func(tag pgconn.CommandTag) error {
			if tag.RowsAffected() == 0 {
				return fairfactor.ErrTooManyGroups
			}
			return nil
		})
		return s.reads.SendBatch(ctx, b).Close()
	})
}
