package postgres

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"fairfactor"
)

// Bounds of trying a group again. One that others are in the way of (a deadlock,
// a serialization failure) is tried often, at once; one that nobody answers for
// as long as a restart of the server takes with luck.
const (
	maxAborts   = 20
	unreachable = 2 * time.Second
)

// Apply implements [fairfactor.Store].
func (s *Store) Apply(ctx context.Context, changes []fairfactor.Change) ([]error, error) {
	if err := live(ctx); err != nil {
		return nil, err
	}
	if len(changes) == 0 {
		return nil, nil
	}
	var l *lane
	select {
	case l = <-s.lanes:
	case <-ctx.Done():
		return nil, live(ctx)
	}
	defer func() { s.lanes <- l }()
	began, aborts := time.Now(), 0
	for wait := backoff(0); ; wait = wait.next() {
		errs, err := s.try(ctx, l, changes)
		switch {
		case err == nil:
			return errs, nil
		case aborted(err) && aborts < maxAborts:
			aborts++
		case gone(err) && time.Since(began) < unreachable:
		default:
			return nil, failure(ctx, err, "to store changes")
		}
		if ctx.Err() != nil || !wait.pause(s.closing) {
			return nil, failure(ctx, err, "to store changes")
		}
	}
}

// try makes a group durable, or says why not. When it fails, nothing was written,
// unless a commit was on its way and the store was closed before its outcome could
// be found out.
func (s *Store) try(ctx context.Context, l *lane, changes []fairfactor.Change) ([]error, error) {
	errs, err := s.attempt(ctx, l, changes)
	var unknown *unanswered
	if !errors.As(err, &unknown) {
		return errs, err
	}
	s.log.Warn("the answer to a commit did not come, looking whether it took place", "changes", len(changes), "err", unknown.err)
	done, e := s.committed(l)
	if e != nil || !done {
		return nil, errors.Join(unknown.err, e)
	}
	return errs, nil
}

// unanswered is the error of a commit that may have taken place.
type unanswered struct{ err error }

func (u *unanswered) Error() string { return u.err.Error() }

// attempt is one transaction of two trips: one locks what the group concerns and
// learns how it stands, one writes and commits. The errors of the changes are good
// if the second trip is or turns out to be.
func (s *Store) attempt(ctx context.Context, l *lane, changes []fairfactor.Change) ([]error, error) {
	acquiring, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	c, err := s.writes.Acquire(acquiring)
	if err != nil {
		return nil, err
	}
	defer release(c)
	stage := staging{stored: map[place]stored{}}
	accounts, err := s.learn(ctx, c.Conn(), l, &stage, changes)
	if err != nil {
		return nil, err
	}
	stage.begin(accounts)
	errs := stage.run(changes)
	for len(stage.missing) > 0 {
		if err := s.look(ctx, c.Conn(), &stage); err != nil {
			return nil, err
		}
		stage.begin(accounts)
		errs = stage.run(changes)
	}
	l.grp++
	b := &pgx.Batch{}
	stage.write(b, l)
	if b.Len() == 0 {
		return errs, nil // there is nothing to commit
	}
	b.Queue("COMMIT")
	// From here on ctx ends nothing: a commit that is on its way can't be recalled.
	if err = send(context.WithoutCancel(ctx), c.Conn(), b); err != nil && !refused(err) {
		err = &unanswered{err}
	}
	return errs, err
}

// send sends a batch and waits for all answers.
func send(ctx context.Context, c *pgx.Conn, b *pgx.Batch) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	results := c.SendBatch(ctx, b)
	for range b.Len() {
		if _, err := results.Exec(); err != nil {
			results.Close()
			return err
		}
	}
	return results.Close()
}

// release gives a connection back, without a transaction.
func release(c *pgxpool.Conn) {
	if conn := c.Conn(); !conn.IsClosed() && conn.PgConn().TxStatus() != 'I' {
		ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
		defer cancel()
		_, _ = conn.Exec(ctx, "ROLLBACK") // if that fails the pool drops the connection
	}
	c.Release()
}

// committed finds out whether the last group of a lane was committed. The
// transaction has locked the lane's row since its first trip, so the row can be
// locked again only when it has ended one way or the other; if its node is gone
// for the server too, that is after idleTimeout at the latest. It asks until it is
// answered, because nobody could do anything with a "perhaps".
func (s *Store) committed(l *lane) (bool, error) {
	for wait := backoff(0); ; wait = wait.next() {
		done, err := s.askCommitted(l)
		if err == nil {
			s.log.Info("the outcome of a commit is known", "committed", done)
			return done, nil
		}
		s.log.Warn("the outcome of a commit is still not known", "err", err)
		if !wait.pause(s.closing) {
			return false, err
		}
	}
}

func (s *Store) askCommitted(l *lane) (bool, error) {
	ctx, cancel := context.WithTimeout(context.Background(), writeTimeout+connectTimeout)
	defer cancel()
	var grp int64
	err := s.writes.QueryRow(ctx, lockLane+" RETURNING grp", l.id).Scan(&grp)
	return err == nil && grp == l.grp, err
}

