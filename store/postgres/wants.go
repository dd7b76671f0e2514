package postgres

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"fairfactor"
	"fairfactor/store/rules"
)

// wantsText writes what the submitter of a job wants besides its factors, and the curves
// that were run, empty for nothing: its trace, the deadline in microseconds since 1970, the
// curves, then the URL of the callback, as in
// t00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01, d1920000000000000, e50000:200 and
// chttps://example.com/ with a space between.
func wantsText(j *fairfactor.Job) string {
	if j.Deadline.IsZero() && j.Callback == nil && len(j.Curves) == 0 && j.Trace == nil {
		return ""
	}
	var wants []string
	if j.Trace != nil {
		wants = append(wants, "t"+j.Trace.String())
	}
	if !j.Deadline.IsZero() {
		wants = append(wants, "d"+strconv.FormatInt(j.Deadline.UnixMicro(), 10))
	}
	if len(j.Curves) > 0 {
		wants = append(wants, "e"+rules.CurvesText(j.Curves))
	}
	if j.Callback != nil {
		wants = append(wants, "c"+j.Callback.URL)
	}
	return strings.Join(wants, " ")
}

// readWants reads what wantsText wrote.
func readWants(text string, j *fairfactor.Job) error {
	for rest := text; rest != ""; {
		switch rest[0] {
		case 't':
			var text string
			text, rest, _ = strings.Cut(rest[1:], " ")
			trace, ok := fairfactor.ParseTrace([]byte(text))
			if !ok {
				return strconv.ErrSyntax
			}
			j.Trace = &trace
		case 'd':
			var digits string
			digits, rest, _ = strings.Cut(rest[1:], " ")
			us, err := strconv.ParseInt(digits, 10, 64)
			if err != nil {
				return err
			}
			j.Deadline = time.UnixMicro(us).UTC()
		case 'e':
			var curves string
			curves, rest, _ = strings.Cut(rest[1:], " ")
			var ok bool
			if j.Curves, ok = rules.ParseCurves(curves); !ok {
				return strconv.ErrSyntax
			}
		case 'c':
			j.Callback, rest = &fairfactor.Callback{URL: rest[1:]}, ""
		default:
			return strconv.ErrSyntax
		}
	}
	return nil
}

// dueBy notes what a change of a job does to its deadline.
func (j *staged) dueBy(ch *fairfactor.Change) {
	switch {
	case ch.Op == fairfactor.Accept || ch.Op == fairfactor.Requeue:
		j.due = ch.Job.Deadline
	case ch.Op == fairfactor.Finish && !j.due.IsZero():
		j.due = time.Time{}
	case ch.Op == fairfactor.Finish:
		j.past = ch.Job.Deadline
	}
}

// writeDeadlines has unfinished jobs found by their deadlines, and those that have
// ended no more.
func (s *staging) writeDeadlines(b *pgx.Batch) {
	var come, gone deadlineRows
	for _, j := range s.order {
		if !j.past.IsZero() {
			gone.add(j, j.past)
		}
		if !j.due.IsZero() {
			come.add(j, j.due)
		}
	}
	if len(gone.at) > 0 {
		b.Queue(`DELETE FROM fairfactor.deadlines AS d USING unnest($1::timestamptz[], $2::bigint[], $3::bigint[]) AS u (at, caller, seq)
			WHERE d.at = u.at AND d.caller = u.caller AND d.seq = u.seq`, gone.at, gone.caller, gone.seq)
	}
	if len(come.at) > 0 {
		b.Queue(`INSERT INTO fairfactor.deadlines (at, caller, seq, nonce)
			SELECT * FROM unnest($1::timestamptz[], $2::bigint[], $3::bigint[], $4::bigint[])`, come.at, come.caller, come.seq, come.nonce)
	}
}

// deadlineRows are rows of deadlines, column by column.
type deadlineRows struct {
	at                 []time.Time
	caller, seq, nonce []int64
}

func (r *deadlineRows) add(j *staged, at time.Time) {
	r.at = append(r.at, kept(at))
	r.caller, r.seq, r.nonce = append(r.caller, int64(j.caller)), append(r.seq, int64(j.seq)), append(r.nonce, int64(j.now.Nonce))
}

// Overdue implements [fairfactor.DeadlineStore].
func (s *Store) Overdue(ctx context.Context, before time.Time, after fairfactor.Overdue, limit int) (list []fairfactor.Overdue, err error) {
	if limit <= 0 {
		return nil, live(ctx)
	}
	err = s.retry(ctx, "to read deadlines", func(ctx context.Context) error {
		rows, err := s.reads.Query(ctx, `SELECT d.at, d.caller, d.seq, d.nonce
			FROM fairfactor.deadlines AS d WHERE (d.at, d.caller, d.seq) > ($1::timestamptz, $2::bigint, $3::bigint) AND d.at < $4::timestamptz
			ORDER BY d.at, d.caller, d.seq LIMIT $5`, kept(after.Deadline), int64(after.ID.Caller), int64(after.ID.Seq), kept(before), limit)
		if err != nil {
			return err
		}
		list, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (o fairfactor.Overdue, err error) {
			err = row.Scan(&o.Deadline, &o.ID.Caller, &o.ID.Seq, &o.ID.Nonce)
			o.Deadline = o.Deadline.UTC()
			return o, err
		})
		if err != nil {
			return err
		}
		numbers := make([]int64, len(list))
		for i := range list {
			numbers[i] = int64(list[i].ID.Caller)
		}
		names, err := s.namesOf(ctx, numbers)
		for i := range list {
			list[i].Caller = names[numbers[i]]
		}
		return err
	})
	return list, err
}
