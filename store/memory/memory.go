// Package memory is a [fairfactor.Store] that forgets everything when it is
// closed. It is for tests: one mutex, plain maps and slices, no bound on what
// it keeps. Start reading at [Store.Apply]. [Members] is the table of members
// that goes with it.
package memory

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sort"
	"strconv"
	"sync"
	"time"

	"fairfactor"
	"fairfactor/store/journal"
	"fairfactor/store/rules"
)

// Store keeps jobs in memory.
type Store struct {
	mu         sync.Mutex // guards everything below
	callers    map[string]*caller
	numbers    []*caller // by number, from 1
	order      []*job    // all jobs in the order of their acceptance
	epoch      uint64    // of the scheduler
	dispatched uint64    // highest Job.Turn ever stored
	groups     map[string]int
	owed       chan struct{}
	claims     uint64                      // of deliveries
	results    map[string]fairfactor.Known // by number
	deadly     map[string]fairfactor.Deadly
	events     []journal.Maker // of each group, from 1
	changed    chan struct{}   // closed with the next group, nil if nothing waits for it
	base       uint64          // epochs up to here were given before the store went back, or of accounts that are gone
	bound      uint64          // accounts at most, zero for any number
	forgotten  uint64          // accounts

	operations map[string]fairfactor.Operation
}

// caller is one caller with its jobs.
type caller struct {
	account rules.Account
	written uint64          // highest epoch that made a change
	jobs    map[uint64]*job // by sequence number
	keys    map[string]*job
	ended   time.Time // the last end of its expired jobs
}

// job is a stored job; expired jobs stay in Store.order as holes.
type job struct {
	fairfactor.Job
	saved   []byte            // of its progress, nil if nothing
	pieces  map[uint32][]byte // of what was saved
	expired bool
	claim   uint64    // of its delivery, zero for none
	leased  time.Time // until then
}

// New returns an empty store.
func New() *Store {
	return &Store{callers: map[string]*caller{}, numbers: []*caller{nil}, groups: map[string]int{}, owed: make(chan struct{}, 1)}
}

// Close does nothing.
func (s *Store) Close() error { return nil }

