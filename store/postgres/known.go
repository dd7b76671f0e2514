package postgres

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"fairfactor"
	"fairfactor/store/rules"
)

// learnKnown makes results known, each number once, in the order of their hashes, so
// that two groups which learn the same ones don't wait for each other in a circle.
// What is more stays, see [rules.Merge].
const learnKnown = `
	WITH new AS (
		INSERT INTO fairfactor.known AS k (hash, number, factors, found, worth, cpu, used)
		SELECT * FROM unnest($1::bytea[], $2::text[], $3::text[], $4::integer[], $5::smallint[], $6::bigint[], $7::timestamptz[])
			AS u (hash, number, factors, found, worth, cpu, used) ORDER BY u.hash
		ON CONFLICT (hash) DO UPDATE SET number = excluded.number,
			factors = CASE WHEN k.found > excluded.found THEN k.factors ELSE excluded.factors END,
			found = greatest(k.found, excluded.found), worth = greatest(k.worth, excluded.worth),
			cpu = greatest(k.cpu, excluded.cpu), used = greatest(k.used, excluded.used)
		RETURNING xmax = 0 AS fresh
	)
	INSERT INTO fairfactor.known_counts (n) SELECT count(*) FROM new WHERE fresh HAVING count(*) > 0`

// allFound is what found says of a number whose factors are all known.
const allFound = 1<<31 - 1

// knownRows are the parameters of learnKnown.
type knownRows struct {
	hash            [][]byte
	number, factors []string
	found           []int32
	worth           []int16
	cpu             []int64
	used            []time.Time
}

// knownRowsOf returns the rows of results, of each number one.
func knownRowsOf(learned []fairfactor.Known) (rows knownRows) {
	all := map[fairfactor.NumberKey]fairfactor.Known{}
	var order []fairfactor.NumberKey
	for i := range learned {
		k, key := learned[i], fairfactor.KeyOfNumber(learned[i].Number)
		if was, again := all[key]; again {
			k = rules.Merge(was, k)
		} else {
			order = append(order, key)
		}
		all[key] = k
	}
	slices.SortFunc(order, func(a, b fairfactor.NumberKey) int { return bytes.Compare(a[:], b[:]) })
	for _, key := range order {
		k := all[key]
		rows.hash = append(rows.hash, bytes.Clone(key[:]))
		rows.number, rows.factors = append(rows.number, k.Number), append(rows.factors, factorsText(k.Factors))
		rows.found, rows.worth = append(rows.found, int32(rules.Found(&k))), append(rows.worth, int16(rules.Worth(k.CPU)))
		rows.cpu, rows.used = append(rows.cpu, int64(k.CPU)), append(rows.used, kept(k.Used))
	}
	return rows
}

func (r *knownRows) values() []any {
	return []any{r.hash, r.number, r.factors, r.found, r.worth, r.cpu, r.used}
}

// writeKnown makes known what jobs of the group found.
func (s *staging) writeKnown(b *pgx.Batch) {
	if len(s.learned) > 0 {
		rows := knownRowsOf(s.learned)
		b.Queue(learnKnown, rows.values()...)
	}
}

// Learn implements [fairfactor.Store].
func (s *Store) Learn(ctx context.Context, learned []fairfactor.Known) error {
	for i := range learned {
		if err := rules.CheckKnown(&learned[i]); err != nil {
			return err
		}
	}
	if len(learned) == 0 {
		return live(ctx)
	}
	rows := knownRowsOf(learned)
	return s.retry(ctx, "to store what is known", func(ctx context.Context) error {
		_, err := s.reads.Exec(ctx, learnKnown, rows.values()...)
		return err
	})
}

