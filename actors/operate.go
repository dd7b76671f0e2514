package actors

import (
	"cmp"
	"context"
	"errors"
	"time"

	"fairfactor"
	"fairfactor/actors/caller"
)

// An operation on many jobs is a record in the store, and what works on it may die at
// any moment. The node of the scheduler does it, a page at a time: the page is saved
// with the operation before anything of it is changed, and what became of it together
// with the next one. So the node that goes on knows which jobs may have been changed.
// Jobs are changed by the actors of their callers only. The epoch of the scheduler keeps
// an earlier one from writing.

const (
	// openOperations is how many operations are worked on in turns.
	openOperations = 100
	// changeLimit bounds the time for a page; then it is asked for again.
	changeLimit = time.Minute
)

// operated tells the scheduler that no operation is worked on.
type operated struct{}

// operate looks for operations that are open, once a second, and works on them. A
// scheduler that has stopped has them taken over by the next one.
func (a *scheduler) operate() {
	if a.operating {
		return
	}
	a.operating = true
	o, self := &operator{v: a.sys.Service(), epoch: a.epoch, listed: map[string]bool{}}, a.self
	a.sys.background(func(ctx context.Context) {
		for o.round(ctx) {
		}
		o.v.sys.send(self, operated{})
	})
}

// operator works on operations for one scheduler.
type operator struct {
	v     *Service
	epoch uint64
	// listed are the operations whose pages were listed here and not sent yet: the
	// pages of others may have been changed in part.
	listed map[string]bool
}

// round takes each open operation a page further; one that can't go on holds up no
// other. It is false if there are none, or nothing can be done now.
func (o *operator) round(ctx context.Context) (more bool) {
	ops, err := o.v.sys.cfg.Store.OpenOperations(ctx, openOperations)
	if err != nil {
		o.failed(ctx, "", err)
		return false
	}
	for i := range ops {
		err := o.page(ctx, &ops[i])
		switch {
		case ctx.Err() != nil || errors.Is(err, fairfactor.ErrFenced):
			return false
		case err != nil:
			o.failed(ctx, ops[i].ID, err)
		default:
			more = true
		}
	}
	return more
}

// failed tells the operator of the node why an operation does not go on; id is empty if
// none does.
func (o *operator) failed(ctx context.Context, id string, err error) {
	if ctx.Err() == nil {
		o.v.sys.log.Warn("an operation on many jobs can't go on, trying again", "operation", id, "err", err)
	}
}

// page changes the page of an operation, lists the next one and saves both.
func (o *operator) page(ctx context.Context, op *fairfactor.Operation) error {
	if op.Epoch > o.epoch {
		return fairfactor.ErrFenced
	}
	op.Epoch = o.epoch
	again, last := !o.listed[op.ID], op.Cursor == "" && op.Page != nil
	delete(o.listed, op.ID)
	next := *op
	var listErr, changeErr error
	o.v.sys.run.Each(2, func(i int) { // the next page does not depend on what becomes of this one
		switch {
		case i == 0:
			changeErr = o.change(ctx, op, again)
		case !last:
			listErr = o.list(ctx, &next)
		}
	})
	if err := cmp.Or(changeErr, listErr); err != nil {
		return err
	}
	if op.Page, op.Orders, op.Cursor = next.Page, next.Orders, next.Cursor; last {
		op.Page, op.Orders, op.Finished = nil, nil, o.v.sys.now().UTC().Truncate(time.Microsecond)
	}
	come(op)
	if err := o.v.sys.cfg.Store.SaveOperation(ctx, *op); err != nil {
		return err
	}
	if len(op.Page) > 0 {
		o.listed[op.ID] = true
	}
	return nil
}

// list reads the next page of an operation.
func (o *operator) list(ctx context.Context, op *fairfactor.Operation) error {
	op.Page, op.Orders = []fairfactor.ID{}, nil
	q := op.Query
	q.Limit, q.Cursor = fairfactor.MaxPage, op.Cursor
	page, err := o.v.sys.cfg.Store.List(ctx, q)
	for i := range page.Jobs {
		if job := &page.Jobs[i]; op.Top == 0 || job.ID.Seq <= op.Top {
			op.Page, op.Orders = append(op.Page, job.ID), append(op.Orders, job.Order)
		}
	}
	op.Cursor = page.Next
	return err
}

// change has the callers of a page change their jobs.
func (o *operator) change(ctx context.Context, op *fairfactor.Operation, again bool) error {
	ctx, cancel := o.v.sys.run.Within(ctx, changeLimit)
	defer cancel()
	for _, m := range byCaller(op) {
		name, err := o.v.callerOf(ctx, op, m.IDs)
		if fairfactor.CodeOf(err) == fairfactor.NotFound {
			op.Skipped += uint64(len(m.IDs)) // they are gone
			continue
		}
		if err != nil {
			return err
		}
		m.Retry, m.Waiting = op.Kind == fairfactor.RetryJobs, !op.Query.States.Has(fairfactor.Running)
		m.Again, m.Since = again, op.Created
		c, err := o.v.changeMany(ctx, name, m)
		if err != nil {
			return err
		}
		op.Done, op.Skipped = op.Done+c.Done, op.Skipped+c.Skipped
	}
	return nil
}

