package postgres

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"fairfactor"
)

// An account goes when it is idle. The table idle names those that may be, and since when: a
// claim puts in an account that is new, [Store.Expire] those whose jobs it deletes, and a
// setting that was taken back its own. Whether one has jobs is looked up when it is old
// enough, under the lock of the account's row, by a statement that begins after the row was
// locked: a group that wrote a job of it before held that lock until its end, and one that
// comes after finds no row. One that has jobs, or something set, leaves the table; it will be put in
// again when that ends. So each account is looked at once for each time it is put in.
//
// All others lock the account's row first and that of idle second, and several of idle in the
// order of numbers. Forgetting does it the other way round, and leaves rows that are locked
// for another time.

// accounts is how many there may be.
type accounts struct {
	bound     atomic.Uint64 // zero for any number
	forgotten atomic.Uint64
	full      atomic.Int64 // until then, in ns since 1970, nothing is looked for that may go
	added     atomic.Int64 // rows of account_counts since they were added up
	recount   atomic.Int64 // when the accounts are counted again, in ns since 1970
}

const (
	forgetStep = 500         // accounts looked at in one transaction
	spareSteps = 10          // transactions that look for accounts that may go at the bound
	fullFor    = time.Second // after they found none
	countsKept = 256         // rows of account_counts that one store adds before it adds them up
	fresh      = time.Minute // see Options.Fresh

	recountFirst   = time.Hour      // after the start, and after a count that was wrong
	recountEvery   = 24 * time.Hour // otherwise
	recountTimeout = 5 * time.Minute
)

// noteIdle notes that accounts may be idle.
const noteIdle = `INSERT INTO fairfactor.idle (number, since) SELECT u.number, now() FROM unnest($1::bigint[]) AS u (number) ORDER BY u.number
	ON CONFLICT (number) DO UPDATE SET since = excluded.since`

// BoundAccounts implements [fairfactor.Store]. Claims that are made at the same time by
// several nodes do not see each other, so there may be as many accounts more as one claim
// of each node brings, up to 500.
func (s *Store) BoundAccounts(most uint64) { s.accounts.bound.Store(most) }

// bounded returns the bound of accounts, nil for none.
func (s *Store) bounded() *int64 {
	most := s.accounts.bound.Load()
	if most == 0 {
		return nil
	}
	n := int64(min(most, maxNumber))
	return &n
}

// Accounts implements [fairfactor.Store].
func (s *Store) Accounts(ctx context.Context) (a fairfactor.Accounts, err error) {
	a.Forgotten = s.accounts.forgotten.Load()
	err = s.retry(ctx, "to count accounts", func(ctx context.Context) error {
		return s.askRow(ctx, []any{&a.Kept}, "SELECT greatest(coalesce(sum(n), 0), 0)::bigint FROM fairfactor.account_counts")
	})
	return a, err
}

// Forget implements [fairfactor.Store]. before is by this node's clock, and is corrected by
// the database's if that is another one. An account whose last claim is not before it stays,
// as if it had changed then. Several nodes may do it at once.
func (s *Store) Forget(ctx context.Context, before time.Time, limit int) (total int, err error) {
	for total < limit {
		step := min(forgetStep, limit-total)
		gone, seen, err := s.forgetSome(ctx, &before, step, step)
		if total += gone; err != nil {
			return total, err
		}
		if seen == 0 {
			break
		}
	}
	s.recountAccounts(ctx)
	return total, s.addUp(ctx)
}

// recountAccounts counts the accounts themselves when that is due, and puts right what their
// sum lacks: a node of a version that does not count them may have written while it was being
// replaced. If another node is at it, this one tries again later.
func (s *Store) recountAccounts(ctx context.Context) {
	now, due := s.now(), s.accounts.recount.Load()
	if now.UnixNano() < due || !s.accounts.recount.CompareAndSwap(due, now.Add(recountFirst).UnixNano()) {
		return
	}
	missing, err := s.missingAccounts(ctx)
	switch {
	case ctx.Err() != nil || pgCode(err) == codeLockTimeout:
	case err != nil:
		s.log.Warn("accounts can't be counted", "err", err)
	case missing != 0:
		s.log.Info("the count of accounts was put right: a node of an earlier version has written to the tables", "missing", missing)
	default:
		s.accounts.recount.Store(now.Add(recountEvery).UnixNano())
	}
}