// ClaimCaller implements [fairfactor.Store].
func (s *Store) ClaimCaller(ctx context.Context, name, group string) (fairfactor.Claim, error) {
	if err := live(ctx); err != nil {
		return fairfactor.Claim{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.callers[name]
	if (c == nil || !c.account.Known) && !s.room(c) {
		return fairfactor.Claim{}, fairfactor.ErrTooManyCallers
	}
	if c == nil {
		c = &caller{
			account: rules.Account{Name: name, Number: uint64(len(s.numbers)), Epoch: s.base, Weight: 1},
			jobs:    map[uint64]*job{},
			keys:    map[string]*job{},
		}
		s.callers[name] = c
		s.numbers = append(s.numbers, c)
	}
	if !c.account.Known {
		c.account.Group = group
	}
	c.account.Epoch++
	return fairfactor.Claim{Number: c.account.Number, Epoch: c.account.Epoch, Last: c.account.Last, Caller: c.view()}, nil
}

// ClaimScheduler implements [fairfactor.Store].
func (s *Store) ClaimScheduler(ctx context.Context) (fairfactor.SchedulerClaim, error) {
	if err := live(ctx); err != nil {
		return fairfactor.SchedulerClaim{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.epoch++
	return fairfactor.SchedulerClaim{Epoch: s.epoch, Dispatched: s.dispatched, Groups: s.weights()}, nil
}

// weights returns a copy of the weights of groups, nil if there are none.
func (s *Store) weights() map[string]int {
	if len(s.groups) == 0 {
		return nil
	}
	return maps.Clone(s.groups)
}

// Job implements [fairfactor.Store].
func (s *Store) Job(ctx context.Context, id fairfactor.ID) (fairfactor.Job, error) {
	if err := live(ctx); err != nil {
		return fairfactor.Job{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if id.Caller < uint64(len(s.numbers)) && id.Caller > 0 {
		if j := s.numbers[id.Caller].jobs[id.Seq]; j != nil && j.ID == id {
			return j.copy(), nil
		}
	}
	return fairfactor.Job{}, fairfactor.Errorf(fairfactor.NotFound, "there is no job %s", id)
}

// Backlog implements [fairfactor.Store].
func (s *Store) Backlog(ctx context.Context, number, after uint64, limit int, into []fairfactor.Waiting) ([]fairfactor.Waiting, error) {
	if err := live(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if number == 0 || number >= uint64(len(s.numbers)) {
		return nil, nil
	}
	waiting := into[:0]
	for _, j := range s.numbers[number].jobs {
		if !j.State.Final() && j.Order > after {
			waiting = append(waiting, fairfactor.Waiting{Job: j.copy(), Checkpoint: slices.Clone(j.saved)})
		}
	}
	sort.Slice(waiting, func(a, b int) bool { return waiting[a].Job.Order < waiting[b].Job.Order })
	return waiting[:min(len(waiting), max(limit, 0))], nil
}

// Piece implements [fairfactor.Store].
func (s *Store) Piece(ctx context.Context, caller, order uint64, number uint32) ([]byte, error) {
	if err := live(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if caller >= uint64(len(s.numbers)) || caller == 0 {
		return nil, nil
	}
	for _, j := range s.numbers[caller].jobs {
		if j.Order == order && !j.State.Final() {
			return slices.Clone(j.pieces[number]), nil
		}
	}
	return nil, nil
}

// List implements [fairfactor.Store]. A cursor is an index into the order of
// acceptance.
func (s *Store) List(ctx context.Context, q fairfactor.Query) (fairfactor.Page, error) {
	if err := live(ctx); err != nil {
		return fairfactor.Page{}, err
	}
	if q.Limit < 1 || q.Limit > fairfactor.MaxPage {
		return fairfactor.Page{}, fairfactor.Errorf(fairfactor.Invalid, "limit is %d: it must be between 1 and %d", q.Limit, fairfactor.MaxPage)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	from := len(s.order)
	if q.Cursor != "" {
		n, err := strconv.Atoi(q.Cursor)
		if err != nil || n < 0 {
			return fairfactor.Page{}, fairfactor.BadCursor(q.Cursor)
		}
		from = min(n, from)
	}
	var page fairfactor.Page
	last := 0
	for i := from - 1; i >= 0; i-- {
		j := s.order[i]
		if j.expired || !q.Matches(&j.Job) {
			continue
		}
		if len(page.Jobs) == q.Limit {
			page.Next = strconv.Itoa(last)
			break
		}
		page.Jobs, last = append(page.Jobs, j.copy()), i
	}
	return page, nil
}

// Keyed implements [fairfactor.Store].
func (s *Store) Keyed(ctx context.Context, number uint64, keys []string, since time.Time) (map[string]fairfactor.Job, error) {
	if err := live(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found := map[string]fairfactor.Job{}
	if number == 0 || number >= uint64(len(s.numbers)) {
		return found, nil
	}
	for _, key := range keys {
		if j := s.numbers[number].keys[key]; key != "" && j != nil && !j.Submitted.Before(rules.Kept(since)) {
			found[key] = j.copy()
		}
	}
	return found, nil
}

// Callers implements [fairfactor.Store].
func (s *Store) Callers(ctx context.Context, after string, limit int) ([]fairfactor.Caller, error) {
	if err := live(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var callers []fairfactor.Caller
	for name, c := range s.callers {
		if name > after && c.account.Known {
			callers = append(callers, c.view())
		}
	}
	sort.Slice(callers, func(a, b int) bool { return callers[a].Name < callers[b].Name })
	return callers[:min(len(callers), max(limit, 0))], nil
}

// CallersNamed implements [fairfactor.Store].
func (s *Store) CallersNamed(ctx context.Context, names []string) (callers []fairfactor.Caller, err error) {
	if err := live(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range names {
		if c := s.callers[name]; c != nil && c.account.Known {
			callers = append(callers, c.view())
		}
	}
	return callers, nil
}

// Foremost implements [fairfactor.Store].
func (s *Store) Foremost(ctx context.Context, order fairfactor.CallerOrder, limit int) (callers []fairfactor.Caller, err error) {
	if err := cmp.Or(live(ctx), rules.CheckRanking(order)); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.callers {
		if v := c.view(); c.account.Known && rules.Ranks(order, &v) {
			callers = append(callers, v)
		}
	}
	return rules.Rank(callers, order, min(limit, fairfactor.MaxRanked)), nil
}

// Backlogged implements [fairfactor.Store].
func (s *Store) Backlogged(ctx context.Context, after uint64, limit int) (callers []fairfactor.Backlogged, err error) {
	if err := live(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for number := min(after, uint64(len(s.numbers))) + 1; number < uint64(len(s.numbers)) && len(callers) < limit; number++ {
		if a := &s.numbers[number].account; a.Queued > 0 {
			callers = append(callers, fairfactor.Backlogged{Number: number, Name: a.Name, Group: a.Group, Weight: a.Weight, Paused: a.Paused, Queued: a.Queued})
		}
	}
	return callers, nil
}

// WeighGroup implements [fairfactor.Store].
func (s *Store) WeighGroup(ctx context.Context, group string, weight int) error {
	if err := live(ctx); err != nil {
		return err
	}
	if err := fairfactor.CheckGroupWeight(group, weight); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case weight == 1:
		delete(s.groups, group)
	case s.groups[group] == 0 && len(s.groups) >= fairfactor.MaxGroups:
		return fairfactor.ErrTooManyGroups
	default:
		s.groups[group] = weight
	}
	return nil
}

// Caller implements [fairfactor.Store].
func (s *Store) Caller(ctx context.Context, name string) (fairfactor.Caller, error) {
	if err := live(ctx); err != nil {
		return fairfactor.Caller{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.callers[name]
	if c == nil || !c.account.Known {
		return fairfactor.Caller{}, fairfactor.Errorf(fairfactor.NotFound, "there is no caller %q", name)
	}
	return c.view(), nil
}

// Expire implements [fairfactor.Store].
func (s *Store) Expire(ctx context.Context, before time.Time, limit int) (int, error) {
	if err := live(ctx); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, j := range s.order {
		if n >= limit {
			break
		}
		if j.expired || !j.State.Final() || !j.Finished.Before(rules.Kept(before)) {
			continue
		}
		s.expire(j)
		n++
	}
	return n, nil
}

// expire deletes a job.
func (s *Store) expire(j *job) {
	c := s.numbers[j.ID.Caller]
	delete(c.jobs, j.ID.Seq)
	if c.keys[j.Key] == j {
		delete(c.keys, j.Key)
	}
	if j.Finished.After(c.ended) {
		c.ended = j.Finished
	}
	j.expired = true
}

// view returns the caller's account with the time of its oldest unfinished job.
func (c *caller) view() fairfactor.Caller {
	v := c.account.Caller()
	var oldest uint64
	for seq, j := range c.jobs {
		if !j.State.Final() && (oldest == 0 || seq < oldest) {
			oldest, v.Oldest = seq, j.Submitted
		}
	}
	return v
}

// copy returns the job as a caller may keep it.
func (j *job) copy() fairfactor.Job {
	out := j.Job
	out.Factors = slices.Clone(j.Factors)
	return out
}

// live returns an error if ctx has ended.
func live(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fairfactor.Wrap(fairfactor.Canceled, err, "the caller went away")
	}
	return nil
}
