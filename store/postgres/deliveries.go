package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"fairfactor"
)

// owedBy notes what a change of a job does to the delivery to its callback.
func (j *staged) owedBy(ch *fairfactor.Change) {
	switch {
	case ch.Job.Callback == nil:
	case ch.Op == fairfactor.Finish || ch.Op == fairfactor.AcceptEnded:
		j.owes = ch.Job
	case ch.Op == fairfactor.Requeue:
		j.owes, j.disowned = nil, true
	}
}

// owes reports whether a job with a callback ended in the group.
func (s *staging) owes() bool {
	for _, j := range s.order {
		if j.owes != nil {
			return true
		}
	}
	return false
}

// writeDeliveries has the callbacks of jobs that have ended told of that.
func (s *staging) writeDeliveries(b *pgx.Batch) {
	var gone rowKeys
	var caller, seq, ord, nonce []int64
	var host []string
	var due []time.Time
	for _, j := range s.order {
		if j.disowned {
			gone.add(j.caller, j.seq)
		}
		if j.owes == nil {
			continue
		}
		caller, seq = append(caller, int64(j.caller)), append(seq, int64(j.seq))
		ord, nonce = append(ord, int64(j.owes.Order)), append(nonce, int64(j.owes.ID.Nonce))
		host, due = append(host, j.owes.Callback.Host()), append(due, kept(j.owes.Finished))
	}
	gone.delete(b, `DELETE FROM fairfactor.deliveries AS d USING unnest($1::bigint[], $2::bigint[]) AS u (caller, seq)
		WHERE d.caller = u.caller AND d.seq = u.seq`)
	if len(caller) > 0 {
		b.Queue(`INSERT INTO fairfactor.deliveries (caller, seq, ord, nonce, host, state, due, next, claim)
			SELECT caller, seq, ord, nonce, host, 1, due, due, ord * 1048576
			FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::timestamptz[]) AS u (caller, seq, ord, nonce, host, due)`,
			caller, seq, ord, nonce, host, due)
	}
}

// Owed implements [fairfactor.DeliveryStore].
func (s *Store) Owed() <-chan struct{} { return s.owed }

func (s *Store) owe() {
	select {
	case s.owed <- struct{}{}:
	default:
	}
}

// ClaimDeliveries implements [fairfactor.DeliveryStore]. It passes over what another node
// is claiming.
func (s *Store) ClaimDeliveries(
	ctx context.Context, now time.Time, lease time.Duration, busy []string, perHost, limit int,
) (list []fairfactor.Delivery, err error) {
	if limit <= 0 || perHost <= 0 {
		return nil, live(ctx)
	}
	if busy == nil {
		busy = []string{}
	}
	err = s.retry(ctx, "to claim deliveries", func(ctx context.Context) error {
		rows, err := s.reads.Query(ctx, claimDeliveries, busy, kept(now), perHost, limit, kept(now.Add(lease)), dueWindow)
		if err != nil {
			return err
		}
		list, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (d fairfactor.Delivery, err error) {
			err = row.Scan(&d.Job.ID.Caller, &d.Job.ID.Seq, &d.Job.ID.Nonce, &d.Job.Order, &d.Claim)
			return d, err
		})
		return err
	})
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return s.deliveredJobs(ctx, list)
}

// dueWindow is how many of the deliveries that are due a claim looks at for their hosts.
const dueWindow = 1024

// claimDeliveries takes the hosts of the deliveries that are due first. Only if more are
// due than these, which may all be of one host that is busy, it goes from host to host.
const claimDeliveries = `
	WITH RECURSIVE early AS MATERIALIZED (
		SELECT d.host FROM fairfactor.deliveries AS d WHERE d.state = 1 AND d.due <= $2 ORDER BY d.due LIMIT $6
	), host AS (
		(SELECT d.host FROM fairfactor.deliveries AS d WHERE d.state = 1 AND (SELECT count(*) FROM early) = $6 ORDER BY d.host LIMIT 1)
		UNION ALL
		SELECT (SELECT d.host FROM fairfactor.deliveries AS d WHERE d.state = 1 AND d.host > host.host ORDER BY d.host LIMIT 1)
		FROM host WHERE host.host IS NOT NULL
	), hosts AS (
		SELECT host FROM early UNION SELECT host FROM host WHERE host IS NOT NULL
	), due AS MATERIALIZED (
		SELECT x.at FROM hosts CROSS JOIN LATERAL (
			SELECT d.ctid AS at FROM fairfactor.deliveries AS d WHERE d.state = 1 AND d.host = hosts.host AND d.due <= $2
			ORDER BY d.due LIMIT $3 FOR UPDATE SKIP LOCKED) AS x
		WHERE NOT hosts.host = ANY ($1::text[]) LIMIT $4
	)
	UPDATE fairfactor.deliveries AS d SET due = $5, claim = d.claim + 1 FROM due WHERE d.ctid = due.at
	RETURNING d.caller, d.seq, d.nonce, d.ord, d.claim`

