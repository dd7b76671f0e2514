package actors

import (
	"context"
	"slices"

	"fairfactor"
)

// Get implements fairfactor.Jobs. Which of them run now is what lists show too: it is
// asked once for all.
func (v *Service) Get(ctx context.Context, ids []fairfactor.ID) ([]fairfactor.Job, error) {
	jobs, err := v.sys.cfg.Store.Jobs(ctx, ids)
	if err != nil {
		return nil, err
	}
	v.showRunning(ctx, jobs)
	return jobs, nil
}

// showRunning replaces those of stored jobs that run by what is known of them where
// they do.
func (v *Service) showRunning(ctx context.Context, jobs []fairfactor.Job) {
	if !slices.ContainsFunc(jobs, unfinished) {
		return
	}
	running := map[fairfactor.ID]*fairfactor.Job{}
	for _, c := range v.living(ctx) {
		for i := range c.jobs {
			running[c.jobs[i].ID] = &c.jobs[i]
		}
	}
	for i := range jobs {
		if now := running[jobs[i].ID]; now != nil && unfinished(jobs[i]) {
			jobs[i] = *now
		}
	}
}

// unfinished tells whether a job exists and has not ended.
func unfinished(j fairfactor.Job) bool { return j.State != 0 && !j.State.Final() }
