package postgres

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5"

	"fairfactor"
	"fairfactor/store/journal"
)

// Each group of changes has a row in events, under the number of its transaction. A
// reader takes the rows below the oldest transaction that is still under way when it
// looks: all of those have ended, so no row comes to stand before them later, on
// whichever node it is written. What follows in time has a higher number, because a
// caller's next group begins when the one before it has ended.
//
// Transaction numbers are those of the whole server. When the oldest one does not end, the
// reader asks which of them write groups, and waits for no other: see [Store.horizon].
//
// The line of a position is the database's timeline: another server that has taken over
// may lack transactions that were read from the one before, and use their numbers again.

const (
	keptGroups  = 500_000 // rows of events: some 20 jobs each, under load
	trimGroups  = 8192    // after so many groups of this process the oldest rows are deleted: it counts all rows
	eventsLimit = 256     // rows in one question
)

// watched is what a store does for readers of events.
type watched struct {
	mu      sync.Mutex
	changed chan struct{} // guarded by mu: closed with the next group, nil if nothing waits for it

	groups   atomic.Int64 // that this process has written
	oldest   atomic.Int64 // transaction that the last reader found under way
	trimming atomic.Bool
	kept     int // rows, [keptGroups]
}

// tell wakes those that wait for a change, and sees to it that not too much is kept.
func (s *Store) tell() {
	w := &s.watched
	w.mu.Lock()
	changed := w.changed
	w.changed = nil
	w.mu.Unlock()
	if changed != nil {
		close(changed)
	}
	if w.groups.Add(1)%trimGroups == 0 && w.trimming.CompareAndSwap(false, true) {
		go s.trim()
	}
}

// Changed implements [fairfactor.Store].
func (s *Store) Changed() <-chan struct{} {
	w := &s.watched
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.changed == nil {
		w.changed = make(chan struct{})
	}
	return w.changed
}

// trim deletes the oldest rows of events.
func (s *Store) trim() {
	defer s.watched.trimming.Store(false)
	err := s.retry(context.Background(), "to delete old events", func(ctx context.Context) error {
		_, err := s.reads.Exec(ctx, `DELETE FROM fairfactor.events WHERE xact <=
			(SELECT x.xact FROM fairfactor.events AS x ORDER BY x.xact DESC OFFSET $1 LIMIT 1)`, s.watched.kept)
		return err
	})
	if err != nil && !s.closed.Load() {
		s.log.Warn("old events can't be deleted now", "err", err)
	}
}

