package postgres

import (
	"context"
	"time"
)

// perPart is how many jobs a row of ended has at most. Two arrays of so many
// numbers leave room for three rows on a page.
const perPart = 128

// skew is how far the database's clock is ahead of a node's, whose time is the
// first parameter, in microseconds. Up to a minute is taken for the way there: what
// ends by a clock ends by the database's, and a node whose own is wrong neither
// deletes what is young nor forgets a key.
const skew = `(SELECT CASE WHEN abs(extract(epoch FROM now() - $1::timestamptz)) > 60
	THEN (extract(epoch FROM now() - $1::timestamptz) * 1000000)::bigint ELSE 0 END)`

// Expire implements [fairfactor.Store]. before is by this node's clock, and is
// corrected by the database's if that is another one. Several nodes may do it at
// once: each takes jobs that no other has taken, and waits for none.
func (s *Store) Expire(ctx context.Context, before time.Time, limit int) (n int, err error) {
	if limit <= 0 {
		return 0, live(ctx)
	}
	for n < limit {
		var parts, deleted int
		err := s.retry(ctx, "to delete finished jobs", func(ctx context.Context) error {
			return s.reads.QueryRow(ctx, expire, s.now(), kept(before), limit-n, (limit-n)/perPart+4).Scan(&parts, &deleted)
		})
		if deleted > 0 {
			s.accounts.full.Store(0) // some may have gone idle
		}
		if n += deleted; err != nil || parts == 0 {
			return n, err
		}
	}
	return n, nil
}

// expire deletes jobs of the parts that have the oldest, and notes their callers, which may
// have no other. A part stays with those
// that are left of it. A job that was queued again is in none of the tables that
// are looked at, and in another part when it has ended again.
const expire = `
	WITH due AS MATERIALIZED (
		SELECT $2::timestamptz + ` + skew + ` * interval '1 microsecond' AS before
	), part AS MATERIALIZED (
		SELECT e.ctid AS at, e.skew, e.callers, e.seqs FROM fairfactor.ended AS e
		WHERE e.earliest < (SELECT before FROM due) ORDER BY e.earliest, e.grp, e.part LIMIT $4 FOR UPDATE SKIP LOCKED
	), job AS MATERIALIZED (
		SELECT p.at AS part, j.at, j.caller, j.seq, j.key, j.wants, j.finished + p.skew * interval '1 microsecond' AS ended
		FROM part AS p CROSS JOIN LATERAL unnest(p.callers, p.seqs) AS u (caller, seq)
		CROSS JOIN LATERAL (SELECT x.ctid AS at, x.* FROM fairfactor.jobs AS x WHERE x.caller = u.caller AND x.seq = u.seq OFFSET 0) AS j
	), old AS MATERIALIZED (
		SELECT DISTINCT caller, seq, key, wants, at FROM job WHERE ended < (SELECT before FROM due) ORDER BY caller, seq LIMIT $3
	), gone AS (
		DELETE FROM fairfactor.jobs AS j USING old WHERE j.ctid = old.at RETURNING 1
	), idle AS (
		INSERT INTO fairfactor.idle AS i (number, since)
		SELECT j.caller, max(j.ended) FROM job AS j WHERE j.at IN (SELECT at FROM old) GROUP BY j.caller ORDER BY j.caller
		ON CONFLICT (number) DO UPDATE SET since = greatest(i.since, excluded.since)
	), undelivered AS (
		DELETE FROM fairfactor.deliveries AS d USING old WHERE old.wants <> '' AND d.caller = old.caller AND d.seq = old.seq
	), free AS MATERIALIZED (
		SELECT k.at FROM old CROSS JOIN LATERAL (SELECT x.ctid AS at FROM fairfactor.keys AS x
			WHERE x.caller = old.caller AND x.key = old.key AND x.seq = old.seq OFFSET 0 FOR UPDATE SKIP LOCKED) AS k
		WHERE old.key <> ''
	), forgotten AS (
		DELETE FROM fairfactor.keys AS k USING free WHERE k.ctid = free.at
	), rest AS MATERIALIZED (
		SELECT part, min(ended) AS first, array_agg(caller) AS callers, array_agg(seq) AS seqs
		FROM job WHERE at NOT IN (SELECT at FROM old) GROUP BY part
	), kept AS (
		UPDATE fairfactor.ended AS e SET earliest = r.first, callers = r.callers, seqs = r.seqs FROM rest AS r WHERE e.ctid = r.part
	), emptied AS (
		DELETE FROM fairfactor.ended AS e USING part AS p WHERE e.ctid = p.at AND p.at NOT IN (SELECT part FROM rest)
	)
	SELECT (SELECT count(*) FROM part), (SELECT count(*) FROM gone)`
