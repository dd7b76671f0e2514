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
	s.run.Pause(ctx, r.Wait)
	switch r.Kind {
	case caller.ReadClaim:
		r.Claim, r.Err = store.ClaimCaller(ctx, name, r.Group)
	case caller.ReadPage:
		r.Page, r.Err = store.Backlog(ctx, c.Number(), r.After, backlog.Page, caller.SparePage())
	case caller.ReadPiece:
		if r.From != "" {
			var work caller.LeftWork
			work, r.Err = s.left(ctx, r)
			r.Piece = work.Data
			return
		}
		r.Piece, r.Err = store.Piece(ctx, c.Number(), r.Order, uint32(r.Number))
	case caller.ReadKeys:
		r.Keyed, r.Err = store.Keyed(ctx, c.Number(), r.Keys, r.Since)
	case caller.ReadJob:
		var job fairfactor.Job
		if job, r.Err = store.Job(ctx, r.Job.ID); r.Err == nil {
			r.Job = job
		}
	case caller.ReadKnown:
		r.Known = s.known(ctx, []string{r.Digits})[r.Digits]
		if r.Own && (r.Known == nil || !r.Known.Complete) {
			var err error
			r.Factors, err = ownFactors(ctx, store, name)
			r.Found = err == nil
		}
	case caller.ReadJobs:
		r.Jobs, r.Err = store.Jobs(ctx, r.Many.IDs)
	case caller.ReadLeft:
		r.Left, r.Err = s.left(ctx, r)
	case caller.ReadEarlier:
		r.Earlier, r.Err = readEarlier(ctx, store, name, r.Since)
	}
}

// leftLimit bounds a question to another caller for the work that a job left: it is not
// worth a long wait.
const leftLimit = 3 * time.Second

// left asks another caller, if it is active, for the work that a job of it left.
func (s *System) left(ctx context.Context, r *caller.Read) (caller.LeftWork, error) {
	ctx, cancel := s.run.Within(ctx, leftLimit)
	defer cancel()
	answer, err := unpacked(s.net.Peek(ctx, CallerKind, r.From, toCaller{caller.AskLeft{Number: r.Digits, Piece: r.Number}}))
	work, ok := answer.(leftWork)
	switch {
	case err != nil:
		return caller.LeftWork{}, err
	case !ok:
		return caller.LeftWork{}, unknown(answer)
	case !work.Found:
		return caller.LeftWork{}, errNothingLeft
	}
	return caller.LeftWork(work), nil
}

var errNothingLeft = fairfactor.Errorf(fairfactor.NotFound, "nothing is left of the work")

// firstEarlier is the first page of [readEarlier]: usually all but one of its jobs are
// too old.
const firstEarlier = 8

// readEarlier reads a caller's newest jobs, by nonce: those since a time, and some
// more, in case a clock was set. Those of the activation that asks are among them,
// which does no harm.
func readEarlier(ctx context.Context, store fairfactor.Store, name string, since time.Time) (map[uint64]*fairfactor.Job, error) {
	found := make(map[uint64]*fairfactor.Job)
	q := fairfactor.Query{Caller: name, Limit: firstEarlier}
	for seen := 0; seen < caller.EarlierJobs; seen += q.Limit {
		page, err := store.List(ctx, q)
		if err != nil {
			return nil, err
		}
		for i := range page.Jobs {
			job := &page.Jobs[i]
			found[job.ID.Nonce] = &fairfactor.Job{
				ID: job.ID, Caller: job.Caller, Number: job.Number, Order: job.Order, State: fairfactor.Pending, Submitted: job.Submitted,
			}
		}
		if page.Next == "" || page.Jobs[len(page.Jobs)-1].Submitted.Before(since) {
			break
		}
		q.Cursor, q.Limit = page.Next, fairfactor.MaxPage
	}
	return found, nil
}

// ownFactors reads the large primes of the caller's newest jobs that have ended, newest
// first.
func ownFactors(ctx context.Context, store fairfactor.Store, name string) (found []fairfactor.Factor, err error) {
	q := fairfactor.Query{Caller: name, States: fairfactor.In(fairfactor.Completed, fairfactor.Failed, fairfactor.Cancelled), Limit: fairfactor.MaxPage}
	for seen := 0; seen < caller.DivisorJobs; seen += q.Limit {
		page, err := store.List(ctx, q)
		if err != nil {
			return nil, err
		}
		for i := range page.Jobs {
			for _, f := range page.Jobs[i].Factors {
				if len(f.Prime) >= caller.DivisorDigits && !f.Probable && len(found) < caller.MaxDivisors {
					found = append(found, f)
				}
			}
		}
		if page.Next == "" {
			break
		}
		q.Cursor = page.Next
	}
	return found, nil
}