// changeMany asks a caller until it answers. What is asked again says so: otherwise jobs that
// the first one changed, whose answer got lost, would count as skipped.
func (v *Service) changeMany(ctx context.Context, name string, m caller.Many) (c changed, err error) {
	for p := v.sys.newPace(); ; p.rest(ctx) {
		message := m
		answer, err := unpacked(v.sys.net.AskOnce(ctx, CallerKind, name, toCaller{&message}))
		switch lost := errors.Is(err, fairfactor.ErrUnanswered); {
		case err == nil:
			c, ok := answer.(changed)
			if !ok {
				return c, unknown(answer)
			}
			return c, nil
		case !lost && !errors.Is(err, caller.ErrMoved) || p.over(ctx):
			return c, err
		default:
			m.Again = m.Again || lost
		}
	}
}

// byCaller divides the page of an operation among the callers of its jobs. Those of one keep
// their order.
func byCaller(op *fairfactor.Operation) (all []caller.Many) {
	at := map[uint64]int{}
	for k, id := range op.Page {
		i, ok := at[id.Caller]
		if !ok {
			i = len(all)
			at[id.Caller], all = i, append(all, caller.Many{})
		}
		m := &all[i]
		if m.IDs = append(m.IDs, id); len(op.Orders) > 0 { // an earlier version notes none
			m.Orders = append(m.Orders, op.Orders[k])
		}
	}
	return all
}

// callerOf returns the name of the caller of jobs. Some of them may be gone.
func (v *Service) callerOf(ctx context.Context, op *fairfactor.Operation, ids []fairfactor.ID) (name string, err error) {
	if op.Query.Caller != "" {
		return op.Query.Caller, nil
	}
	for _, id := range ids {
		job, err := v.sys.cfg.Store.Job(ctx, id)
		if fairfactor.CodeOf(err) != fairfactor.NotFound {
			return job.Caller, err
		}
	}
	return "", fairfactor.Errorf(fairfactor.NotFound, "all of the jobs are gone")
}

// CancelAll implements fairfactor.Jobs.
func (v *Service) CancelAll(ctx context.Context, q fairfactor.Query) (fairfactor.Operation, error) {
	return v.accept(ctx, fairfactor.CancelJobs, q)
}

// RetryAll implements fairfactor.Jobs.
func (v *Service) RetryAll(ctx context.Context, q fairfactor.Query) (fairfactor.Operation, error) {
	return v.accept(ctx, fairfactor.RetryJobs, q)
}

// Operation implements fairfactor.Jobs.
func (v *Service) Operation(ctx context.Context, id string) (fairfactor.Operation, error) {
	return v.sys.cfg.Store.Operation(ctx, id)
}

// accept saves an operation, which the scheduler's node then works on.
func (v *Service) accept(ctx context.Context, kind fairfactor.OperationKind, q fairfactor.Query) (op fairfactor.Operation, err error) {
	if err := fairfactor.CheckOperation(kind, &q); err != nil {
		return op, err
	}
	now := v.sys.now().UTC().Truncate(time.Microsecond)
	op = fairfactor.Operation{ID: fairfactor.NewOperationID(now, uint32(v.sys.run.Nonce())), Kind: kind, Query: q, Created: now}
	op.Query.Limit, op.Query.Cursor = 0, ""
	if q.Caller != "" {
		if _, err := v.sys.cfg.Store.Caller(ctx, q.Caller); err != nil {
			return op, err
		}
		if op.Top, err = v.top(ctx, q.Caller); err != nil {
			return op, err
		}
		if op.Top == 0 { // nothing to do: what it submits from now on is left alone
			op.Finished = now
			return op, v.sys.cfg.Store.SaveOperation(ctx, op)
		}
	} else if q.Until.IsZero() || q.Until.After(now) {
		op.Query.Until = now
	}
	if err = v.count(ctx, &op); err != nil {
		return op, err
	}
	return op, v.sys.cfg.Store.SaveOperation(ctx, op)
}

// top returns the highest sequence number of a caller's jobs.
func (v *Service) top(ctx context.Context, name string) (uint64, error) {
	page, err := v.sys.cfg.Store.List(ctx, fairfactor.Query{Caller: name, Limit: 1})
	if err != nil || len(page.Jobs) == 0 {
		return 0, err
	}
	return page.Jobs[0].ID.Seq, nil
}

// countedPages bounds the pages of jobs that are counted while a request waits.
const countedPages = 10

// count counts the jobs that suit an operation now. Those of a whole queue are counted
// already; of others the first ones are.
func (v *Service) count(ctx context.Context, op *fairfactor.Operation) error {
	q := op.Query
	if whole := q.Number == "" && q.Since.IsZero() && q.Until.IsZero(); whole && op.Kind == fairfactor.CancelJobs {
		c, err := v.Caller(ctx, q.Caller)
		if op.Matched = c.Queued; !q.States.Has(fairfactor.Running) {
			op.Matched -= c.Running
		}
		return err
	}
	q.Limit = fairfactor.MaxPage
	for range countedPages {
		page, err := v.sys.cfg.Store.List(ctx, q)
		if err != nil {
			return err
		}
		for i := range page.Jobs {
			if op.Top == 0 || page.Jobs[i].ID.Seq <= op.Top {
				op.Matched++
			}
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return nil
		}
	}
	op.Uncounted = true
	return nil
}

// come notes how many jobs an operation has come to: all of them once it is done.
func come(op *fairfactor.Operation) {
	op.Matched = max(op.Matched, op.Done+op.Skipped+uint64(len(op.Page)))
	if !op.Finished.IsZero() {
		op.Uncounted = false
	}
}