// forgetFuture deletes events of transactions that this server has not begun: a dump
// that was restored has those of the server it was made on.
func forgetFuture(ctx context.Context, c *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	_, err := c.Exec(ctx, "DELETE FROM fairfactor.events WHERE xact >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
	return err
}

// writeEvents queues the row of a group.
func (s *staging) writeEvents(b *pgx.Batch) {
	if s.journal.Len() > 0 {
		b.Queue("INSERT INTO fairfactor.events (xact, entries) VALUES (pg_current_xact_id()::text::bigint, $1)", s.journal.Bytes())
	}
}

// askEvents says how far everything has ended and what is under way; readEvents reads rows
// that are final; firstEvents says which rows there are after that, so that none is
// missing unnoticed which was deleted meanwhile.
const (
	askEvents = `SELECT ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint,
		pg_snapshot_xmin(pg_current_snapshot())::text::bigint, pg_snapshot_xmax(pg_current_snapshot())::text::bigint`
	readEvents = `SELECT xact, entries FROM fairfactor.events
		WHERE xact >= $1 AND xact < pg_snapshot_xmin(pg_current_snapshot())::text::bigint ORDER BY xact LIMIT $2`
	readFinal   = `SELECT xact, entries FROM fairfactor.events WHERE xact >= $1 AND xact < $2 ORDER BY xact LIMIT $3`
	firstEvents = "SELECT coalesce((SELECT xact FROM fairfactor.events ORDER BY xact LIMIT 1), 0)"
)

// Events implements [fairfactor.Store].
func (s *Store) Events(ctx context.Context, after fairfactor.Position, limit int, wanted func(caller, seq uint64) bool) (page fairfactor.EventPage, err error) {
	err = s.retry(ctx, "to read events", func(ctx context.Context) (err error) {
		page, err = s.events(ctx, after, limit, wanted)
		return err
	})
	return page, err
}

// groupRow is a row of events.
type groupRow struct {
	xact    uint64
	entries []byte
}

func (s *Store) events(ctx context.Context, after fairfactor.Position, limit int, wanted func(caller, seq uint64) bool) (page fairfactor.EventPage, err error) {
	var line, ended, begun, oldest uint64
	var groups []groupRow
	b := &pgx.Batch{}
	b.Queue(askEvents).QueryRow(func(row pgx.Row) error { return row.Scan(&line, &ended, &begun) })
	reads := after != (fairfactor.Position{}) && after.Group <= maxXact
	take := func(rows pgx.Rows) error {
		groups, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (g groupRow, err error) {
			err = row.Scan(&g.xact, &g.entries)
			return g, err
		})
		return err
	}
	if reads {
		b.Queue(readEvents, int64(after.Group), eventsLimit).Query(take)
		b.Queue(firstEvents).QueryRow(func(row pgx.Row) error { return row.Scan(&oldest) })
	}
	if err := s.reads.SendBatch(ctx, b).Close(); err != nil {
		return page, err
	}
	if stuck := s.watched.oldest.Swap(int64(ended)) == int64(ended) && begun > ended; stuck && reads && len(groups) == 0 {
		if ended, err = s.horizon(ctx); err != nil {
			return page, err
		}
		b := &pgx.Batch{}
		b.Queue(readFinal, int64(after.Group), int64(ended), eventsLimit).Query(take)
		b.Queue(firstEvents).QueryRow(func(row pgx.Row) error { return row.Scan(&oldest) })
		if err := s.reads.SendBatch(ctx, b).Close(); err != nil {
			return page, err
		}
	}
	page.Next = fairfactor.Position{Line: line, Group: ended}
	page.Head = fairfactor.Position{Line: line, Group: begun}
	switch {
	case after == fairfactor.Position{}:
		return page, nil
	case after.Compare(page.Head) > 0:
		page.Gap = true // of another database
		return page, nil
	}
	// The oldest row may be gone though nothing before it is missing: then a gap is
	// suspected where nothing is missing, and that does no harm.
	page.Gap = after.Line != line || after.Group < oldest && s.trimmed(ctx)
	r := eventReader{page: &page, left: limit, wanted: wanted}
	r.read(after, groups)
	for _, xact := range r.damaged {
		s.report("events can't be read", xact, fairfactor.Errorf(fairfactor.Internal, "the database is damaged: the events of transaction %d", xact))
	}
	page.Gap = page.Gap || len(r.damaged) > 0
	return page, s.loadJobs(ctx, &page)
}

// horizon returns the number of the oldest transaction under way that writes a group, or
// one above those that have begun. Others, of another database or of who else uses this one,
// leave no row in events. A group is written by a transaction that has locked the table of
// writers before it has a number, and keeps that lock: so one of those that were under way in
// the first snapshot has the lock still, or has ended, and what reads after this sees its row.
func (s *Store) horizon(ctx context.Context) (horizon uint64, err error) {
	var under []int64
	var begun int64
	err = s.reads.QueryRow(ctx, `SELECT pg_snapshot_xmax(n)::text::bigint, ARRAY(SELECT pg_snapshot_xip(n)::text::bigint) FROM (SELECT pg_current_snapshot() AS n OFFSET 0) AS s`).Scan(&begun, &under)
	if err != nil {
		return 0, err
	}
	err = s.reads.QueryRow(ctx, `
		WITH held AS MATERIALIZED (SELECT * FROM pg_locks WHERE granted)
		SELECT coalesce(min(u.xact), $2) FROM unnest($1::bigint[]) AS u (xact)
		JOIN held AS t ON t.locktype = 'transactionid' AND t.mode = 'ExclusiveLock' AND t.transactionid::text::bigint = u.xact & 4294967295
		WHERE EXISTS (SELECT 1 FROM held AS h WHERE h.pid = t.pid AND h.locktype = 'relation' AND h.relation = 'fairfactor.writers'::regclass
			AND h.database = (SELECT oid FROM pg_database WHERE datname = current_database()))`, under, begun).Scan(&horizon)
	return horizon, err
}

