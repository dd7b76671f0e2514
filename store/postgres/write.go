package postgres

import (
	"cmp"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"fairfactor"
	"fairfactor/store/rules"
)

// records are rows of jobs or queue, column by column: one statement writes all
// of them.
type records struct {
	caller, seq, ord, nonce, accepted []int64
	state                             []int16
	number, key                       []string
	submitted, started, finished      []time.Time
	attempts, turn, cpu, turns        []int64
	factors, reason, wants, deaths    []string
	checkpoint                        [][]byte
	saved, known                      []bool
}

func (r *records) add(j *staged) {
	in := j.record
	r.caller = append(r.caller, int64(j.caller))
	r.seq = append(r.seq, int64(j.seq))
	r.ord = append(r.ord, int64(j.now.Order))
	r.nonce = append(r.nonce, int64(j.now.Nonce))
	r.accepted = append(r.accepted, j.now.accepted)
	r.state = append(r.state, int16(j.now.State))
	r.number = append(r.number, in.Number)
	r.key = append(r.key, in.Key)
	r.submitted = append(r.submitted, kept(in.Submitted))
	r.started = append(r.started, kept(in.Started))
	r.finished = append(r.finished, kept(in.Finished))
	r.attempts = append(r.attempts, int64(in.Attempts))
	r.turn = append(r.turn, int64(in.Turn))
	r.cpu = append(r.cpu, int64(in.CPU))
	r.turns = append(r.turns, int64(in.Turns))
	r.factors = append(r.factors, factorsText(in.Factors))
	r.reason = append(r.reason, sentence(in.Reason))
	r.wants = append(r.wants, wantsText(in))
	r.deaths = append(r.deaths, rules.DeathsText(in.Deaths))
	checkpoint := j.checkpoint
	if checkpoint == nil {
		checkpoint = []byte{}
	}
	r.checkpoint = append(r.checkpoint, checkpoint)
	r.saved = append(r.saved, j.now.Saved)
	r.known = append(r.known, in.Known)
}

// acceptedAs is the place of a row in the order of acceptance: what was taken over
// from another row, or a place within this group.
const acceptedAs = `CASE WHEN u.accepted < 1048576 THEN (SELECT currval('fairfactor.group_numbers')) * 1048576 + u.accepted ELSE u.accepted END`

// rowKeys are keys of rows, column by column.
type rowKeys struct{ caller, number []int64 }

func (k *rowKeys) add(caller, number uint64) {
	k.caller = append(k.caller, int64(caller))
	k.number = append(k.number, int64(number))
}

// open queues the statement that a group begins with. It moves the lane's row on,
// brings the accounts up to date, and fails as unsuited if something of what the
// group stands on is not so: the number of the lane's last group, an epoch, a
// number that should not be in use, or what other lanes have written. Nothing of
// the group is written then, because what is sent in one trip is one transaction.
// The rows of callers are locked in the order of their numbers.
func (s *staging) open(b *pgx.Batch, l *lane, witnesses, groups []int64, places *places) {
	numbers := make([]uint64, 0, len(s.accounts))
	for number, a := range s.accounts {
		if a.changed {
			numbers = append(numbers, number)
		}
	}
	slices.Sort(numbers)
	var list [10][]int64
	names, at := make([]string, 0, len(numbers)), places.of(numbers)
	for _, number := range numbers {
		a := s.accounts[number]
		names = append(names, a.Name)
		for i, v := range [...]int64{
			int64(a.Number), int64(a.Epoch), int64(a.first), int64(a.Last),
			int64(a.Queued - a.was.Queued), int64(a.Completed - a.was.Completed), int64(a.Failed - a.was.Failed), int64(a.Cancelled - a.was.Cancelled),
			int64(a.CPU - a.was.CPU), int64(a.Turns - a.was.Turns),
		} {
			list[i] = append(list[i], v)
		}
	}
	b.Queue(openGroup, witnesses, groups, l.id.Load(), l.next, int64(s.dispatched), l.acked.Load(), names,
		list[0], list[1], list[2], list[3], list[4], list[5], list[6], list[7], list[8], list[9],
		len(numbers), len(witnesses), at)
}

