package postgres

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"fairfactor"
)

// A cursor names the last job of the page before: of one caller's jobs by its
// sequence number, of everybody's by its time of submission, in microseconds, and its
// place in the order of acceptance.
const (
	cursorOfOne = "s%d"
	cursorOfAll = "a%d.%d"
)

// pageRows is how many of a caller's jobs are looked at together for those that completed,
// which have no index of their own, being nearly all, and for a number.
const pageRows = 10_000

// List implements [fairfactor.Store]. All callers' jobs are in the order of their
// times of submission, by the clocks of the nodes that accepted them.
func (s *Store) List(ctx context.Context, q fairfactor.Query) (page fairfactor.Page, err error) {
	if err := live(ctx); err != nil {
		return page, err
	}
	if q.Limit < 1 || q.Limit > fairfactor.MaxPage {
		return page, fairfactor.Errorf(fairfactor.Invalid, "limit is %d: it must be between 1 and %d", q.Limit, fairfactor.MaxPage)
	}
	l := listing{query: q}
	if err := l.parse(); err != nil {
		return page, err
	}
	if !l.query.Narrow() || q.Caller != "" && !storable(q.Caller) || !storable(q.Number) {
		return page, nil
	}
	err = s.retry(ctx, "to list jobs", func(ctx context.Context) (err error) {
		if page, err = s.listNow(ctx, l); err == nil {
			err = s.complete(ctx, pointers(page.Jobs))
		}
		return err
	})
	return page, err
}

// listing is a query and how far it is.
type listing struct {
	query    fairfactor.Query
	number   int64 // of the caller
	below    int64 // sequence number
	above    int64 // likewise; jobs down to there may be in the time that is asked for
	begun    bool  // submitted and accepted are those of the last job that was listed
	micros   int64
	accepted int64
	walk     bool // a number is looked for among a caller's jobs, not the caller among the number's
}

// parse reads the cursor.
func (l *listing) parse() (err error) {
	cursor, again := l.query.Cursor, ""
	switch l.below = maxNumber + 1; {
	case cursor == "":
		return nil
	case l.query.Caller != "":
		_, err = fmt.Sscanf(cursor, cursorOfOne, &l.below)
		again = fmt.Sprintf(cursorOfOne, l.below)
	default:
		_, err = fmt.Sscanf(cursor, cursorOfAll, &l.micros, &l.accepted)
		l.begun, again = true, fmt.Sprintf(cursorOfAll, l.micros, l.accepted)
	}
	if err != nil || cursor != again || l.below < 0 {
		return fairfactor.BadCursor(cursor)
	}
	return nil
}

// cursor returns the one behind a job.
func (l *listing) cursor(r *jobRow) string {
	if l.query.Caller != "" {
		return fmt.Sprintf(cursorOfOne, r.seq)
	}
	return fmt.Sprintf(cursorOfAll, r.submitted.UnixMicro(), r.accepted)
}

// listNow reads one page. A remembered number under which a caller has no jobs may be
// that of an account which was forgotten.
func (s *Store) listNow(ctx context.Context, l listing) (page fairfactor.Page, err error) {
	was, remembered := s.names.number(l.query.Caller)
	page, err = s.list(ctx, l)
	if err != nil || len(page.Jobs) > 0 || !remembered {
		return page, err
	}
	s.names.drop(l.query.Caller)
	number, ok, err := s.numberOf(ctx, l.query.Caller)
	if err != nil || !ok || number == was {
		return page, err
	}
	return s.list(ctx, l)
}

// list reads one page.
func (s *Store) list(ctx context.Context, l listing) (page fairfactor.Page, err error) {
	if l.query.Caller != "" {
		if ok, err := s.bound(ctx, &l); err != nil || !ok {
			return page, err
		}
		if l.query.Number != "" {
			return s.listNumberOf(ctx, l)
		}
	}
	for len(page.Jobs) == 0 {
		floor := int64(-1) // jobs down to here are looked at
		if l.sparse() {
			if floor, err = s.floor(ctx, &l); err != nil {
				return page, err
			}
		}
		if page, err = s.listPart(ctx, &l, max(floor, l.above)); err != nil || floor <= l.above {
			return page, err
		}
		if page.Next == "" {
			page.Next = fmt.Sprintf(cursorOfOne, floor)
		}
		l.below = floor
	}
	return page, nil
}

