package storetest

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"fairfactor"
)

// model is a store that is slow and plainly right: a list of all jobs that were
// ever accepted, from which every answer is worked out again. It keeps no count
// and no index, so there is nothing in it that could disagree with the jobs.
type model struct {
	mu      sync.Mutex // guards everything below
	callers []*modelCaller
	jobs    []*modelJob // in the order of their acceptance
	epoch   uint64      // of the scheduler
	groups  map[string]int
	events  []modelEvent
	claims  uint64 // of deliveries
	place   uint64 // highest Job.Turn that was stored
	known   []fairfactor.Known
	numbers uint64 // of callers that are gone
	epochs  uint64 // likewise
	gone    uint64 // accounts
	bound   uint64
	deadly  []fairfactor.Deadly
}

type modelCaller struct {
	name   string
	number uint64
	epoch  uint64
	weight int
	group  string
	known  bool // a change of it took effect
	paused bool
	placed bool   // by Regroup without Enrol
	wrote  uint64 // epoch of its last change
	bounds fairfactor.Bounds
}

type modelJob struct {
	fairfactor.Job
	checkpoint []byte
	pieces     map[uint32][]byte
	orders     []uint64      // every order the job ever had
	cpu        time.Duration // used, over all its attempts
	turns      uint64
	expired    bool
	claim      uint64 // of its delivery, zero for none
	leased     time.Time
}

var _ fairfactor.Store = (*model)(nil)

func (m *model) Close() error { return nil }

