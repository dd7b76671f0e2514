package pebble

import (
	"context"
	"runtime"

	"fairfactor"
)

// yieldEvery is after how many jobs one who reads many lets others run: some 0.5 ms. The
// runtime would let it go on for 10 ms, and a node of two cores has few places to run.
const yieldEvery = 64

// Jobs implements [fairfactor.Store].
func (s *Store) Jobs(ctx context.Context, ids []fairfactor.ID) ([]fairfactor.Job, error) {
	jobs := make([]fairfactor.Job, len(ids))
	for i, id := range ids {
		if i%yieldEvery == yieldEvery-1 {
			runtime.Gosched()
		}
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