// listNumberOf reads a page of one caller's jobs for a number. If many of its jobs are for
// that, some are among those that come next; if none is, there are few, or many callers have
// the number and this one does not.
func (s *Store) listNumberOf(ctx context.Context, l listing) (page fairfactor.Page, err error) {
	l.walk = true
	floor, err := s.floor(ctx, &l)
	if err != nil {
		return page, err
	}
	page, err = s.listPart(ctx, &l, max(floor, l.above))
	switch {
	case err != nil || floor <= l.above:
		return page, err
	case len(page.Jobs) > 0:
		if page.Next == "" {
			page.Next = fmt.Sprintf(cursorOfOne, floor)
		}
		return page, nil
	}
	l.walk, l.below = false, floor
	return s.listPart(ctx, &l, l.above)
}

// bound finds the number of the caller, and where its jobs of the time that is asked
// for begin and end. It returns false if there are none.
func (s *Store) bound(ctx context.Context, l *listing) (ok bool, err error) {
	if l.number, ok, err = s.numberOf(ctx, l.query.Caller); err != nil || !ok {
		return false, err
	}
	if since := l.query.Since; err == nil && !since.IsZero() {
		err = s.reads.QueryRow(ctx, firstSince, l.number, kept(since).Add(-apart)).Scan(&l.above)
	}
	if until := l.query.Until; err == nil && !until.IsZero() {
		var end int64
		err = s.reads.QueryRow(ctx, firstSince, l.number, kept(until).Add(apart)).Scan(&end)
		l.below = min(l.below, end)
	}
	return true, err
}

// apart is how far the clocks of nodes may be apart: jobs that are further from their
// place in the order of a caller's may be missed by a search for a time.
const apart = time.Minute

// firstSince searches a sequence number of a caller from which on all jobs were
// submitted at a time or later, below one that is above all of them. The parameters are the
// number of the caller and the time. In each step the job next to the middle is looked at.
const firstSince = `
	WITH RECURSIVE b (low, high) AS (
		SELECT 0::bigint, 1 + greatest(
			(SELECT j.seq FROM fairfactor.jobs AS j WHERE j.caller = $1 ORDER BY j.seq DESC LIMIT 1),
			(SELECT q.ord FROM fairfactor.queue AS q WHERE q.caller = $1 ORDER BY q.ord DESC LIMIT 1), 0)
		UNION ALL
		SELECT CASE WHEN p.submitted < $2 THEN p.seq ELSE b.low END, CASE WHEN p.submitted < $2 THEN b.high ELSE (b.low + b.high) / 2 END
		FROM b LEFT JOIN LATERAL (
			SELECT o.seq, o.submitted FROM (
				(SELECT j.seq, j.submitted FROM fairfactor.jobs AS j WHERE j.caller = $1 AND j.seq >= (b.low + b.high) / 2 ORDER BY j.seq LIMIT 1)
				UNION ALL
				(SELECT q.ord, q.submitted FROM fairfactor.queue AS q WHERE q.caller = $1 AND q.ord >= (b.low + b.high) / 2 AND q.ord = q.seq ORDER BY q.ord LIMIT 1)
				UNION ALL
				(SELECT q.seq, q.submitted FROM fairfactor.queue AS q WHERE q.caller = $1 AND q.seq >= (b.low + b.high) / 2 AND q.ord <> q.seq ORDER BY q.seq LIMIT 1)
			) AS o ORDER BY o.seq LIMIT 1
		) AS p ON true
		WHERE b.low + 1 < b.high
	)
	SELECT max(low) + 1 FROM b`

// sparse is whether jobs are wanted that have to be looked for among others.
func (l *listing) sparse() bool {
	states := l.query.States
	return l.query.Caller != "" && l.query.Number == "" && states.Has(fairfactor.Completed) && !(states.Has(fairfactor.Failed) && states.Has(fairfactor.Cancelled))
}

// listPart reads a page as far as a caller's sequence numbers from floor on.
func (s *Store) listPart(ctx context.Context, l *listing, floor int64) (page fairfactor.Page, err error) {
	text, args := l.sql(floor)
	rows, err := s.reads.Query(ctx, text, args...)
	if err != nil {
		return page, err
	}
	last, more := "", false
	var r jobRow
	_, err = pgx.ForEachRow(rows, r.fields(), func() error {
		if len(page.Jobs) == l.query.Limit {
			more = true
			return nil
		}
		j, err := r.job("")
		page.Jobs, last = append(page.Jobs, j), l.cursor(&r)
		return err
	})
	if err != nil {
		return fairfactor.Page{}, err
	}
	if more {
		page.Next = last
	}
	return page, nil
}

