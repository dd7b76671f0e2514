package postgres

import (
	"cmp"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"fairfactor"
)

// records are rows of jobs or queue, column by column: one statement writes all
// of them.
type records struct {
	caller, seq, ord, nonce, accepted []int64
	state                             []int16
	number, key                       []string
	submitted, started, finished      []time.Time
	attempts, turn, cpu, turns        []int64
	factors, reason                   []string
	checkpoint                        [][]byte
}

func (r *records) add(j *staged) {
	in := j.record
	r.caller = append(r.caller, int64(j.caller))
	r.seq = append(r.seq, int64(j.seq))
	r.ord = append(r.ord, int64(j.now.ord))
	r.nonce = append(r.nonce, int64(j.now.nonce))
	r.accepted = append(r.accepted, j.now.accepted)
	r.state = append(r.state, int16(j.now.state))
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
	checkpoint := j.checkpoint
	if checkpoint == nil {
		checkpoint = []byte{}
	}
	r.checkpoint = append(r.checkpoint, checkpoint)
}

// rowKeys are keys of rows, column by column.
type rowKeys struct{ caller, number []int64 }

func (k *rowKeys) add(caller, number uint64) {
	k.caller = append(k.caller, int64(caller))
	k.number = append(k.number, int64(number))
}

// write queues the statements that make what was staged so; none if nothing is to
// be written.
func (s *staging) write(b *pgx.Batch, l *lane) {
	var leave, revived rowKeys // rows of queue and jobs that go
	var saved, queued, ended records
	for _, j := range s.order {
		if j.record == nil {
			continue
		}
		switch {
		case j.was.home == inQueue && j.now.home == inQueue && j.was.ord == j.now.ord:
			saved.add(j)
			continue
		case j.was.home == inQueue:
			leave.add(j.caller, j.was.ord)
		case j.was.home == inJobs:
			revived.add(j.caller, j.seq)
		}
		if j.now.home == inQueue {
			queued.add(j)
		} else {
			ended.add(j)
		}
	}
	leave.delete(b, deleteQueued)
	leave.delete(b, deletePieces)
	revived.delete(b, deleteEnded)
	saved.update(b)
	s.writePieces(b)
	queued.insertQueued(b)
	ended.insertEnded(b)
	s.writeKeys(b)
	s.writeAccounts(b)
	if b.Len() > 0 {
		b.Queue("UPDATE fairfactor.writers SET grp = $2, place = greatest(place, $3), touched = now() WHERE id = $1", l.id, l.grp, int64(s.place))
	}
}

const (
	deleteQueued = `DELETE FROM fairfactor.queue AS q USING unnest($1::bigint[], $2::bigint[]) AS u (caller, ord)
		WHERE q.caller = u.caller AND q.ord = u.ord`
	deletePieces = `DELETE FROM fairfactor.pieces AS p USING unnest($1::bigint[], $2::bigint[]) AS u (caller, ord)
		WHERE p.caller = u.caller AND p.ord = u.ord`
	deleteEnded = `DELETE FROM fairfactor.jobs AS j USING unnest($1::bigint[], $2::bigint[]) AS u (caller, seq)
		WHERE j.caller = u.caller AND j.seq = u.seq`
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
				callers, orders = append(callers, int64(j.caller)), append(orders, int64(j.now.ord))
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
			attempts = u.attempts, turn = u.turn, cpu = u.cpu, turns = u.turns, factors = u.factors, reason = u.reason, checkpoint = u.checkpoint
		FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[],
			$7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::text[], $12::text[], $13::bytea[])
			AS u (caller, ord, number, key, submitted, started, attempts, turn, cpu, turns, factors, reason, checkpoint)
		WHERE q.caller = u.caller AND q.ord = u.ord`,
		r.caller, r.ord, r.number, r.key, r.submitted, r.started, r.attempts, r.turn, r.cpu, r.turns, r.factors, r.reason, r.checkpoint)
}

func (r *records) insertQueued(b *pgx.Batch) {
	if len(r.caller) == 0 {
		return
	}
	b.Queue(`INSERT INTO fairfactor.queue
			(caller, seq, ord, nonce, accepted, number, key, submitted, started, attempts, turn, cpu, turns, factors, reason, checkpoint)
		SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::text[], $8::timestamptz[],
			$9::timestamptz[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::text[], $15::text[], $16::bytea[])`,
		r.caller, r.seq, r.ord, r.nonce, r.accepted, r.number, r.key, r.submitted, r.started, r.attempts, r.turn, r.cpu, r.turns, r.factors, r.reason, r.checkpoint)
}

func (r *records) insertEnded(b *pgx.Batch) {
	if len(r.caller) == 0 {
		return
	}
	b.Queue(`INSERT INTO fairfactor.jobs
			(caller, seq, ord, nonce, accepted, state, number, key, submitted, started, finished, attempts, turn, cpu, turns, factors, reason)
		SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::smallint[], $7::text[], $8::text[],
			$9::timestamptz[], $10::timestamptz[], $11::timestamptz[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[], $16::text[], $17::text[])`,
		r.caller, r.seq, r.ord, r.nonce, r.accepted, r.state, r.number, r.key, r.submitted, r.started, r.finished, r.attempts, r.turn, r.cpu, r.turns, r.factors, r.reason)
}

// writeKeys remembers idempotency keys, in their order: [Store.Expire] deletes
// others at the same time.
func (s *staging) writeKeys(b *pgx.Batch) {
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
		SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::timestamptz[])
		ON CONFLICT (caller, key) DO UPDATE SET seq = excluded.seq, nonce = excluded.nonce, submitted = excluded.submitted`,
		caller, key, seq, nonce, submitted)
}

// writeAccounts writes the accounts that have changed. Their rows are locked since
// they were read, so nothing is lost by writing them whole.
func (s *staging) writeAccounts(b *pgx.Batch) {
	var list [9][]int64
	for _, a := range s.callers {
		if !a.changed {
			continue
		}
		for i, v := range [...]int64{
			int64(a.number), int64(a.last), a.weight, int64(a.queued), int64(a.completed), int64(a.failed), int64(a.cancelled), int64(a.cpu), int64(a.turns),
		} {
			list[i] = append(list[i], v)
		}
	}
	if len(list[0]) == 0 {
		return
	}
	b.Queue(`UPDATE fairfactor.callers AS c SET last = u.last, weight = u.weight, queued = u.queued, completed = u.completed,
			failed = u.failed, cancelled = u.cancelled, cpu = u.cpu, turns = u.turns
		FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[])
			AS u (number, last, weight, queued, completed, failed, cancelled, cpu, turns)
		WHERE c.number = u.number`,
		list[0], list[1], list[2], list[3], list[4], list[5], list[6], list[7], list[8])
}