// deliveredJobs fills in the jobs of claimed deliveries. One whose job is gone is deleted;
// one whose job can't be read is left, and looked at again after the lease.
func (s *Store) deliveredJobs(ctx context.Context, claimed []fairfactor.Delivery) (list []fairfactor.Delivery, err error) {
	var keys, gone rowKeys
	for i := range claimed {
		keys.add(claimed[i].Job.ID.Caller, claimed[i].Job.ID.Seq)
	}
	jobs := make(map[jobKey]fairfactor.Job, len(claimed))
	unread := map[jobKey]bool{}
	err = s.retry(ctx, "to read jobs", func(ctx context.Context) error {
		return s.readMany(ctx, keys.caller, keys.number, func(r *jobRow, err error) {
			unread[jobKey{uint64(r.caller), uint64(r.seq)}] = true
			s.stepOver(r, err)
		}, func(j fairfactor.Job) { jobs[jobKey{j.ID.Caller, j.ID.Seq}] = j })
	})
	if err != nil {
		return nil, err
	}
	for i := range claimed {
		id := claimed[i].Job.ID
		p := jobKey{id.Caller, id.Seq}
		if j := jobs[p]; j.ID == id && j.State.Final() && j.Callback != nil && j.Order == claimed[i].Job.Order {
			list = append(list, fairfactor.Delivery{Job: j, Claim: claimed[i].Claim})
		} else if j.ID != id && !unread[p] {
			gone.add(id.Caller, id.Seq)
		}
	}
	if len(gone.caller) > 0 {
		err = s.retry(ctx, "to delete deliveries", func(ctx context.Context) error {
			_, err := s.reads.Exec(ctx, `DELETE FROM fairfactor.deliveries AS d USING unnest($1::bigint[], $2::bigint[]) AS u (caller, seq)
				WHERE d.caller = u.caller AND d.seq = u.seq`, gone.caller, gone.number)
			return err
		})
	}
	return list, err
}

// SettleDeliveries implements [fairfactor.DeliveryStore].
func (s *Store) SettleDeliveries(ctx context.Context, settled []fairfactor.Settled) error {
	var caller, seq, nonce, claim []int64
	var state []int16
	var next []time.Time
	var texts []string
	for i := range settled {
		x := &settled[i]
		if x.ID.Caller > maxNumber || x.ID.Seq > maxNumber || x.Claim == 0 || x.Claim > 1<<62 {
			continue
		}
		caller, seq, nonce = append(caller, int64(x.ID.Caller)), append(seq, int64(x.ID.Seq)), append(nonce, int64(x.ID.Nonce))
		claim, state = append(claim, int64(x.Claim)), append(state, int16(x.State))
		next, texts = append(next, kept(x.Next)), append(texts, sentence(x.LastError))
	}
	if len(caller) == 0 {
		return live(ctx)
	}
	return s.retry(ctx, "to settle deliveries", func(ctx context.Context) error {
		_, err := s.reads.Exec(ctx, `UPDATE fairfactor.deliveries AS d SET state = u.state, due = u.next, next = u.next, error = u.error, attempts = d.attempts + 1, claim = d.claim + 1
			FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::smallint[], $6::timestamptz[], $7::text[]) AS u (caller, seq, nonce, claim, state, next, error)
			WHERE d.caller = u.caller AND d.seq = u.seq AND d.nonce = u.nonce AND d.claim = u.claim AND d.state = 1`,
			caller, seq, nonce, claim, state, next, texts)
		return err
	})
}

// attach adds to jobs that have ended what became of their deliveries.
func (s *Store) attach(ctx context.Context, jobs []*fairfactor.Job) error {
	at := map[jobKey]*fairfactor.Job{}
	var caller, seq []int64
	for _, j := range jobs {
		if j.Callback != nil && j.State.Final() {
			at[jobKey{j.ID.Caller, j.ID.Seq}] = j
			caller, seq = append(caller, int64(j.ID.Caller)), append(seq, int64(j.ID.Seq))
		}
	}
	if len(caller) == 0 {
		return nil
	}
	return s.ask(ctx, func(rows pgx.Rows) error {
		var p jobKey
		var order uint64
		var state int16
		var c fairfactor.Callback
		_, err := pgx.ForEachRow(rows, []any{&p.caller, &p.seq, &order, &state, &c.Attempts, &c.LastError, &c.Next}, func() error {
			j := at[p]
			if j == nil || j.Order != order {
				return nil
			}
			c := c
			c.URL, c.State = j.Callback.URL, fairfactor.DeliveryState(state)
			if c.Next = c.Next.UTC(); c.State != fairfactor.DeliveryPending {
				c.Next = time.Time{}
			}
			j.Callback = &c
			return nil
		})
		return err
	}, `SELECT d.caller, d.seq, d.ord, d.state, d.attempts, d.error, d.next
		FROM unnest($1::bigint[], $2::bigint[]) AS u (caller, seq)
		CROSS JOIN LATERAL (SELECT * FROM fairfactor.deliveries AS x WHERE x.caller = u.caller AND x.seq = u.seq OFFSET 0) AS d`, caller, seq)
}

// pointers to jobs in a list.
func pointers(jobs []fairfactor.Job) []*fairfactor.Job {
	list := make([]*fairfactor.Job, len(jobs))
	for i := range jobs {
		list[i] = &jobs[i]
	}
	return list
}