func (m *model) ClaimCaller(ctx context.Context, name, group string) (fairfactor.Claim, error) {
	if err := ended(ctx); err != nil {
		return fairfactor.Claim{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.called(name)
	if (c == nil || !c.known) && m.full() && m.spare(c) == nil {
		return fairfactor.Claim{}, fairfactor.ErrTooManyCallers
	}
	if c == nil {
		c = &modelCaller{name: name, number: m.numbers + 1, epoch: m.epochs, weight: 1}
		for _, other := range m.callers { // some before them may be gone
			c.number = max(c.number, other.number+1)
		}
		m.callers = append(m.callers, c)
	}
	if !c.known {
		c.group = group
	}
	c.epoch++
	return fairfactor.Claim{Number: c.number, Epoch: c.epoch, Last: m.last(c), Caller: m.account(c)}, nil
}

func (m *model) ClaimScheduler(ctx context.Context) (fairfactor.SchedulerClaim, error) {
	if err := ended(ctx); err != nil {
		return fairfactor.SchedulerClaim{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.epoch++
	claim := fairfactor.SchedulerClaim{Epoch: m.epoch, Dispatched: m.place}
	if len(m.groups) > 0 {
		claim.Groups = maps.Clone(m.groups)
	}
	return claim, nil
}

func (m *model) Job(ctx context.Context, id fairfactor.ID) (fairfactor.Job, error) {
	if err := ended(ctx); err != nil {
		return fairfactor.Job{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if j := m.stored(id); j != nil {
		return j.Job, nil
	}
	return fairfactor.Job{}, fairfactor.Errorf(fairfactor.NotFound, "there is no job %s", id)
}

func (m *model) Jobs(ctx context.Context, ids []fairfactor.ID) ([]fairfactor.Job, error) {
	jobs := make([]fairfactor.Job, len(ids))
	for i, id := range ids {
		jobs[i], _ = m.Job(ctx, id)
	}
	return jobs, ended(ctx)
}

func (m *model) Piece(ctx context.Context, caller, order uint64, number uint32) ([]byte, error) {
	if err := ended(ctx); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, j := range m.jobs {
		if j.ID.Caller == caller && j.Order == order && !j.State.Final() {
			return bytes.Clone(j.pieces[number]), nil
		}
	}
	return nil, nil
}

func (m *model) Backlog(ctx context.Context, caller, after uint64, limit int, into []fairfactor.Waiting) ([]fairfactor.Waiting, error) {
	if err := ended(ctx); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	waiting := into[:0]
	for _, j := range m.jobs {
		if j.ID.Caller == caller && !j.State.Final() && j.Order > after {
			waiting = append(waiting, fairfactor.Waiting{Job: j.Job, Checkpoint: j.checkpoint})
		}
	}
	slices.SortFunc(waiting, func(a, b fairfactor.Waiting) int { return cmp.Compare(a.Job.Order, b.Job.Order) })
	return waiting[:min(len(waiting), max(limit, 0))], nil
}

// List's cursor is the id of the last job on the page.
func (m *model) List(ctx context.Context, q fairfactor.Query) (page fairfactor.Page, err error) {
	if err := ended(ctx); err != nil {
		return page, err
	}
	if q.Limit < 1 || q.Limit > fairfactor.MaxPage {
		return page, fairfactor.Errorf(fairfactor.Invalid, "limit is %d", q.Limit)
	}
	if q.Cursor != "" {
		if _, err := fairfactor.ParseID(q.Cursor); err != nil {
			return page, fairfactor.BadCursor(q.Cursor)
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	below := q.Cursor == ""
	for _, j := range slices.Backward(m.jobs) {
		switch {
		case !below:
			below = j.ID.String() == q.Cursor
		case j.expired || !q.Matches(&j.Job):
		case len(page.Jobs) == q.Limit:
			page.Next = page.Jobs[q.Limit-1].ID.String()
			return page, nil
		default:
			page.Jobs = append(page.Jobs, j.Job)
		}
	}
	return page, nil
}

func (m *model) Keyed(ctx context.Context, caller uint64, keys []string, since time.Time) (map[string]fairfactor.Job, error) {
	if err := ended(ctx); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	found := map[string]fairfactor.Job{}
	for _, key := range keys {
		for _, j := range slices.Backward(m.jobs) {
			if key != "" && j.ID.Caller == caller && j.Key == key {
				if !j.expired && !j.Submitted.Before(asStored(since)) {
					found[key] = j.Job
				}
				break
			}
		}
	}
	return found, nil
}

func (m *model) Callers(ctx context.Context, after string, limit int) ([]fairfactor.Caller, error) {
	if err := ended(ctx); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var callers []fairfactor.Caller
	for _, c := range m.callers {
		if c.known && c.name > after {
			callers = append(callers, m.account(c))
		}
	}
	slices.SortFunc(callers, func(a, b fairfactor.Caller) int { return cmp.Compare(a.Name, b.Name) })
	return callers[:min(len(callers), max(limit, 0))], nil
}

func (m *model) CallersNamed(ctx context.Context, names []string) (callers []fairfactor.Caller, err error) {
	all, err := m.Callers(ctx, "", fairfactor.MaxPage)
	return slices.DeleteFunc(all, func(c fairfactor.Caller) bool { return !slices.Contains(names, c.Name) }), err
}

func (m *model) Foremost(ctx context.Context, order fairfactor.CallerOrder, limit int) (callers []fairfactor.Caller, err error) {
	if order != fairfactor.ByQueued && order != fairfactor.ByCPU {
		return nil, fairfactor.Errorf(fairfactor.Invalid, "no order of a store")
	}
	all, err := m.Callers(ctx, "", fairfactor.MaxPage)
	all = slices.DeleteFunc(all, func(c fairfactor.Caller) bool {
		return order == fairfactor.ByQueued && c.Queued == 0 || order == fairfactor.ByCPU && c.CPU < 16*time.Millisecond
	})
	slices.SortStableFunc(all, func(a, b fairfactor.Caller) int { return cmp.Compare(order.Value(&b), order.Value(&a)) })
	return all[:min(len(all), limit)], err
}

func (m *model) Backlogged(ctx context.Context, after uint64, limit int) (callers []fairfactor.Backlogged, err error) {
	if err := ended(ctx); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.callers {
		if c.number > after && m.account(c).Queued > 0 {
			callers = append(callers, fairfactor.Backlogged{Number: c.number, Name: c.name, Group: c.group, Weight: c.weight, Paused: c.paused, Queued: m.account(c).Queued})
		}
	}
	slices.SortFunc(callers, func(a, b fairfactor.Backlogged) int { return cmp.Compare(a.Number, b.Number) })
	return callers[:min(len(callers), max(limit, 0))], nil
}

func (m *model) WeighGroup(ctx context.Context, group string, weight int) error {
	if err := ended(ctx); err != nil {
		return err
	}
	if err := fairfactor.CheckGroupWeight(group, weight); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.groups == nil {
		m.groups = map[string]int{}
	}
	if m.groups[group] = weight; weight == 1 {
		delete(m.groups, group)
	}
	return nil
}

func (m *model) Caller(ctx context.Context, name string) (fairfactor.Caller, error) {
	if err := ended(ctx); err != nil {
		return fairfactor.Caller{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if c := m.called(name); c != nil && c.known {
		return m.account(c), nil
	}
	return fairfactor.Caller{}, fairfactor.Errorf(fairfactor.NotFound, "there is no caller %q", name)
}

func (m *model) Expire(ctx context.Context, before time.Time, limit int) (n int, err error) {
	if err := ended(ctx); err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, j := range m.due(before) {
		if n >= limit {
			break
		}
		j.expired = true
		n++
	}
	return n, nil
}

// due returns the jobs that Expire may delete.
func (m *model) due(before time.Time) (due []*modelJob) {
	for _, j := range m.jobs {
		if !j.expired && j.State.Final() && j.Finished.Before(asStored(before)) {
			due = append(due, j)
		}
	}
	return due
}

// called returns the caller with a name, nil if it does not exist.
func (m *model) called(name string) *modelCaller {
	for _, c := range m.callers {
		if c.name == name {
			return c
		}
	}
	return nil
}

// stored returns the job with an id, nil if it does not exist.
func (m *model) stored(id fairfactor.ID) *modelJob {
	for _, j := range m.jobs {
		if j.ID == id && !j.expired {
			return j
		}
	}
	return nil
}

// last returns the highest sequence or order number that a caller has used.
func (m *model) last(c *modelCaller) (last uint64) {
	for _, j := range m.jobs {
		if j.ID.Caller == c.number {
			last = max(last, slices.Max(j.orders))
		}
	}
	return last
}

// account counts a caller's jobs; those that expired still count.
func (m *model) account(c *modelCaller) fairfactor.Caller {
	a := fairfactor.Caller{Name: c.name, Group: c.group, Weight: c.weight, Paused: c.paused, Bounds: c.bounds}
	for _, j := range m.jobs {
		if j.ID.Caller != c.number {
			continue
		}
		a.CPU += j.cpu
		a.Turns += j.turns
		switch j.State {
		case fairfactor.Completed:
			a.Completed++
		case fairfactor.Failed:
			a.Failed++
		case fairfactor.Cancelled:
			a.Cancelled++
		default:
			if a.Queued == 0 {
				a.Oldest = j.Submitted
			}
			a.Queued++
		}
	}
	return a
}

// ended returns an error if ctx has ended.
func ended(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fairfactor.Wrap(fairfactor.Canceled, err, "the caller went away")
	}
	return nil
}

// asStored returns a time as stores keep it: in microseconds, in UTC.
func asStored(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC().Truncate(time.Microsecond)
}