// floor returns the place of the last of the jobs that are looked at together, -1 if that
// gets to the end: finished ones, and those in the queue if these are walked over too.
func (s *Store) floor(ctx context.Context, l *listing) (floor int64, err error) {
	err = s.reads.QueryRow(ctx, `SELECT greatest(
			coalesce((SELECT seq FROM fairfactor.jobs WHERE caller = $1 AND seq < $2 ORDER BY seq DESC OFFSET $3 LIMIT 1), -1),
			CASE WHEN $4 THEN coalesce((SELECT ord FROM fairfactor.queue WHERE caller = $1 AND ord < $2 ORDER BY ord DESC OFFSET $3 LIMIT 1), -1) ELSE -1 END)`,
		l.number, l.below, pageRows-1, l.walk).Scan(&floor)
	return floor, err
}

// statement is an SQL text that is put together, with its parameters.
type statement struct {
	parts []string
	args  []any
}

// with returns the name of a new parameter.
func (b *statement) with(value any) string {
	b.args = append(b.args, value)
	return "$" + strconv.Itoa(len(b.args))
}

// sql returns the statement: one part for each place where such jobs are, all in
// the same order. The first rows of all are taken.
func (l *listing) sql(floor int64) (string, []any) {
	b := &statement{}
	limit, order := b.with(l.query.Limit+1), "submitted DESC, accepted DESC"
	if l.query.Caller != "" {
		order = "seq DESC"
	}
	filters := l.filters(b)
	hash, number := "", ""
	if l.query.Number != "" {
		number = b.with(l.query.Number)
		hash = "hashtext(number) = hashtext(" + number + ")"
	}
	part := func(columns, from, where, column, order string) {
		from = "fairfactor." + from
		switch {
		case hash == "":
		case l.query.Caller == "": // the index of numbers has this order, and no other one
			order = "submitted DESC NULLS LAST, accepted DESC NULLS LAST"
			where += " AND " + hash + " AND number = " + number
		case l.walk:
			where += " AND number = " + number
		default: // OFFSET keeps the planner from the index that has the order
			from = "(SELECT * FROM " + from + " WHERE " + hash + " OFFSET 0) AS n"
			where += " AND number = " + number
		}
		if l.query.Caller != "" {
			where += fmt.Sprintf(" AND %[1]s < %[2]s AND %[1]s >= %[3]s", column, b.with(l.below), b.with(floor))
		}
		b.parts = append(b.parts, "(SELECT "+columns+" FROM "+from+" WHERE "+where+filters+" ORDER BY "+order+" LIMIT "+limit+")")
	}
	states := l.query.States
	if l.query.Caller != "" && states.Has(fairfactor.Completed) && states.Has(fairfactor.Failed) && states.Has(fairfactor.Cancelled) {
		part(jobColumns, "jobs", "true", "seq", order)
	} else {
		for state := fairfactor.Completed; state <= fairfactor.Cancelled; state++ {
			switch {
			case l.query.Quarantined && state == fairfactor.Failed:
				part(jobColumns, "jobs", "state = 4 AND deaths <> ''", "seq", order)
			case states.Has(state):
				part(jobColumns, "jobs", fmt.Sprintf("state = %d", state), "seq", order)
			}
		}
	}
	if states.Has(fairfactor.Pending) {
		if l.query.Caller == "" {
			part(queueColumns, "queue", "true", "seq", order)
		} else {
			part(queueColumns, "queue", "ord = seq", "ord", "ord DESC")
			part(queueColumns, "queue", "ord <> seq", "seq", "seq DESC")
		}
	}
	return fmt.Sprintf(`SELECT %s FROM (%s) AS r ORDER BY %s LIMIT %s`,
		jobColumns, strings.Join(b.parts, " UNION ALL "), order, limit), b.args
}

// filters returns the conditions that hold for all parts, each behind AND.
func (l *listing) filters(b *statement) (text string) {
	if l.query.Caller != "" {
		text += " AND caller = " + b.with(l.number)
	}
	if since := l.query.Since; !since.IsZero() {
		if kept(since).Before(since) { // between two microseconds
			since = kept(since).Add(time.Microsecond)
		}
		text += " AND submitted >= " + b.with(kept(since))
	}
	if until := l.query.Until; !until.IsZero() {
		if kept(until).Before(until) {
			until = kept(until).Add(time.Microsecond)
		}
		text += " AND submitted < " + b.with(kept(until))
	}
	if l.begun {
		text += " AND (submitted, accepted) < (" + b.with(time.UnixMicro(l.micros).UTC()) + "::timestamptz, " + b.with(l.accepted) + "::bigint)"
	}
	return text
}