// Known implements [fairfactor.Store].
func (s *Store) Known(ctx context.Context, numbers []string) (found []fairfactor.Known, err error) {
	if len(numbers) == 0 {
		return nil, live(ctx)
	}
	hashes := make([][]byte, len(numbers))
	for i, number := range numbers {
		key := fairfactor.KeyOfNumber(number)
		hashes[i] = key[:]
	}
	if found, err = s.known(ctx, knownColumns+" WHERE hash = ANY($1::bytea[]) UNION ALL "+deadlyAsKnown+" WHERE hash = ANY($1::bytea[])", hashes); err != nil {
		return nil, err
	}
	return withDeadly(slices.DeleteFunc(found, func(k fairfactor.Known) bool { return !slices.Contains(numbers, k.Number) })), nil
}

// ListKnown implements [fairfactor.Store].
func (s *Store) ListKnown(ctx context.Context, after fairfactor.NumberKey, limit int) ([]fairfactor.Known, error) {
	if limit <= 0 {
		return nil, live(ctx)
	}
	return s.known(ctx, knownColumns+" WHERE hash > $1::bytea ORDER BY hash LIMIT $2", after[:], limit)
}

// knownColumns selects results as known reads them.
const knownColumns = "SELECT number, factors, found, cpu, used, NULL::text AS deaths, 0::bigint AS caller, 0::bigint AS seq, 0::bigint AS nonce, '' AS name, used AS since FROM fairfactor.known"

// known reads results, and numbers that are deadly. Those that are damaged are left out.
func (s *Store) known(ctx context.Context, which string, args ...any) (found []fairfactor.Known, err error) {
	err = s.retry(ctx, "to read what is known", func(ctx context.Context) error {
		return s.ask(ctx, func(rows pgx.Rows) error {
			found = nil
			var k fairfactor.Known
			var factors string
			var digits int32
			var d deadlyRow
			_, err := pgx.ForEachRow(rows, append([]any{&k.Number, &factors, &digits, &k.CPU, &k.Used}, d.fields()...), func() error {
				if d.deaths != nil {
					deadly, err := d.deadly(k.Number, k.Used)
					if err != nil {
						s.log.Error("the record of a deadly number is damaged, it is left out", "number", k.Number, "err", err)
						return nil
					}
					found = append(found, fairfactor.Known{Number: k.Number, Deadly: deadly})
					return nil
				}
				parsed, err := parseFactors(factors)
				k.Factors, k.Complete, k.Used = parsed, digits == allFound, k.Used.UTC()
				if err == nil {
					err = rules.CheckKnown(&k)
				}
				if err != nil {
					s.log.Error("a known result is damaged, it counts as unknown", "number", k.Number, "err", err)
					return nil
				}
				found = append(found, k)
				return nil
			})
			return err
		}, which, args...)
	})
	return found, err
}

// trimKnown adds the counts up and forgets what is too much.
const trimKnown = `
	WITH counted AS (
		DELETE FROM fairfactor.known_counts RETURNING n
	), total AS MATERIALIZED (
		SELECT coalesce(sum(n), 0)::bigint AS n FROM counted
	), old AS MATERIALIZED (
		SELECT k.ctid AS at FROM fairfactor.known AS k ORDER BY k.worth, k.used
		LIMIT greatest(least((SELECT n FROM total) - $1, $2), 0) FOR UPDATE SKIP LOCKED
	), gone AS (
		DELETE FROM fairfactor.known AS k USING old WHERE k.ctid = old.at RETURNING 1
	), left_over AS (
		INSERT INTO fairfactor.known_counts (n) SELECT n - (SELECT count(*) FROM gone) FROM total
	)
	SELECT count(*) FROM gone`

// TrimKnown implements [fairfactor.Store].
func (s *Store) TrimKnown(ctx context.Context, keep, limit int) (total int, err error) {
	for total < limit {
		var n int
		step := min(limit-total, trimStep)
		err := s.retry(ctx, "to forget what is known", func(ctx context.Context) error {
			return s.reads.QueryRow(ctx, trimKnown, int64(max(keep, 0)), int64(step)).Scan(&n)
		})
		if total += n; err != nil || n < step {
			return total, err
		}
	}
	return total, live(ctx)
}

// trimStep bounds what one statement forgets.
const trimStep = 1000