// openGroup is the statement of open. A caller's row is looked for at the place that its
// last version had, see [places], and by its number only if it is not there.
const openGroup = `
	WITH lane AS (
		UPDATE fairfactor.writers SET last = $4, place = greatest(place, $5), touched = now() WHERE id = $3 AND last = $6 RETURNING 1
	), account AS (
		UPDATE fairfactor.callers AS c SET last = greatest(c.last, u.last), queued = c.queued + u.queued, completed = c.completed + u.completed,
			failed = c.failed + u.failed, cancelled = c.cancelled + u.cancelled, cpu = c.cpu + u.cpu, turns = c.turns + u.turns, known = true,
			queued_class = ` + queuedClass + `, cpu_class = ` + cpuClass + `
		FROM unnest($7::text[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[],
			$16::bigint[], $17::bigint[], $20::text[]) AS u (name, number, epoch, first, last, queued, completed, failed, cancelled, cpu, turns, place)
		CROSS JOIN LATERAL (SELECT f.at FROM (
				SELECT x.ctid AS at, x.epoch, x.name, x.last FROM fairfactor.callers AS x WHERE x.ctid = u.place::tid AND x.number = u.number
				UNION ALL
				SELECT x.ctid, x.epoch, x.name, x.last FROM fairfactor.callers AS x WHERE x.number = u.number
					AND NOT EXISTS (SELECT FROM fairfactor.callers AS y WHERE y.ctid = u.place::tid AND y.number = u.number)
			) AS f WHERE f.epoch = u.epoch AND f.name = u.name AND f.last < u.first OFFSET 0) AS x (at)
		WHERE c.ctid = x.at
		RETURNING c.number, c.ctid
	)
	SELECT CAST(CASE WHEN (SELECT count(*) FROM lane) = 1 AND (SELECT count(*) FROM account) = $18 AND ` + countWitnesses + ` = $19
		THEN nextval('fairfactor.group_numbers')::text ELSE 'a group of changes that does not suit what is stored' END AS bigint),
		(SELECT array_agg(number) FROM account), (SELECT array_agg(ctid::text) FROM account)`

// write queues the statements that make what was staged so, behind that of open.
// now is this node's time.
func (s *staging) write(b *pgx.Batch, now time.Time) {
	var moved, saved, queued, ended records
	var leave, pieces, revived rowKeys // rows of queue, pieces and jobs that go
	for _, j := range s.order {
		if j.record == nil {
			continue
		}
		was, is := homeOf(&j.was.Job), homeOf(&j.now.Job)
		if was == inQueue && (is == inJobs || j.was.Order != j.now.Order) && j.was.Saved {
			pieces.add(j.caller, j.was.Order)
		}
		switch {
		case was == inQueue && is == inQueue && j.was.Order == j.now.Order:
			saved.add(j)
		case was == inQueue && is == inJobs && j.was.Order == j.now.Order:
			moved.add(j)
		default:
			if was == inQueue {
				leave.add(j.caller, j.was.Order)
			} else if was == inJobs {
				revived.add(j.caller, j.seq)
			}
			if is == inQueue {
				queued.add(j)
			} else {
				ended.add(j)
			}
		}
	}
	leave.delete(b, deleteQueued)
	pieces.delete(b, deletePieces)
	revived.delete(b, deleteEnded)
	saved.update(b)
	s.writePieces(b)
	moved.move(b, s.assumed)
	queued.insertQueued(b)
	ended.insertEnded(b)
	moved.writeEnded(b, 0, now)
	ended.writeEnded(b, len(moved.caller)/perPart+1, now)
	s.writeKeys(b, now)
	s.writeKnown(b)
	s.writeDeadly(b)
	s.writeDeadlines(b)
	s.writeEvents(b)
	s.writeDeliveries(b)
	s.adjust(b)
}

// Rows that are changed or deleted are found one by one, by an index, before they
// are: an OFFSET keeps the planner from joining them the other way round, which
// would be right for as long as a table is small. A row that has changed since it
// was found is not touched.
const (
	deleteQueued = `DELETE FROM fairfactor.queue AS q USING unnest($1::bigint[], $2::bigint[]) AS u (caller, ord)
		CROSS JOIN LATERAL (SELECT x.ctid FROM fairfactor.queue AS x WHERE x.caller = u.caller AND x.ord = u.ord OFFSET 0) AS x (at)
		WHERE q.ctid = x.at`
	deletePieces = `DELETE FROM fairfactor.pieces AS p USING unnest($1::bigint[], $2::bigint[]) AS u (caller, ord)
		CROSS JOIN LATERAL (SELECT x.ctid FROM fairfactor.pieces AS x WHERE x.caller = u.caller AND x.ord = u.ord OFFSET 0) AS x (at)
		WHERE p.ctid = x.at`
	deleteEnded = `DELETE FROM fairfactor.jobs AS j USING unnest($1::bigint[], $2::bigint[]) AS u (caller, seq)
		CROSS JOIN LATERAL (SELECT x.ctid FROM fairfactor.jobs AS x WHERE x.caller = u.caller AND x.seq = u.seq OFFSET 0) AS x (at)
		WHERE j.ctid = x.at`
)

