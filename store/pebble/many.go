package pebble

import (
	"context"

	"fairfactor"
)

// Jobs implements [fairfactor.Store].
func (s *Store) Jobs(ctx context.Context, ids []fairfactor.ID) ([]fairfactor.Job, error) {
	jobs := make([]fairfactor.Job, len(ids))
	for i, id := range ids {
		job, err := s.Job(ctx, id)
		switch {
		case err == nil:
			jobs[i] = job
		case fairfactor.CodeOf(err) != fairfactor.NotFound:
			return nil, err
		}
	}
	return jobs, live(ctx)
}
