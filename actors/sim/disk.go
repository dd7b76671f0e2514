package sim

import (
	"context"
	"slices"
	"sync"
	"time"

	"fairfactor"
)

type locker = sync.Locker

// disk is the store as one process reaches it. What is not said here is answered at
// once.
type disk struct {
	fairfactor.Store
	p *process
}

var _ fairfactor.Store = (*disk)(nil)

// errDown answers what does not reach the store.
var errDown = fairfactor.Errorf(fairfactor.Unavailable, "the store can't be reached")

// storeTime is how long the way to the store takes.
func (p *process) storeTime() time.Duration {
	return p.place.lag + p.w.often(500*time.Microsecond, 50*time.Millisecond)
}

// trip does something at the store, and takes its time. Changes may take effect
// though no answer comes back.
func (d *disk) trip(ctx context.Context, do func() error) error {
	p, w := d.p, d.p.w
	if err := ctx.Err(); err != nil {
		return fairfactor.Wrap(fairfactor.Canceled, err, "the caller went away")
	}
	if w.chance(p.run.failing) {
		w.sleep(p.storeTime())
		return errDown
	}
	limit := min(w.limit(ctx), w.now+20*time.Second)
	if p.place.loose {
		w.sleep(min(limit-w.now, 2*time.Second))
		return errDown
	}
	w.sleep(min(p.storeTime(), limit-w.now))
	if p.place.loose || w.now >= limit {
		return errDown
	}
	err := do()
	w.sleep(w.often(200*time.Microsecond, 20*time.Millisecond))
	if p.place.loose {
		return errDown
	}
	return err
}

// flight is a group on its way.
type flight struct {
	changes []fairfactor.Change
	errs    []error
	done    bool
	answer  func()
}

// Apply implements [fairfactor.Store]. The answer comes when it is known what became
// of the group, however long that takes; until then no one does.
func (d *disk) Apply(_ context.Context, changes []fairfactor.Change) ([]error, error) {
	p, w := d.p, d.p.w
	if p.place.loose || w.chance(p.run.failing) {
		w.sleep(w.between(time.Millisecond, 2*time.Second))
		return nil, errDown
	}
	f := &flight{changes: make([]fairfactor.Change, len(changes))}
	for i := range changes {
		f.changes[i] = changes[i]
		if j := changes[i].Job; j != nil {
			own := *j
			f.changes[i].Job = &own
		}
	}
	p.flights = append(p.flights, f)
	w.after(p.storeTime(), nil, func() { p.land(f) })
	for !f.done || p.place.loose {
		w.wait(w.now+time.Second, func(wake func()) { f.answer = wake })
	}
	w.sleep(w.often(500*time.Microsecond, 100*time.Millisecond))
	return f.errs, nil
}

// land makes a group durable.
func (p *process) land(f *flight) {
	if f.done || p.dead && p.run.opts.Embedded {
		return
	}
	f.done = true
	for i, g := range p.flights {
		if g == f {
			p.flights = append(p.flights[:i], p.flights[i+1:]...)
			break
		}
	}
	r := p.run
	f.errs = r.apply(f.changes)
	for i := range f.changes {
		var err error
		if f.errs != nil {
			err = f.errs[i]
		}
		r.wrote(p, &f.changes[i], err)
	}
	if f.answer != nil && !p.dead {
		f.answer()
	}
}

// apply makes changes in the store, unless they come from activations that believe in
// what is lost.
func (r *run) apply(changes []fairfactor.Change) []error {
	if slices.ContainsFunc(changes, func(ch fairfactor.Change) bool { return ch.Epoch < r.since }) {
		errs := make([]error, len(changes))
		for i := range changes {
			if errs[i] = fairfactor.ErrWentBack; changes[i].Epoch >= r.since {
				errs[i] = nil
				if own, _ := r.store.Apply(context.Background(), changes[i:i+1]); own != nil {
					errs[i] = own[0]
				}
			}
		}
		return errs
	}
	errs, _ := r.store.Apply(context.Background(), changes)
	return errs
}

// ClaimCaller implements [fairfactor.Store], as all that follow.
func (d *disk) ClaimCaller(ctx context.Context, name, group string) (claim fairfactor.Claim, err error) {
	err = d.trip(ctx, func() (err error) {
		if table := d.p.cluster.table; table != nil && !table.Has(d.p.id) {
			return fairfactor.Errorf(fairfactor.Unavailable, "this node is no member of the cluster any more")
		}
		claim, err = d.p.run.store.ClaimCaller(context.Background(), name, group)
		d.p.run.claimed(d.p, name, claim)
		return err
	})
	return claim, err
}

// ClaimScheduler implements [fairfactor.Store].
func (d *disk) ClaimScheduler(ctx context.Context) (claim fairfactor.SchedulerClaim, err error) {
	err = d.trip(ctx, func() (err error) {
		claim, err = d.p.run.store.ClaimScheduler(context.Background())
		return err
	})
	return claim, err
}