func (k *rowKeys) delete(b *pgx.Batch, statement string) {
	if len(k.caller) > 0 {
		b.Queue(statement, k.caller, k.number)
	}
}

// writePieces writes the pieces of checkpoints. Of those with the same number the
// last one counts.
func (s *staging) writePieces(b *pgx.Batch) {
	var callers, orders, numbers []int64
	var data [][]byte
	for _, j := range s.order {
		at := map[uint32]int{}
		for _, p := range j.pieces {
			i, again := at[p.Number]
			if !again {
				at[p.Number] = len(data)
				callers, orders = append(callers, int64(j.caller)), append(orders, int64(j.now.Order))
				numbers, data = append(numbers, int64(p.Number)), append(data, p.Data)
				continue
			}
			data[i] = p.Data
		}
	}
	if len(data) > 0 {
		b.Queue(`INSERT INTO fairfactor.pieces (caller, ord, number, data)
			SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[])
			ON CONFLICT (caller, ord, number) DO UPDATE SET data = excluded.data`, callers, orders, numbers, data)
	}
}

// update saves the progress of jobs that stay in the queue.
func (r *records) update(b *pgx.Batch) {
	if len(r.caller) == 0 {
		return
	}
	b.Queue(`UPDATE fairfactor.queue AS q SET number = u.number, key = u.key, submitted = u.submitted, started = u.started,
			attempts = u.attempts, turn = u.turn, cpu = u.cpu, turns = u.turns, factors = u.factors, reason = u.reason, checkpoint = u.checkpoint, saved = u.saved, wants = u.wants, deaths = u.deaths
		FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[],
			$7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::text[], $12::text[], $13::bytea[], $14::boolean[], $15::text[], $16::text[])
			AS u (caller, ord, number, key, submitted, started, attempts, turn, cpu, turns, factors, reason, checkpoint, saved, wants, deaths)
		CROSS JOIN LATERAL (SELECT x.ctid FROM fairfactor.queue AS x WHERE x.caller = u.caller AND x.ord = u.ord OFFSET 0) AS x (at)
		WHERE q.ctid = x.at`,
		r.caller, r.ord, r.number, r.key, r.submitted, r.started, r.attempts, r.turn, r.cpu, r.turns, r.factors, r.reason, r.checkpoint, r.saved, r.wants, r.deaths)
}

func (r *records) insertQueued(b *pgx.Batch) {
	if len(r.caller) == 0 {
		return
	}
	b.Queue(`INSERT INTO fairfactor.queue
			(caller, seq, ord, nonce, accepted, number, key, submitted, started, attempts, turn, cpu, turns, factors, reason, checkpoint, saved, wants, deaths)
		SELECT caller, seq, ord, nonce, `+acceptedAs+`, number, key, submitted, started, attempts, turn, cpu, turns, factors, reason, checkpoint, saved, wants, deaths
		FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::text[], $8::timestamptz[],
			$9::timestamptz[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::text[], $15::text[], $16::bytea[], $17::boolean[], $18::text[], $19::text[])
			AS u (caller, seq, ord, nonce, accepted, number, key, submitted, started, attempts, turn, cpu, turns, factors, reason, checkpoint, saved, wants, deaths)`,
		r.caller, r.seq, r.ord, r.nonce, r.accepted, r.number, r.key, r.submitted, r.started, r.attempts, r.turn, r.cpu, r.turns, r.factors, r.reason, r.checkpoint, r.saved, r.wants, r.deaths)
}

// Rows of finished jobs as parameters.
const (
	endedColumns = `caller, seq, ord, nonce, accepted, state, number, key, submitted, started, finished, attempts, turn, cpu, turns, factors, reason, known, wants, deaths`
	unnestEnded  = `unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::smallint[], $7::text[], $8::text[],
		$9::timestamptz[], $10::timestamptz[], $11::timestamptz[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[], $16::text[], $17::text[], $18::boolean[], $19::text[], $20::text[])`
)