// lockLane locks the row of a lane, or makes it, and waits for the end of whoever
// has it locked or is making it; a row that is being made could not be selected.
const lockLane = `INSERT INTO fairfactor.writers (id, grp, place, touched) VALUES ($1, 0, 0, now())
	ON CONFLICT (id) DO UPDATE SET touched = excluded.touched`

// learn begins the transaction, locks the lane's row and those of the callers
// concerned, these in the order of their numbers, and reads the accounts and the
// jobs that are to change.
func (s *Store) learn(ctx context.Context, c *pgx.Conn, l *lane, stage *staging, changes []fairfactor.Change) (accounts []account, err error) {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	var numbers, callers, orders []int64
	for i := range changes {
		ch := &changes[i]
		if ch.Number == 0 || ch.Number > maxNumber {
			continue // of nobody
		}
		numbers = append(numbers, int64(ch.Number))
		if (ch.Op == fairfactor.Finish || ch.Op == fairfactor.Checkpoint) && ch.Job != nil && ch.Job.Order <= maxNumber {
			callers = append(callers, int64(ch.Number))
			orders = append(orders, int64(ch.Job.Order))
		}
	}
	slices.Sort(numbers)
	numbers = slices.Compact(numbers)
	b := &pgx.Batch{}
	b.Queue("BEGIN ISOLATION LEVEL READ COMMITTED")
	b.Queue(lockLane, l.id)
	b.Queue("SELECT nextval('fairfactor.group_numbers')").QueryRow(func(row pgx.Row) error { return row.Scan(&stage.group) })
	b.Queue(`SELECT number, name, epoch, last, weight, queued, completed, failed, cancelled, cpu, turns
		FROM fairfactor.callers WHERE number = ANY($1::bigint[]) ORDER BY number FOR UPDATE`, numbers).Query(func(rows pgx.Rows) error {
		accounts, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (a account, err error) {
			err = row.Scan(&a.number, &a.name, &a.epoch, &a.last, &a.weight, &a.queued, &a.completed, &a.failed, &a.cancelled, &a.cpu, &a.turns)
			return a, err
		})
		return err
	})
	if len(callers) > 0 {
		b.Queue(`SELECT q.caller, q.seq, q.ord, q.nonce, q.accepted, q.cpu, q.turns
			FROM unnest($1::bigint[], $2::bigint[]) AS u (caller, ord)
			JOIN fairfactor.queue AS q ON q.caller = u.caller AND q.ord = u.ord`, callers, orders).Query(stage.queued)
	}
	return accounts, c.SendBatch(ctx, b).Close()
}

// queued puts rows of the queue in.
func (s *staging) queued(rows pgx.Rows) error {
	var p place
	was := stored{home: inQueue, state: fairfactor.Pending}
	_, err := pgx.ForEachRow(rows, []any{&p.caller, &p.seq, &was.ord, &was.nonce, &was.accepted, &was.cpu, &was.turns}, func() error {
		s.stored[p] = was
		return nil
	})
	return err
}

// ended puts rows of finished jobs in.
func (s *staging) ended(rows pgx.Rows) error {
	var p place
	var state int16
	was := stored{home: inJobs}
	_, err := pgx.ForEachRow(rows, []any{&p.caller, &p.seq, &was.ord, &was.nonce, &was.accepted, &was.cpu, &was.turns, &state}, func() error {
		was.state = fairfactor.State(state)
		s.stored[p] = was
		return nil
	})
	return err
}

// look looks for the jobs that are missing wherever they may be.
func (s *Store) look(ctx context.Context, c *pgx.Conn, stage *staging) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	var callers, seqs []int64
	for _, p := range stage.missing {
		if _, known := stage.stored[p]; !known {
			stage.stored[p] = stored{}
			callers, seqs = append(callers, int64(p.caller)), append(seqs, int64(p.seq))
		}
	}
	b := &pgx.Batch{}
	b.Queue(`SELECT q.caller, q.seq, q.ord, q.nonce, q.accepted, q.cpu, q.turns
		FROM unnest($1::bigint[], $2::bigint[]) AS u (caller, seq)
		JOIN fairfactor.queue AS q ON q.caller = u.caller AND q.ord = u.seq AND q.ord = q.seq
		UNION ALL
		SELECT q.caller, q.seq, q.ord, q.nonce, q.accepted, q.cpu, q.turns
		FROM unnest($1::bigint[], $2::bigint[]) AS u (caller, seq)
		JOIN fairfactor.queue AS q ON q.caller = u.caller AND q.seq = u.seq AND q.ord <> q.seq`, callers, seqs).Query(stage.queued)
	// Locked, because one that failed may be queued again, and [Store.Expire] may
	// be about to delete it.
	b.Queue(`SELECT j.caller, j.seq, j.ord, j.nonce, j.accepted, j.cpu, j.turns, j.state
		FROM unnest($1::bigint[], $2::bigint[]) AS u (caller, seq)
		JOIN fairfactor.jobs AS j ON j.caller = u.caller AND j.seq = u.seq FOR UPDATE OF j`, callers, seqs).Query(stage.ended)
	return c.SendBatch(ctx, b).Close()
}