// Job implements [fairfactor.Store].
func (d *disk) Job(ctx context.Context, id fairfactor.ID) (job fairfactor.Job, err error) {
	err = d.trip(ctx, func() (err error) {
		job, err = d.p.run.store.Job(context.Background(), id)
		return err
	})
	return job, err
}

// Backlog implements [fairfactor.Store].
func (d *disk) Backlog(ctx context.Context, caller, after uint64, limit int, into []fairfactor.Waiting) (page []fairfactor.Waiting, err error) {
	err = d.trip(ctx, func() (err error) {
		page, err = d.p.run.store.Backlog(context.Background(), caller, after, limit, into)
		return err
	})
	return page, err
}

// Piece implements [fairfactor.Store].
func (d *disk) Piece(ctx context.Context, caller, order uint64, number uint32) (piece []byte, err error) {
	err = d.trip(ctx, func() (err error) {
		piece, err = d.p.run.store.Piece(context.Background(), caller, order, number)
		return err
	})
	return piece, err
}

// List implements [fairfactor.Store].
func (d *disk) List(ctx context.Context, q fairfactor.Query) (page fairfactor.Page, err error) {
	err = d.trip(ctx, func() (err error) {
		page, err = d.p.run.store.List(context.Background(), q)
		return err
	})
	return page, err
}

// Keyed implements [fairfactor.Store].
func (d *disk) Keyed(ctx context.Context, caller uint64, keys []string, since time.Time) (jobs map[string]fairfactor.Job, err error) {
	err = d.trip(ctx, func() (err error) {
		jobs, err = d.p.run.store.Keyed(context.Background(), caller, keys, since)
		return err
	})
	return jobs, err
}

// Jobs implements [fairfactor.Store].
func (d *disk) Jobs(ctx context.Context, ids []fairfactor.ID) (jobs []fairfactor.Job, err error) {
	err = d.trip(ctx, func() (err error) {
		jobs, err = d.p.run.store.Jobs(context.Background(), ids)
		return err
	})
	return jobs, err
}

// Callers implements [fairfactor.Store].
func (d *disk) Callers(ctx context.Context, after string, limit int) (callers []fairfactor.Caller, err error) {
	err = d.trip(ctx, func() (err error) {
		callers, err = d.p.run.store.Callers(context.Background(), after, limit)
		return err
	})
	return callers, err
}

// CallersNamed implements [fairfactor.Store].
func (d *disk) CallersNamed(ctx context.Context, names []string) (callers []fairfactor.Caller, err error) {
	err = d.trip(ctx, func() (err error) {
		callers, err = d.p.run.store.CallersNamed(context.Background(), names)
		return err
	})
	return callers, err
}

// Foremost implements [fairfactor.Store].
func (d *disk) Foremost(ctx context.Context, order fairfactor.CallerOrder, limit int) (callers []fairfactor.Caller, err error) {
	err = d.trip(ctx, func() (err error) {
		callers, err = d.p.run.store.Foremost(context.Background(), order, limit)
		return err
	})
	return callers, err
}

// Backlogged implements [fairfactor.Store].
func (d *disk) Backlogged(ctx context.Context, after uint64, limit int) (callers []fairfactor.Backlogged, err error) {
	err = d.trip(ctx, func() (err error) {
		callers, err = d.p.run.store.Backlogged(context.Background(), after, limit)
		return err
	})
	return callers, err
}

// Caller implements [fairfactor.Store].
func (d *disk) Caller(ctx context.Context, name string) (caller fairfactor.Caller, err error) {
	err = d.trip(ctx, func() (err error) {
		caller, err = d.p.run.store.Caller(context.Background(), name)
		return err
	})
	return caller, err
}

// Events implements [fairfactor.Store].
func (d *disk) Events(ctx context.Context, after fairfactor.Position, limit int, wanted func(caller, seq uint64) bool) (page fairfactor.EventPage, err error) {
	err = d.trip(ctx, func() (err error) {
		page, err = d.p.run.store.Events(context.Background(), after, limit, wanted)
		return err
	})
	return page, err
}

// SaveOperation implements [fairfactor.Store].
func (d *disk) SaveOperation(ctx context.Context, op fairfactor.Operation) error {
	return d.trip(ctx, func() error { return d.p.run.store.SaveOperation(context.Background(), op) })
}

// Operation implements [fairfactor.Store].
func (d *disk) Operation(ctx context.Context, id string) (op fairfactor.Operation, err error) {
	err = d.trip(ctx, func() (err error) {
		op, err = d.p.run.store.Operation(context.Background(), id)
		return err
	})
	return op, err
}

// OpenOperations implements [fairfactor.Store].
func (d *disk) OpenOperations(ctx context.Context, limit int) (ops []fairfactor.Operation, err error) {
	err = d.trip(ctx, func() (err error) {
		ops, err = d.p.run.store.OpenOperations(context.Background(), limit)
		return err
	})
	return ops, err
}
