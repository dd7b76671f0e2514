package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"fairfactor"
	"fairfactor/store/rules"
)

// Bounds of trying a group again. One that others are in the way of (a deadlock,
// a serialization failure) is tried often, at once; one that is not answered, for
// as long as a restart of the server takes with luck.
const (
	maxAborts   = 20
	unreachable = 2 * time.Second
)

// Apply implements [fairfactor.Store]. Two groups can be under way at once, if
// [Options.Connections] leaves two connections to write; groups without a caller
// in common do not wait for each other.
func (s *Store) Apply(ctx context.Context, changes []fairfactor.Change) ([]error, error) {
	if err := live(ctx); err != nil {
		return nil, err
	}
	if len(changes) == 0 {
		return nil, nil
	}
	var l *lane
	select {
	case l = <-s.idle:
	case <-ctx.Done():
		return nil, live(ctx)
	}
	defer func() { s.idle <- l }()
	began, aborts := time.Now(), 0
	for wait := backoff(0); ; wait = wait.next() {
		errs, err := s.try(ctx, l, changes)
		switch {
		case err == nil:
			s.tell()
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

// attempt is one transaction. Most groups need one trip: their changes suit what
// is stored, and the statements make sure of it. If they do not, a second
// transaction of two trips finds out what is stored and which changes are refused.
func (s *Store) attempt(ctx context.Context, l *lane, changes []fairfactor.Change) ([]error, error) {
	acquiring, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	c, err := s.writes.Acquire(acquiring)
	if err != nil {
		return nil, err
	}
	defer release(c)
	if err := s.ready(ctx, c.Conn(), l); err != nil {
		return nil, err
	}
	if stage, ok := assume(changes); ok {
		stage.since = s.history.since.Load()
		if stage.run(changes) == nil {
			err := s.write(ctx, c.Conn(), l, stage)
			if !unsuited(err) {
				return nil, err
			}
		}
	}
	return s.decide(ctx, c.Conn(), l, changes)
}

// unsuited says that the statements of a group found something else stored than
// what it stands on; nothing was written.
func unsuited(err error) bool { return pgCode(err) == codeNotNumber }

// decide is a transaction of two trips: one locks what the group concerns and
// learns how it stands, one writes and commits. The errors of the changes are good
// if the second trip is or turns out to be.
func (s *Store) decide(ctx context.Context, c *pgx.Conn, l *lane, changes []fairfactor.Change) ([]error, error) {
	stage := &staging{stored: map[jobKey]stored{}}
	accounts, err := s.learn(ctx, c, l, stage, changes)
	if err != nil {
		return nil, err
	}
	stage.since = s.history.since.Load()
	stage.begin(accounts)
	errs := stage.run(changes)
	for len(stage.missing) > 0 {
		if err := s.look(ctx, c, stage); err != nil {
			return nil, err
		}
		stage.begin(accounts)
		errs = stage.run(changes)
	}
	if !slices.ContainsFunc(changes, func(ch fairfactor.Change) bool { a := stage.accounts[ch.Number]; return a != nil && a.changed }) {
		return errs, nil // there is nothing to commit
	}
	return errs, s.write(ctx, c, l, stage)
}

// write writes a group and commits. From here on ctx ends nothing: a commit that
// is on its way can't be recalled. Its error is unanswered if it may have taken
// place all the same.
func (s *Store) write(ctx context.Context, c *pgx.Conn, l *lane, stage *staging) error {
	l.next++
	b := &pgx.Batch{}
	age := s.history.age.Load()
	ids, groups := s.witnesses()
	stage.open(b, l, ids, groups, &s.places)
	stage.write(b, s.now())
	if !stage.assumed {
		b.Queue("COMMIT") // what was sent in one trip is one transaction anyway
	}
	var numbers []int64
	var at []string
	err := send(context.WithoutCancel(ctx), c, b, func(r pgx.BatchResults) error {
		var group int64
		return r.QueryRow().Scan(&group, &numbers, &at)
	})
	switch {
	case err == nil:
		s.places.set(numbers, at)
		l.groups++
		if stage.owes() {
			s.owe()
		}
		l.acked.Store(l.next)
		l.age.Store(age)
		return nil
	case refused(err), pgconn.SafeToRetry(err):
		return err
	}
	return &unanswered{err}
}

// send sends a batch and waits for all answers; it hands the first to first.
func send(ctx context.Context, c *pgx.Conn, b *pgx.Batch, first func(pgx.BatchResults) error) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	results := c.SendBatch(ctx, b)
	if err := first(results); err != nil {
		results.Close()
		return err
	}
	for range b.Len() - 1 {
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

// learn begins the transaction, locks the lane's row and those of the callers
// concerned, these in the order of their numbers, and reads the accounts and the
// jobs that are to change.
func (s *Store) learn(ctx context.Context, c *pgx.Conn, l *lane, stage *staging, changes []fairfactor.Change) (accounts []rules.Account, err error) {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	var numbers, callers, orders []int64
	for i := range changes {
		ch := &changes[i]
		if ch.Number == 0 || ch.Number > maxNumber {
			continue // of no caller
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
	var group, agree int64
	var found bool
	l.queueLast(b, &group, &found)
	age := s.history.age.Load()
	ids, groups := s.witnesses()
	b.Queue("SELECT "+countWitnesses, ids, groups).QueryRow(func(row pgx.Row) error { return row.Scan(&agree) })
	b.Queue(`SELECT number, name, caller_group, epoch, last, weight, paused, placed, bounds, known, queued, completed, failed, cancelled, cpu, turns
		FROM fairfactor.callers WHERE number = ANY($1::bigint[]) ORDER BY number FOR UPDATE`, numbers).Query(func(rows pgx.Rows) error {
		accounts, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (a rules.Account, err error) {
			var bounds []int64
			err = row.Scan(&a.Number, &a.Name, &a.Group, &a.Epoch, &a.Last, &a.Weight, &a.Paused, &a.Placed, &bounds, &a.Known, &a.Queued, &a.Completed, &a.Failed, &a.Cancelled, &a.CPU, &a.Turns)
			a.Bounds = boundsIn(bounds)
			return a, err
		})
		return err
	})
	if len(callers) > 0 {
		b.Queue(`SELECT q.caller, q.seq, q.ord, q.nonce, q.accepted, q.cpu, q.turns, q.saved
			FROM unnest($1::bigint[], $2::bigint[]) AS u (caller, ord)
			CROSS JOIN LATERAL (SELECT * FROM fairfactor.queue AS x WHERE x.caller = u.caller AND x.ord = u.ord OFFSET 0) AS q`, callers, orders).Query(stage.queued)
	}
	if err := c.SendBatch(ctx, b).Close(); err != nil {
		return nil, err
	}
	if !found || group != l.acked.Load() || agree < int64(len(ids)) {
		if agree == int64(len(ids)) {
			age = l.age.Load() // before another lane noticed it, if one has
		}
		s.wentBack(age)
		s.adopt(l, group, found)
		if !found {
			return nil, errNoLane // the row has to be made first
		}
	}
	return accounts, nil
}

// errNoLane ends a transaction whose lane has lost its row.
var errNoLane = fmt.Errorf("the row of a writer is gone: %w", &pgconn.PgError{Severity: "ERROR", SeverityUnlocalized: "ERROR", Code: codeSerialization})

// queued puts rows of the queue in.
func (s *staging) queued(rows pgx.Rows) error {
	var p jobKey
	was := stored{Job: rules.Job{State: fairfactor.Pending}}
	_, err := pgx.ForEachRow(rows, []any{&p.caller, &p.seq, &was.Order, &was.Nonce, &was.accepted, &was.CPU, &was.Turns, &was.Saved}, func() error {
		was.Seq = p.seq
		s.stored[p] = was
		return nil
	})
	return err
}

// ended puts rows of finished jobs in.
func (s *staging) ended(rows pgx.Rows) error {
	var p jobKey
	var state int16
	var was stored
	_, err := pgx.ForEachRow(rows, []any{&p.caller, &p.seq, &was.Order, &was.Nonce, &was.accepted, &was.CPU, &was.Turns, &state}, func() error {
		was.Seq, was.State = p.seq, fairfactor.State(state)
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
	b.Queue(`SELECT q.caller, q.seq, q.ord, q.nonce, q.accepted, q.cpu, q.turns, q.saved
		FROM unnest($1::bigint[], $2::bigint[]) AS u (caller, seq)
		CROSS JOIN LATERAL (SELECT * FROM fairfactor.queue AS x WHERE x.caller = u.caller AND x.ord = u.seq AND x.ord = x.seq OFFSET 0) AS q
		UNION ALL
		SELECT q.caller, q.seq, q.ord, q.nonce, q.accepted, q.cpu, q.turns, q.saved
		FROM unnest($1::bigint[], $2::bigint[]) AS u (caller, seq)
		CROSS JOIN LATERAL (SELECT * FROM fairfactor.queue AS x WHERE x.caller = u.caller AND x.seq = u.seq AND x.ord <> x.seq OFFSET 0) AS q`, callers, seqs).Query(stage.queued)
	// Locked, because one that failed may be queued again, and [Store.Expire] may
	// be about to delete it.
	b.Queue(`SELECT j.caller, j.seq, j.ord, j.nonce, j.accepted, j.cpu, j.turns, j.state
		FROM unnest($1::bigint[], $2::bigint[]) AS u (caller, seq)
		CROSS JOIN LATERAL (SELECT * FROM fairfactor.jobs AS x WHERE x.caller = u.caller AND x.seq = u.seq OFFSET 0 FOR UPDATE) AS j`, callers, seqs).Query(stage.ended)
	return c.SendBatch(ctx, b).Close()
}
