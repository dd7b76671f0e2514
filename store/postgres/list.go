package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"fairfactor"
)

// A cursor names the last job of the page before: of one caller's jobs by its
// sequence number, of everybody's by its place in the order of acceptance.
const (
	cursorOfOne = "s"
	cursorOfAll = "a"
)

// pageRows is how many finished jobs a page of completed ones looks at: they have
// no index of their own, being nearly all. A page may be short for it.
const pageRows = 10_000

// List implements [fairfactor.Store].
func (s *Store) List(ctx context.Context, q fairfactor.Query) (page fairfactor.Page, err error) {
	if err := live(ctx); err != nil {
		return page, err
	}
	if q.Limit < 1 || q.Limit > fairfactor.MaxPage {
		return page, fairfactor.Errorf(fairfactor.Invalid, "limit is %d: it must be between 1 and %d", q.Limit, fairfactor.MaxPage)
	}
	l := listing{query: q, column: "accepted", kind: cursorOfAll}
	if q.Caller != "" {
		l.column, l.kind = "seq", cursorOfOne
	}
	if l.below, err = l.parse(q.Cursor); err != nil {
		return page, err
	}
	if q.State == fairfactor.Running || q.Caller != "" && !storable(q.Caller) {
		return page, nil
	}
	err = s.retry(ctx, "to list jobs", func(ctx context.Context) (err error) {
		page, err = s.list(ctx, l)
		return err
	})
	return page, err
}

// listing is a query with what its SQL is made of.
type listing struct {
	query  fairfactor.Query
	column string // by which jobs are ordered, descending
	kind   string // of cursor
	below  int64
	number int64 // of the caller
}

const endOfAll = 1<<63 - 1

// parse returns the place under which a cursor goes on.
func (l *listing) parse(cursor string) (int64, error) {
	if cursor == "" {
		return endOfAll, nil
	}
	digits, ours := strings.CutPrefix(cursor, l.kind)
	n, err := strconv.ParseInt(digits, 10, 64)
	if !ours || err != nil || n < 0 || cursor != l.cursor(n) {
		return 0, fairfactor.Errorf(fairfactor.Invalid, "cursor %.40q is not one of ours", cursor)
	}
	return n, nil
}

func (l *listing) cursor(n int64) string { return l.kind + strconv.FormatInt(n, 10) }

// list reads one page.
func (s *Store) list(ctx context.Context, l listing) (page fairfactor.Page, err error) {
	if l.query.Caller != "" {
		err := s.reads.QueryRow(ctx, "SELECT number FROM fairfactor.callers WHERE name = $1", l.query.Caller).Scan(&l.number)
		if errors.Is(err, pgx.ErrNoRows) {
			return page, nil
		}
		if err != nil {
			return page, err
		}
	}
	floor := int64(-1) // jobs down to here are looked at
	if l.query.State == fairfactor.Completed {
		if floor, err = s.floor(ctx, l); err != nil {
			return page, err
		}
	}
	rows, err := s.reads.Query(ctx, l.sql(), l.number, l.below, l.query.Limit+1, floor)
	if err != nil {
		return page, err
	}
	var last int64
	more := false
	_, err = collect(rows, func(r *jobRow, caller string) error {
		if len(page.Jobs) == l.query.Limit {
			more = true
			return nil
		}
		j, err := r.job(caller)
		page.Jobs = append(page.Jobs, j)
		if last = r.accepted; l.query.Caller != "" {
			last = r.seq
		}
		return err
	})
	switch {
	case err != nil:
		return fairfactor.Page{}, err
	case more:
		page.Next = l.cursor(last)
	case floor >= 0:
		page.Next = l.cursor(floor)
	}
	return page, nil
}

// collect calls f for each row of jobs with the caller's name behind it.
func collect(rows pgx.Rows, f func(r *jobRow, caller string) error) (n int, err error) {
	var r jobRow
	var caller string
	_, err = pgx.ForEachRow(rows, append(r.fields(), &caller), func() error {
		n++
		return f(&r, caller)
	})
	return n, err
}

// floor returns the place of the last of the finished jobs that a page looks at,
// -1 if it gets to the end.
func (s *Store) floor(ctx context.Context, l listing) (floor int64, err error) {
	err = s.reads.QueryRow(ctx, fmt.Sprintf(
		"SELECT %[1]s FROM fairfactor.jobs WHERE %[2]s AND %[1]s < $2 ORDER BY %[1]s DESC OFFSET $3 LIMIT 1", l.column, l.owner()),
		l.number, l.below, pageRows-1).Scan(&floor)
	if errors.Is(err, pgx.ErrNoRows) {
		return -1, nil
	}
	return floor, err
}

// owner restricts jobs to those of the caller.
func (l *listing) owner() string {
	if l.query.Caller == "" {
		return "$1::bigint = 0"
	}
	return "caller = $1"
}

// sql returns the statement: one part for each place where such jobs are, all in
// the same order. The first rows of all are taken.
func (l *listing) sql() string {
	var parts []string
	part := func(columns, from, where, column string) {
		parts = append(parts, fmt.Sprintf("(SELECT %s FROM fairfactor.%s WHERE %s AND %s AND %[5]s < $2 AND %[5]s >= $4 ORDER BY %[5]s DESC LIMIT $3)",
			columns, from, l.owner(), where, column))
	}
	state := l.query.State
	if state == 0 || state.Final() {
		where := "true"
		if state != 0 {
			where = fmt.Sprintf("state = %d", state)
		}
		part(jobColumns, "jobs", where, l.column)
	}
	if state == 0 || state == fairfactor.Pending {
		if l.query.Caller == "" {
			part(queueColumns, "queue", "true", l.column)
		} else {
			part(queueColumns, "queue", "ord = seq", "ord")
			part(queueColumns, "queue", "ord <> seq", "seq")
		}
	}
	return fmt.Sprintf(`SELECT %s, (SELECT c.name FROM fairfactor.callers AS c WHERE c.number = r.caller) FROM (%s) AS r ORDER BY %s DESC LIMIT $3`,
		jobColumns, strings.Join(parts, " UNION ALL "), l.column)
}
