package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"fairfactor"
)

// retry does something that may be done twice, again while others are in the way
// or nobody answers, as [Store.Apply] does.
func (s *Store) retry(ctx context.Context, what string, do func(ctx context.Context) error) error {
	if err := live(ctx); err != nil {
		return err
	}
	began, aborts := time.Now(), 0
	for wait := backoff(0); ; wait = wait.next() {
		err := s.once(ctx, do)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return failure(ctx, err, what)
		case aborted(err) && aborts < maxAborts:
			aborts++
		case gone(err) && time.Since(began) < unreachable:
		default:
			return failure(ctx, err, what)
		}
		if !wait.pause(s.closing) {
			return failure(ctx, err, what)
		}
	}
}

func (s *Store) once(ctx context.Context, do func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, expireTimeout)
	defer cancel()
	return do(ctx)
}

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
const callerColumns = `c.name, c.weight, c.queued, c.completed, c.failed, c.cancelled, c.cpu, c.turns, CASE WHEN c.queued > 0 THEN ` + oldest + ` END`

// scanCaller reads an account, behind the given columns.
func scanCaller(row pgx.CollectableRow, before ...any) (c fairfactor.Caller, err error) {
	var first *time.Time
	err = row.Scan(append(before, &c.Name, &c.Weight, &c.Queued, &c.Completed, &c.Failed, &c.Cancelled, &c.CPU, &c.Turns, &first)...)
	if first != nil {
		c.Oldest = first.UTC()
	}
	return c, err
}

// ClaimCaller implements [fairfactor.Store].
func (s *Store) ClaimCaller(ctx context.Context, name string) (fairfactor.Claim, error) {
	if err := live(ctx); err != nil {
		return fairfactor.Claim{}, err
	}
	if _, err := fairfactor.ParseCaller(name); err != nil {
		return fairfactor.Claim{}, err
	}
	var claim fairfactor.Claim
	err := s.retry(ctx, "to claim a caller", func(ctx context.Context) error {
		tag, err := s.claim(ctx, &claim, `UPDATE fairfactor.callers SET epoch = epoch + 1 WHERE name = $1`, name)
		if err != nil || tag > 0 {
			return err
		}
		_, err = s.claim(ctx, &claim, `INSERT INTO fairfactor.callers AS c (number, name, epoch) VALUES (nextval('fairfactor.caller_numbers'), $1, 1)
			ON CONFLICT (name) DO UPDATE SET epoch = c.epoch + 1`, name)
		return err
	})
	if err != nil {
		return fairfactor.Claim{}, err
	}
	if claim.Number > maxNumber {
		return fairfactor.Claim{}, fairfactor.Errorf(fairfactor.Limit, "there are no numbers left for new callers")
	}
	return claim, nil
}

// claim raises an epoch, then reads the account, which nobody with an older epoch
// can have changed since. It returns how many rows were raised.
func (s *Store) claim(ctx context.Context, claim *fairfactor.Claim, raise, name string) (raised int64, err error) {
	b := &pgx.Batch{}
	b.Queue(raise, name)
	b.Queue("SELECT c.number, c.epoch, c.last, "+callerColumns+" FROM fairfactor.callers AS c WHERE c.name = $1", name)
	results := s.reads.SendBatch(ctx, b)
	defer results.Close()
	tag, err := results.Exec()
	if err != nil || tag.RowsAffected() == 0 {
		return 0, errors.Join(err, results.Close())
	}
	rows, err := results.Query()
	if err != nil {
		return 0, err
	}
	*claim, err = pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (c fairfactor.Claim, err error) {
		c.Caller, err = scanCaller(row, &c.Number, &c.Epoch, &c.Last)
		return c, err
	})
	return tag.RowsAffected(), errors.Join(err, results.Close())
}

// ClaimScheduler implements [fairfactor.Store].
func (s *Store) ClaimScheduler(ctx context.Context) (claim fairfactor.SchedulerClaim, err error) {
	err = s.retry(ctx, "to claim the scheduler", func(ctx context.Context) error {
		return s.reads.QueryRow(ctx, `UPDATE fairfactor.scheduler SET epoch = epoch + 1
			RETURNING epoch, greatest(place, (SELECT max(w.place) FROM fairfactor.writers AS w))`).Scan(&claim.Epoch, &claim.Place)
	})
	return claim, err
}

// Caller implements [fairfactor.Store].
func (s *Store) Caller(ctx context.Context, name string) (c fairfactor.Caller, err error) {
	if !storable(name) {
		return c, fairfactor.Errorf(fairfactor.NotFound, "there is no caller %q", name)
	}
	err = s.retry(ctx, "to read a caller", func(ctx context.Context) error {
		rows, err := s.reads.Query(ctx, "SELECT "+callerColumns+" FROM fairfactor.callers AS c WHERE c.name = $1", name)
		if err != nil {
			return err
		}
		c, err = pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (fairfactor.Caller, error) { return scanCaller(row) })
		if errors.Is(err, pgx.ErrNoRows) {
			return fairfactor.Errorf(fairfactor.NotFound, "there is no caller %q", name)
		}
		return err
	})
	return c, err
}

// Callers implements [fairfactor.Store].
func (s *Store) Callers(ctx context.Context, after string, limit int, queuedOnly bool) (list []fairfactor.Caller, err error) {
	if limit <= 0 || !storable(after) {
		return nil, live(ctx)
	}
	err = s.retry(ctx, "to read callers", func(ctx context.Context) error {
		rows, err := s.reads.Query(ctx, "SELECT "+callerColumns+` FROM fairfactor.callers AS c
			WHERE c.name > $1 AND (c.queued > 0 OR NOT $3) ORDER BY c.name LIMIT $2`, after, limit, queuedOnly)
		if err != nil {
			return err
		}
		list, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (fairfactor.Caller, error) { return scanCaller(row) })
		return err
	})
	return list, err
}
