package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"fairfactor"
)

// Keyed implements [fairfactor.Store].
func (s *Store) Keyed(ctx context.Context, caller uint64, keys []string, since time.Time) (found map[string]fairfactor.Job, err error) {
	var asked []string
	for _, key := range keys {
		if key != "" && storable(key) {
			asked = append(asked, key)
		}
	}
	if len(asked) == 0 || caller > maxNumber {
		return nil, live(ctx)
	}
	err = s.retry(ctx, "to read keys", func(ctx context.Context) error {
		found = map[string]fairfactor.Job{}
		name, err := s.name(ctx, int64(caller))
		if err != nil {
			return err
		}
		// A key may outlive its job when it was about to be written as the job expired.
		var jobs []fairfactor.Job
		err = s.ask(ctx, func(rows pgx.Rows) error {
			jobs = nil
			var r jobRow
			_, err := pgx.ForEachRow(rows, r.fields(), func() error {
				job, err := r.job(name)
				jobs = append(jobs, job)
				return err
			})
			return err
		}, `SELECT `+jobColumns+` FROM unnest($3::text[]) AS u (asked)
			CROSS JOIN LATERAL (SELECT * FROM fairfactor.keys AS x WHERE x.caller = $2 AND x.key = u.asked COLLATE "C"
				AND x.submitted >= $4::timestamptz + `+skew+` * interval '1 microsecond' OFFSET 0) AS k (kcaller, kkey, kseq, knonce, ksubmitted)
			CROSS JOIN LATERAL (
				SELECT `+jobColumns+` FROM fairfactor.jobs WHERE caller = $2 AND seq = kseq
				UNION ALL
				SELECT `+queueColumns+` FROM fairfactor.queue WHERE caller = $2 AND ord = kseq AND ord = seq
				UNION ALL
				SELECT `+queueColumns+` FROM fairfactor.queue WHERE caller = $2 AND seq = kseq AND ord <> seq
			) AS j WHERE j.nonce = knonce`, s.now(), int64(caller), asked, kept(since))
		if err == nil {
			err = s.attach(ctx, pointers(jobs))
		}
		for i := range jobs {
			found[jobs[i].Key] = jobs[i]
		}
		return err
	})
	return found, err
}
