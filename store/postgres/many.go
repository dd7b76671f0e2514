package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"fairfactor"
)

// Jobs implements [fairfactor.Store]. Each part of the statement finds its rows one
// by one, by an index, see the statements that delete.
func (s *Store) Jobs(ctx context.Context, ids []fairfactor.ID) ([]fairfactor.Job, error) {
	stand := make(map[jobKey][]int, len(ids)) // where the ids of a job stand
	var callers, seqs []int64
	for i, id := range ids {
		if id.Caller > maxNumber || id.Seq > maxNumber {
			continue
		}
		p := jobKey{id.Caller, id.Seq}
		if stand[p] == nil {
			callers, seqs = append(callers, int64(id.Caller)), append(seqs, int64(id.Seq))
		}
		stand[p] = append(stand[p], i)
	}
	if len(callers) == 0 {
		return make([]fairfactor.Job, len(ids)), live(ctx)
	}
	var jobs []fairfactor.Job
	err := s.retry(ctx, "to read jobs", func(ctx context.Context) error {
		jobs = make([]fairfactor.Job, len(ids))
		return s.readMany(ctx, callers, seqs, nil, func(j fairfactor.Job) {
			for _, i := range stand[jobKey{j.ID.Caller, j.ID.Seq}] {
				if j.ID == ids[i] {
					jobs[i] = j
				}
			}
		})
	})
	return jobs, err
}

// readMany calls f with each of the jobs with those keys that exist. One that can't be read
// is an error, unless damaged is there to be told.
func (s *Store) readMany(ctx context.Context, callers, seqs []int64, damaged func(*jobRow, error), f func(fairfactor.Job)) error {
	var jobs []fairfactor.Job
	err := s.ask(ctx, func(rows pgx.Rows) error {
		jobs = nil
		var r jobRow
		_, err := pgx.ForEachRow(rows, r.fields(), func() error {
			j, err := r.job("")
			if damaged != nil && err != nil {
				damaged(&r, err)
				return nil
			}
			jobs = append(jobs, j)
			return err
		})
		return err
	}, manyJobs, callers, seqs)
	if err == nil {
		err = s.complete(ctx, pointers(jobs))
	}
	for i := 0; err == nil && i < len(jobs); i++ {
		f(jobs[i])
	}
	return err
}

// manyJobs reads jobs by caller and sequence number.
const manyJobs = "SELECT " + jobColumns + ` FROM (
	SELECT j.* FROM unnest($1::bigint[], $2::bigint[]) AS u (caller, seq)
	CROSS JOIN LATERAL (SELECT ` + jobColumns + ` FROM fairfactor.jobs AS x WHERE x.caller = u.caller AND x.seq = u.seq OFFSET 0) AS j
	UNION ALL
	SELECT q.* FROM unnest($1::bigint[], $2::bigint[]) AS u (caller, seq)
	CROSS JOIN LATERAL (SELECT ` + queueColumns + ` FROM fairfactor.queue AS x WHERE x.caller = u.caller AND x.ord = u.seq AND x.ord = x.seq OFFSET 0) AS q
	UNION ALL
	SELECT q.* FROM unnest($1::bigint[], $2::bigint[]) AS u (caller, seq)
	CROSS JOIN LATERAL (SELECT ` + queueColumns + ` FROM fairfactor.queue AS x WHERE x.caller = u.caller AND x.seq = u.seq AND x.ord <> x.seq OFFSET 0) AS q
) AS r`
