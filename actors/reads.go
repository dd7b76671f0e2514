package actors

import (
	"context"
	"time"

	"fairfactor"
	"fairfactor/actors/backlog"
	"fairfactor/actors/caller"
)

// storeLimit bounds one read or claim of the store.
const storeLimit = 10 * time.Second

// read answers a caller's question to the store.
func (s *System) read(ctx context.Context, name string, c *caller.Caller, r *caller.Read) {
	store := s.cfg.Store
	pause(ctx, r.Wait)
	switch r.Kind {
	case caller.ReadClaim:
		r.Claim, r.Err = store.ClaimCaller(ctx, name, r.Group)
	case caller.ReadPage:
		r.Page, r.Err = store.Backlog(ctx, c.Number(), r.After, backlog.Page)
	case caller.ReadPiece:
		r.Piece, r.Err = store.Piece(ctx, c.Number(), r.Order, uint32(r.Number))
	case caller.ReadKeys:
		r.Keyed, r.Err = store.Keyed(ctx, c.Number(), r.Keys, r.Since)
	case caller.ReadJob:
		var job fairfactor.Job
		if job, r.Err = store.Job(ctx, r.Job.ID); r.Err == nil {
			r.Job = job
		}
	case caller.ReadEarlier:
		r.Earlier, r.Err = readEarlier(ctx, store, name, r.Since)
	}
}

// readEarlier reads a caller's newest jobs, by nonce. Those of the activation that
// asks are among them, which does no harm.
func readEarlier(ctx context.Context, store fairfactor.Store, name string, since time.Time) (map[uint64]*fairfactor.Job, error) {
	found := make(map[uint64]*fairfactor.Job)
	q := fairfactor.Query{Caller: name, Limit: fairfactor.MaxPage}
	for seen := 0; seen < caller.EarlierJobs; seen += fairfactor.MaxPage {
		page, err := store.List(ctx, q)
		if err != nil {
			return nil, err
		}
		for i := range page.Jobs {
			job := &page.Jobs[i]
			if job.Submitted.Before(since) {
				return found, nil
			}
			found[job.ID.Nonce] = &fairfactor.Job{
				ID: job.ID, Caller: job.Caller, Number: job.Number, Order: job.Order, State: fairfactor.Pending, Submitted: job.Submitted,
			}
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			break
		}
	}
	return found, nil
}

// pause waits; it is false if ctx has ended.
func pause(ctx context.Context, wait time.Duration) bool {
	if wait == 0 {
		return ctx.Err() == nil
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(wait):
		return true
	}
}