// missingAccounts adds what the sum lacks, on a connection of its own: it takes some seconds
// for ten million accounts, and requests don't wait for it. Both are read in one snapshot,
// and each change of accounts is in both or in neither, so what others do meanwhile makes no
// difference. The lock keeps out others that do the same, and the server's vacuum.
func (s *Store) missingAccounts(ctx context.Context) (missing int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, recountTimeout)
	defer cancel()
	c, err := pgx.ConnectConfig(ctx, s.reads.Config().ConnConfig)
	if err != nil {
		return 0, err
	}
	defer c.Close(context.WithoutCancel(ctx)) // what was said counts, not the goodbye
	err = pgx.BeginTxFunc(ctx, c, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) error {
		for _, statement := range []string{
			"SET LOCAL statement_timeout = 0", // ctx bounds it
			"LOCK TABLE fairfactor.account_counts IN SHARE UPDATE EXCLUSIVE MODE NOWAIT",
		} {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return err
			}
		}
		return tx.QueryRow(ctx, `
			WITH missing AS MATERIALIZED (
				SELECT (SELECT count(*) FROM fairfactor.callers) - (SELECT coalesce(sum(n), 0) FROM fairfactor.account_counts)::bigint AS n
			), added AS (
				INSERT INTO fairfactor.account_counts (n) SELECT n FROM missing WHERE n <> 0
			)
			SELECT n FROM missing`).Scan(&missing)
	})
	return missing, err
}

// addUp makes one row of account_counts.
func (s *Store) addUp(ctx context.Context) error {
	return s.retry(ctx, "to count accounts", func(ctx context.Context) error {
		_, err := s.reads.Exec(ctx, `
			WITH counted AS (
				DELETE FROM fairfactor.account_counts WHERE (SELECT count(*) FROM fairfactor.account_counts) > 1 RETURNING n
			)
			INSERT INTO fairfactor.account_counts (n) SELECT sum(n) FROM counted HAVING count(*) > 0`)
		if err == nil {
			s.accounts.added.Store(0)
		}
		return err
	})
}

// forgetSome looks at the accounts that have been idle longest, and removes at most some of
// them: those that are idle since a time, or at the bound, where before is nil, those that
// were not claimed lately. seen is how many will not be met again.
func (s *Store) forgetSome(ctx context.Context, before *time.Time, look, most int) (gone, seen int, err error) {
	err = s.retry(ctx, "to forget accounts", func(ctx context.Context) error {
		gone, seen = 0, 0
		return pgx.BeginTxFunc(ctx, s.reads, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) error {
			numbers, err := collect(tx.Query(ctx, oldIdle, s.now(), before, look))
			if err != nil || len(numbers) == 0 {
				return err
			}
			locked, err := collect(tx.Query(ctx, `SELECT c.number FROM fairfactor.callers AS c
				WHERE c.number = ANY($1::bigint[]) ORDER BY c.number FOR UPDATE SKIP LOCKED`, numbers))
			if err != nil {
				return err
			}
			ours := make(map[int64]bool, len(locked))
			for _, number := range locked {
				ours[number] = true
			}
			mine := slices.DeleteFunc(slices.Clone(numbers), func(n int64) bool { return !ours[n] })
			return tx.QueryRow(ctx, forgetIdle, s.now(), before, s.fresh.Microseconds(), mine, numbers, most).Scan(&gone, &seen)
		})
	})
	s.accounts.forgotten.Add(uint64(gone))
	return gone, seen, err
}

func collect(rows pgx.Rows, err error) ([]int64, error) {
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int64])
}

