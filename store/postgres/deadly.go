package postgres

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"fairfactor"
	"fairfactor/store/rules"
)

// judge notes what a change says of whether its number is deadly.
func (s *staging) judge(ch *fairfactor.Change) {
	now, ok := rules.Condemned(ch)
	if !ok && !rules.Absolved(ch) {
		return
	}
	if s.deadly == nil {
		s.deadly = map[string]*fairfactor.Deadly{}
	}
	if !ok {
		s.deadly[ch.Job.Number] = nil
		return
	}
	if was := s.deadly[now.Number]; was != nil {
		now, _ = rules.MergeDeadly(*was, now)
	}
	s.deadly[now.Number] = &now
}

// writeDeadly writes the numbers that have become deadly, see [rules.MergeDeadly], and
// deletes those that are no more, in the order of their hashes.
func (s *staging) writeDeadly(b *pgx.Batch) {
	if len(s.deadly) == 0 {
		return
	}
	var pardoned, hashes [][]byte
	var numbers, deaths, names []string
	var callers, seqs, nonces []int64
	var since, used []time.Time
	for _, number := range slices.SortedFunc(maps.Keys(s.deadly), byHash) {
		hash, d := fairfactor.KeyOfNumber(number), s.deadly[number]
		if d == nil {
			pardoned = append(pardoned, hash[:])
			continue
		}
		hashes, numbers = append(hashes, hash[:]), append(numbers, number)
		deaths, names = append(deaths, rules.DeathsText(&d.Deaths)), append(names, d.Caller)
		callers, seqs, nonces = append(callers, int64(d.Job.Caller)), append(seqs, int64(d.Job.Seq)), append(nonces, int64(d.Job.Nonce))
		since, used = append(since, kept(d.Since)), append(used, kept(d.Used))
	}
	if len(pardoned) > 0 {
		b.Queue("DELETE FROM fairfactor.deadly WHERE hash = ANY($1::bytea[])", pardoned)
	}
	if len(hashes) > 0 {
		b.Queue(condemn, hashes, numbers, deaths, callers, seqs, nonces, names, since, used, fairfactor.DeadlyTouch)
	}
}

// byHash is the order in which groups write numbers, so that none waits for another one in
// a circle.
func byHash(x, y string) int {
	a, b := fairfactor.KeyOfNumber(x), fairfactor.KeyOfNumber(y)
	return bytes.Compare(a[:], b[:])
}

// condemn is [rules.MergeDeadly] of what is stored and each new row.
const condemn = `
	INSERT INTO fairfactor.deadly AS d (hash, number, deaths, caller, seq, nonce, name, since, used)
	SELECT * FROM unnest($1::bytea[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[], $8::timestamptz[], $9::timestamptz[])
		AS u (hash, number, deaths, caller, seq, nonce, name, since, used) ORDER BY u.hash
	ON CONFLICT (hash) DO UPDATE SET number = excluded.number, deaths = excluded.deaths,
		caller = CASE WHEN d.deaths = excluded.deaths AND d.since <= excluded.since THEN d.caller ELSE excluded.caller END,
		seq = CASE WHEN d.deaths = excluded.deaths AND d.since <= excluded.since THEN d.seq ELSE excluded.seq END,
		nonce = CASE WHEN d.deaths = excluded.deaths AND d.since <= excluded.since THEN d.nonce ELSE excluded.nonce END,
		name = CASE WHEN d.deaths = excluded.deaths AND d.since <= excluded.since THEN d.name ELSE excluded.name END,
		since = CASE WHEN d.deaths = excluded.deaths THEN least(d.since, excluded.since) ELSE excluded.since END,
		used = CASE WHEN d.deaths = excluded.deaths AND excluded.used < d.used + $10::interval THEN d.used ELSE excluded.used END
	WHERE d.deaths <> excluded.deaths OR excluded.since < d.since OR excluded.used >= d.used + $10::interval`

// deadlyRow is a row of deadly without its number and last use.
type deadlyRow struct {
	deaths             *string // nil in a row of known
	caller, seq, nonce int64
	name               string
	since              time.Time
}

func (r *deadlyRow) fields() []any {
	return []any{&r.deaths, &r.caller, &r.seq, &r.nonce, &r.name, &r.since}
}

func (r *deadlyRow) deadly(number string, used time.Time) (*fairfactor.Deadly, error) {
	deaths, ok := rules.ParseDeaths(*r.deaths)
	if !ok || deaths == nil || !rules.Decimal(number) {
		return nil, fairfactor.Errorf(fairfactor.Internal, "its deaths or its number can't be read")
	}
	return &fairfactor.Deadly{
		Number: number, Deaths: *deaths, Job: fairfactor.ID{Nonce: uint64(r.nonce), Caller: uint64(r.caller), Seq: uint64(r.seq)}, Caller: r.name,
		Since: r.since.UTC(), Used: used.UTC(),
	}, nil
}

// deadlyAsKnown selects numbers that are deadly as the rows of known are read.
const deadlyAsKnown = "SELECT number, '', 0, 0::bigint, used, deaths, caller, seq, nonce, name, since FROM fairfactor.deadly"

// withDeadly makes one of what is known of a number and that it is deadly, which come one
// after the other.
func withDeadly(found []fairfactor.Known) []fairfactor.Known {
	slices.SortStableFunc(found, func(a, b fairfactor.Known) int { return cmp.Compare(a.Number, b.Number) })
	kept := found[:0]
	for _, k := range found {
		if n := len(kept); n > 0 && kept[n-1].Number == k.Number && k.Deadly != nil {
			kept[n-1].Deadly = k.Deadly
			continue
		}
		kept = append(kept, k)
	}
	return kept
}

// Deadly implements [fairfactor.DeadlyStore].
func (s *Store) Deadly(ctx context.Context) ([]fairfactor.Deadly, error) {
	found, err := s.known(ctx, deadlyAsKnown+" ORDER BY used DESC LIMIT $1", fairfactor.MaxDeadly)
	all := make([]fairfactor.Deadly, len(found))
	for i := range found {
		all[i] = *found[i].Deadly
	}
	return rules.Deadliest(all), err
}

// TrimDeadly implements [fairfactor.DeadlyStore].
func (s *Store) TrimDeadly(ctx context.Context, before time.Time) error {
	return s.retry(ctx, "to forget deadly numbers", func(ctx context.Context) error {
		_, err := s.reads.Exec(ctx, `DELETE FROM fairfactor.deadly WHERE used < $1
			OR hash IN (SELECT hash FROM fairfactor.deadly ORDER BY used DESC, number OFFSET $2)`, before, fairfactor.MaxDeadly)
		return err
	})
}
