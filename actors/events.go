package actors

import (
	"context"

	"fairfactor"
)

// Events returns what has happened after a position, see [fairfactor.Store].
func (v *Service) Events(ctx context.Context, after fairfactor.Position, limit int, wanted func(caller, seq uint64) bool) (fairfactor.EventPage, error) {
	return v.sys.cfg.Store.Events(ctx, after, limit, wanted)
}

// Changed returns a channel that is closed when this node has next changed the store.
func (v *Service) Changed() <-chan struct{} { return v.sys.cfg.Store.Changed() }

// Stored returns many jobs as they are stored, see [fairfactor.Store].
func (v *Service) Stored(ctx context.Context, ids []fairfactor.ID) ([]fairfactor.Job, error) {
	return v.sys.cfg.Store.Jobs(ctx, ids)
}

// Running returns the jobs that run now, as far as they take more than a moment.
func (v *Service) Running(ctx context.Context) (jobs []fairfactor.Job) {
	for _, c := range v.living(ctx) {
		jobs = append(jobs, c.jobs...)
	}
	return jobs
}
