package actors

import (
	"context"
	"slices"

	"fairfactor"
)

// List implements fairfactor.Jobs. The store has the jobs, but takes all that are
// unfinished for pending; which of them run is known by the nodes.
func (v *Service) List(ctx context.Context, q fairfactor.Query) (page fairfactor.Page, err error) {
	if q.States != 0 && q.States.Has(fairfactor.Running) && !q.States.Has(fairfactor.Pending) {
		return v.listRunning(ctx, q)
	}
	for {
		page, err = v.sys.cfg.Store.List(ctx, q)
		if err != nil || !slices.ContainsFunc(page.Jobs, unfinished) {
			return page, err
		}
		page.Jobs = v.overlay(ctx, q.States, page.Jobs)
		if q.Cursor = page.Next; len(page.Jobs) > 0 || q.Cursor == "" {
			return page, nil
		}
	}
}

// overlay shows the jobs that run as they are now, and leaves out those that are in
// none of the states then.
func (v *Service) overlay(ctx context.Context, states fairfactor.States, jobs []fairfactor.Job) []fairfactor.Job {
	v.showRunning(ctx, jobs)
	return slices.DeleteFunc(jobs, func(j fairfactor.Job) bool { return !states.Has(j.State) })
}

// listRunning lists jobs that run, newest first, and on the same page those in other
// states. What runs changes all the time, so it is on the first page only; what does
// not fit is left out.
func (v *Service) listRunning(ctx context.Context, q fairfactor.Query) (page fairfactor.Page, err error) {
	if q.Cursor == "" {
		page.Jobs = v.running(ctx, q)
	}
	others, some := q.States.Without(fairfactor.Running)
	if !some {
		return page, nil
	}
	page.Jobs = page.Jobs[:min(len(page.Jobs), q.Limit-1)]
	q.States, q.Limit = others, q.Limit-len(page.Jobs)
	rest, err := v.sys.cfg.Store.List(ctx, q)
	return fairfactor.Page{Jobs: append(page.Jobs, rest.Jobs...), Next: rest.Next}, err
}

// running returns the jobs of a query that run now.
func (v *Service) running(ctx context.Context, q fairfactor.Query) (jobs []fairfactor.Job) {
	for _, c := range v.living(ctx) {
		for i := range c.jobs {
			if q.Matches(&c.jobs[i]) {
				jobs = append(jobs, c.jobs[i])
			}
		}
	}
	slices.SortFunc(jobs, func(a, b fairfactor.Job) int { return b.Submitted.Compare(a.Submitted) })
	return jobs[:min(len(jobs), max(q.Limit, 0))]
}