// maxXact is the highest number of a transaction that a column takes.
const maxXact = 1<<63 - 1

// trimmed reports whether events before the oldest row were deleted: there are as many
// as are kept.
func (s *Store) trimmed(ctx context.Context) bool {
	var full bool
	err := s.reads.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM fairfactor.events ORDER BY xact DESC OFFSET $1 LIMIT 1)", s.watched.kept-1).Scan(&full)
	return err != nil || full
}

// eventReader collects one page of events, without their jobs.
type eventReader struct {
	page    *fairfactor.EventPage
	left    int // entries that may still be looked at
	wanted  func(caller, seq uint64) bool
	damaged []uint64 // transactions whose entries can't be read
}

// read takes in the rows from a position on.
func (r *eventReader) read(after fairfactor.Position, groups []groupRow) {
	line, next := r.page.Next.Line, r.page.Next
	if n := len(groups); n > 0 && (n == eventsLimit || groups[n-1].xact >= next.Group) {
		next.Group = groups[n-1].xact + 1
	}
	for _, g := range groups {
		skip := uint64(0)
		if g.xact == after.Group {
			skip = after.Index
		}
		full := false
		good := journal.Read(g.entries, func(i int, e journal.Entry) bool {
			if full = uint64(i) >= skip && r.left <= 0; full {
				next = fairfactor.Position{Line: line, Group: g.xact, Index: uint64(i)}
				return false
			}
			if uint64(i) >= skip {
				r.left--
				r.entry(e, fairfactor.Position{Line: line, Group: g.xact, Index: uint64(i) + 1})
			}
			return true
		})
		if !good {
			r.damaged = append(r.damaged, g.xact)
		}
		if full {
			break
		}
	}
	// The reader may have been ahead of the transactions that had ended when it asked.
	if r.page.Next = next; next.Compare(after) < 0 {
		r.page.Next = fairfactor.Position{Line: line, Group: after.Group, Index: after.Index}
	}
}

func (r *eventReader) entry(e journal.Entry, after fairfactor.Position) {
	if r.wanted == nil || r.wanted(e.Caller, e.Seq) {
		job := fairfactor.Job{ID: fairfactor.ID{Caller: e.Caller, Seq: e.Seq}}
		r.page.Events = append(r.page.Events, fairfactor.Event{State: e.State, Job: job, After: after})
	}
}

// loadJobs reads the jobs of a page's events. Those that are deleted are left out, and those
// that can't be read.
func (s *Store) loadJobs(ctx context.Context, page *fairfactor.EventPage) error {
	if len(page.Events) == 0 {
		return nil
	}
	jobs := make(map[jobKey]fairfactor.Job, len(page.Events))
	var callers, seqs []int64
	for i := range page.Events {
		p := jobKey{page.Events[i].Job.ID.Caller, page.Events[i].Job.ID.Seq}
		if _, twice := jobs[p]; !twice {
			jobs[p] = fairfactor.Job{}
			callers, seqs = append(callers, int64(p.caller)), append(seqs, int64(p.seq))
		}
	}
	if err := s.readMany(ctx, callers, seqs, s.stepOver, func(j fairfactor.Job) { jobs[jobKey{j.ID.Caller, j.ID.Seq}] = j }); err != nil {
		return err
	}
	kept := page.Events[:0]
	for _, e := range page.Events {
		if e.Job = jobs[jobKey{e.Job.ID.Caller, e.Job.ID.Seq}]; e.Job.State != 0 {
			kept = append(kept, e)
		}
	}
	page.Events = kept
	return nil
}