// move ends jobs that wait, in one statement. It fails as unsuited if one does not
// wait. Jobs that are only assumed to wait must have used no time either.
func (r *records) move(b *pgx.Batch, assumed bool) {
	if len(r.caller) == 0 {
		return
	}
	b.Queue(`
		WITH gone AS (
			DELETE FROM fairfactor.queue AS q USING `+unnestEnded+` AS u (`+endedColumns+`)
			CROSS JOIN LATERAL (SELECT x.ctid FROM fairfactor.queue AS x WHERE x.caller = u.caller AND x.ord = u.ord AND x.seq = u.seq
				AND x.nonce = u.nonce AND (NOT $21 OR NOT x.saved AND x.cpu = 0 AND x.turns = 0) OFFSET 0) AS x (at)
			WHERE q.ctid = x.at
			RETURNING u.caller, u.seq, u.ord, u.nonce, q.accepted, u.state, u.number, u.key, u.submitted, u.started, u.finished,
				u.attempts, u.turn, u.cpu, u.turns, u.factors, u.reason, u.known, u.wants, u.deaths
		), ended AS (
			INSERT INTO fairfactor.jobs (`+endedColumns+`) SELECT `+endedColumns+` FROM gone RETURNING 1
		)
		SELECT CAST(CASE WHEN count(*) = $22 THEN '1' ELSE 'a group of changes that does not suit what is stored' END AS integer) FROM ended`,
		r.caller, r.seq, r.ord, r.nonce, r.accepted, r.state, r.number, r.key, r.submitted, r.started, r.finished,
		r.attempts, r.turn, r.cpu, r.turns, r.factors, r.reason, r.known, r.wants, r.deaths, assumed, len(r.caller))
}

func (r *records) insertEnded(b *pgx.Batch) {
	if len(r.caller) == 0 {
		return
	}
	b.Queue(`INSERT INTO fairfactor.jobs
			(`+endedColumns+`)
		SELECT caller, seq, ord, nonce, `+acceptedAs+`, state, number, key, submitted, started, finished, attempts, turn, cpu, turns, factors, reason, known, wants, deaths
		FROM `+unnestEnded+` AS u (`+endedColumns+`)`,
		r.caller, r.seq, r.ord, r.nonce, r.accepted, r.state, r.number, r.key, r.submitted, r.started, r.finished, r.attempts, r.turn, r.cpu, r.turns, r.factors, r.reason, r.known, r.wants, r.deaths)
}

// writeEnded notes which jobs have ended, by the clock of the database, for
// [Store.Expire]. The first part has the given number.
func (r *records) writeEnded(b *pgx.Batch, part int, now time.Time) {
	for i := 0; i < len(r.caller); i += perPart {
		end := min(i+perPart, len(r.caller))
		b.Queue(`INSERT INTO fairfactor.ended (earliest, grp, part, skew, callers, seqs)
			SELECT $2::timestamptz + s.skew * interval '1 microsecond', currval('fairfactor.group_numbers'), $3, s.skew, $4, $5
			FROM (SELECT `+skew+` AS skew) AS s`,
			now, slices.MinFunc(r.finished[i:end], time.Time.Compare), part+i/perPart, r.caller[i:end], r.seq[i:end])
	}
}

// writeKeys remembers idempotency keys, in their order: [Store.Expire] deletes
// others at the same time.
func (s *staging) writeKeys(b *pgx.Batch, now time.Time) {
	if len(s.keys) == 0 {
		return
	}
	list := make([]*fairfactor.Job, 0, len(s.keys))
	for _, j := range s.keys {
		list = append(list, j)
	}
	slices.SortFunc(list, func(a, b *fairfactor.Job) int {
		return cmp.Or(cmp.Compare(a.ID.Caller, b.ID.Caller), cmp.Compare(a.Key, b.Key))
	})
	var caller, seq, nonce []int64
	var key []string
	var submitted []time.Time
	for _, j := range list {
		caller, key = append(caller, int64(j.ID.Caller)), append(key, j.Key)
		seq, nonce = append(seq, int64(j.ID.Seq)), append(nonce, int64(j.ID.Nonce))
		submitted = append(submitted, kept(j.Submitted))
	}
	b.Queue(`INSERT INTO fairfactor.keys (caller, key, seq, nonce, submitted)
		SELECT u.caller, u.key, u.seq, u.nonce, u.submitted + `+skew+` * interval '1 microsecond'
		FROM unnest($2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::timestamptz[]) AS u (caller, key, seq, nonce, submitted)
		ON CONFLICT (caller, key) DO UPDATE SET seq = excluded.seq, nonce = excluded.nonce, submitted = excluded.submitted`,
		now, caller, key, seq, nonce, submitted)
}

// adjust writes settings of callers that have changed. Rows of idle come in the order of
// callers, as in [Store.Expire], which locks many of them too.
func (s *staging) adjust(b *pgx.Batch) {
	var plain []int64
	for _, a := range s.accounts {
		if a.adjusted {
			b.Queue("UPDATE fairfactor.callers SET weight = $2, caller_group = $3, paused = $4, placed = $5, bounds = $6 WHERE number = $1",
				int64(a.Number), a.Weight, a.Group, a.Paused, a.Placed, boundsOf(a.Bounds))
			if a.Plain() {
				plain = append(plain, int64(a.Number))
			}
		}
	}
	if len(plain) > 0 {
		b.Queue(noteIdle, plain)
	}
}