// oldIdle locks what may have been idle longest.
const oldIdle = `SELECT i.number FROM fairfactor.idle AS i
	WHERE $2::timestamptz IS NULL OR i.since < $2::timestamptz + ` + skew + ` * interval '1 microsecond'
	ORDER BY i.since LIMIT $3 FOR UPDATE SKIP LOCKED`

// forgetIdle removes those accounts of $4, whose rows are locked, that are idle and were not
// claimed lately. $5 are those that were looked at.
const forgetIdle = `
	WITH due AS MATERIALIZED (
		SELECT CASE WHEN $2::timestamptz IS NULL THEN now() - $3::bigint * interval '1 microsecond'
			ELSE $2::timestamptz + ` + skew + ` * interval '1 microsecond' END AS before
	), mine AS MATERIALIZED (
		SELECT c.at, c.number, u.place, to_timestamp(c.epoch / 1000.0) AS claimed,
			c.queued = 0 AND c.weight = 1 AND NOT c.paused AND NOT c.placed AND c.bounds IS NULL
				AND NOT EXISTS (SELECT FROM fairfactor.jobs AS j WHERE j.caller = c.number) AS idle
		FROM unnest($4::bigint[]) WITH ORDINALITY AS u (number, place)
		CROSS JOIN LATERAL (SELECT x.ctid AS at, x.* FROM fairfactor.callers AS x WHERE x.number = u.number OFFSET 0) AS c
	), old AS MATERIALIZED (
		SELECT m.at FROM mine AS m WHERE m.idle AND m.claimed < (SELECT before FROM due) ORDER BY m.place LIMIT $6
	), gone AS (
		DELETE FROM fairfactor.callers AS c USING old WHERE c.ctid = old.at RETURNING c.number
	), free AS MATERIALIZED (
		SELECT k.at FROM gone AS g CROSS JOIN LATERAL (SELECT x.ctid AS at FROM fairfactor.keys AS x WHERE x.caller = g.number OFFSET 0) AS k
	), forgotten AS (
		DELETE FROM fairfactor.keys AS k USING free WHERE k.ctid = free.at
	), counted AS (
		INSERT INTO fairfactor.account_counts (n) SELECT -count(*) FROM gone HAVING count(*) > 0
	), later AS (
		UPDATE fairfactor.idle AS i SET since = m.claimed FROM mine AS m
		WHERE i.number = m.number AND m.idle AND m.claimed >= (SELECT before FROM due) RETURNING 1
	), settled AS (
		DELETE FROM fairfactor.idle AS i WHERE i.number = ANY($5::bigint[]) AND (
			i.number IN (SELECT number FROM gone) OR i.number IN (SELECT number FROM mine WHERE NOT mine.idle)
			OR NOT EXISTS (SELECT FROM fairfactor.callers AS c WHERE c.number = i.number)) RETURNING 1
	)
	SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM settled) + (SELECT count(*) FROM later)`

// makeRoom removes up to n idle accounts at the bound, and reports whether one has gone. If
// there was none a moment ago it does not look again.
func (s *Store) makeRoom(n int) bool {
	a := &s.accounts
	if s.now().UnixNano() < a.full.Load() {
		return false
	}
	for range spareSteps {
		gone, seen, err := s.forgetSome(context.Background(), nil, max(n, forgetStep/5), n)
		if err != nil {
			s.log.Error("no room can be made for new callers", "err", err)
			return false
		}
		if gone > 0 {
			return true
		}
		if seen == 0 {
			break
		}
	}
	a.full.Store(s.now().Add(fullFor).UnixNano())
	return false
}

// added counts the rows of account_counts that claims have made, and adds them up now and
// then.
func (s *Store) addedAccounts() {
	if s.accounts.added.Add(1) < countsKept {
		return
	}
	if err := s.addUp(context.Background()); err != nil {
		s.log.Warn("accounts can't be counted", "err", err)
	}
}
