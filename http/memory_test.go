package http_test

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"fairfactor"
)

// memory is fairfactor.Jobs without a cluster: one lock, one clock that a test
// moves, and jobs that end when the test says so. It keeps the promises of the
// interface: order, keys, states, cursors.
type memory struct {
	mu      sync.Mutex
	clock   time.Time
	jobs    map[fairfactor.ID]*fairfactor.Job
	newest  []fairfactor.ID // in the order of submission
	callers map[string]*account
	groups  map[string]int // their weights
	changed chan struct{}  // closed and replaced when a job changes
	turns   uint64
	waiting int // calls of Wait under way

	operations []fairfactor.Operation

	maxQueue uint64 // unfinished jobs of a caller
	refused  error  // the receipt of each submission, if set
	broken   error  // what every call answers, if set
	instant  bool   // numbers are prime, and done when they are accepted
	sizes    []int  // guarded by mu: how many were submitted at once
}

type account struct {
	number, last uint64
	weight       int
	group        string
	paused       bool
	bounds       fairfactor.Bounds
	keys         map[string]fairfactor.ID
}

var _ fairfactor.Jobs = (*memory)(nil)

func newMemory() *memory {
	return &memory{
		clock: time.Date(2024, 5, 6, 7, 8, 9, 123456000, time.UTC), jobs: map[fairfactor.ID]*fairfactor.Job{},
		callers: map[string]*account{}, groups: map[string]int{}, changed: make(chan struct{}), maxQueue: 1 << 20,
	}
}

func (m *memory) account(name string) *account {
	a := m.callers[name]
	if a == nil {
		a = &account{number: uint64(len(m.callers) + 1), weight: 1, keys: map[string]fairfactor.ID{}}
		m.callers[name] = a
	}
	return a
}

func (m *memory) Submit(ctx context.Context, caller string, subs []fairfactor.Submission, into []fairfactor.Receipt) ([]fairfactor.Receipt, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken != nil {
		return nil, m.broken
	}
	m.sizes = append(m.sizes, len(subs))
	if len(subs) > 1000 {
		return nil, fairfactor.Errorf(fairfactor.Internal, "%d submissions in one call", len(subs))
	}
	if _, ok := ctx.Deadline(); !ok {
		return nil, fairfactor.Errorf(fairfactor.Internal, "a submission without a deadline")
	}
	for _, sub := range subs {
		if m.callers[caller] == nil {
			m.account(caller).group = sub.Group
		}
		into = append(into, m.submit(caller, sub))
	}
	return into, nil
}

func (m *memory) submit(caller string, sub fairfactor.Submission) fairfactor.Receipt {
	if m.refused != nil {
		return fairfactor.Receipt{Err: m.refused}
	}
	a := m.account(caller)
	if id, ok := a.keys[sub.Key]; ok && sub.Key != "" {
		job := m.jobs[id]
		if job.Number != sub.Number {
			return fairfactor.Receipt{Err: fairfactor.Errorf(fairfactor.Invalid, "the idempotency key was used for another number")}
		}
		return fairfactor.Receipt{Job: *job, Replay: true}
	}
	if m.tally(caller).Queued >= m.maxQueue {
		return fairfactor.Receipt{Err: &fairfactor.Error{Code: fairfactor.Limit, Message: "the queue is full", Retry: 1500 * time.Millisecond}}
	}
	a.last++
	m.clock = m.clock.Add(time.Millisecond)
	job := &fairfactor.Job{
		ID:     fairfactor.ID{Nonce: a.last * 7919 & (1<<48 - 1), Caller: a.number, Seq: a.last},
		Caller: caller, Number: sub.Number, Key: sub.Key, Order: a.last, State: fairfactor.Pending, Submitted: m.clock, Deadline: sub.Deadline, Curves: sub.Curves, Trace: sub.Trace,
	}
	if sub.Callback != "" {
		job.Callback = &fairfactor.Callback{URL: sub.Callback}
	}
	if sub.Key != "" {
		a.keys[sub.Key] = job.ID
	}
	m.jobs[job.ID] = job
	m.newest = append(m.newest, job.ID)
	if m.instant {
		m.end(job, fairfactor.Completed, []fairfactor.Factor{{Prime: job.Number, Exponent: 1}}, "")
	}
	return fairfactor.Receipt{Job: *job}
}

// begin makes a job run.
func (m *memory) begin(id fairfactor.ID, p *fairfactor.Progress) {
	m.mu.Lock()
	defer m.mu.Unlock()
	job := m.jobs[id]
	m.start(job)
	job.State, job.Progress = fairfactor.Running, p
	m.tell()
}

func (m *memory) start(job *fairfactor.Job) {
	if job.Turn == 0 {
		m.turns++
		m.clock = m.clock.Add(time.Millisecond)
		job.Turn, job.Started = m.turns, m.clock
	}
	job.Attempts++
}

// finish ends a job.
func (m *memory) finish(id fairfactor.ID, state fairfactor.State, factors []fairfactor.Factor, reason string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.end(m.jobs[id], state, factors, reason)
}

func (m *memory) end(job *fairfactor.Job, state fairfactor.State, factors []fairfactor.Factor, reason string) {
	if job.State == fairfactor.Pending && state != fairfactor.Cancelled {
		m.start(job)
	}
	m.clock = m.clock.Add(time.Millisecond)
	job.State, job.Factors, job.Reason, job.Finished, job.Progress = state, factors, reason, m.clock, nil
	job.CPU, job.Turns = 1234*time.Microsecond, 1
	m.tell()
}

// wake makes those that wait look again.
func (m *memory) wake() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tell()
}

func (m *memory) tell() {
	close(m.changed)
	m.changed = make(chan struct{})
}

func (m *memory) find(id fairfactor.ID) (*fairfactor.Job, error) {
	if m.broken != nil {
		return nil, m.broken
	}
	if job := m.jobs[id]; job != nil {
		return job, nil
	}
	return nil, fairfactor.Errorf(fairfactor.NotFound, "there is no job %s", id)
}

func (m *memory) Job(_ context.Context, id fairfactor.ID) (fairfactor.Job, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	job, err := m.find(id)
	if err != nil {
		return fairfactor.Job{}, err
	}
	return *job, nil
}

func (m *memory) Get(_ context.Context, ids []fairfactor.ID) ([]fairfactor.Job, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(ids) > 1000 {
		return nil, fairfactor.Errorf(fairfactor.Internal, "%d ids in one call", len(ids))
	}
	jobs := make([]fairfactor.Job, len(ids))
	for i, id := range ids {
		if job := m.jobs[id]; job != nil {
			jobs[i] = *job
		}
	}
	return jobs, m.broken
}

func (m *memory) Wait(ctx context.Context, id fairfactor.ID) (fairfactor.Job, error) {
	m.mu.Lock()
	m.waiting++
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.waiting--
	}()
	for {
		m.mu.Lock()
		job, err := m.find(id)
		if err != nil || job.State.Final() || ctx.Err() != nil {
			defer m.mu.Unlock()
			if err != nil {
				return fairfactor.Job{}, err
			}
			return *job, nil
		}
		changed := m.changed
		m.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

func (m *memory) List(_ context.Context, q fairfactor.Query) (page fairfactor.Page, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken != nil {
		return page, m.broken
	}
	at := len(m.newest)
	if q.Cursor != "" {
		if at, err = strconv.Atoi(strings.TrimPrefix(q.Cursor, "c-")); err != nil || at < 0 || at > len(m.newest) {
			return page, fairfactor.BadCursor(q.Cursor)
		}
	}
	for at > 0 && len(page.Jobs) < q.Limit {
		at--
		job := m.jobs[m.newest[at]]
		if q.Matches(job) {
			page.Jobs = append(page.Jobs, *job)
		}
	}
	if at > 0 {
		page.Next = "c-" + strconv.Itoa(at)
	}
	return page, nil
}

func (m *memory) Cancel(_ context.Context, id fairfactor.ID) (fairfactor.Job, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	job, err := m.find(id)
	if err != nil {
		return fairfactor.Job{}, err
	}
	if job.State.Final() {
		return fairfactor.Job{}, fairfactor.Errorf(fairfactor.Conflict, "the job is %s already", job.State)
	}
	m.end(job, fairfactor.Cancelled, nil, "")
	return *job, nil
}

func (m *memory) Retry(_ context.Context, id fairfactor.ID) (fairfactor.Job, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	job, err := m.find(id)
	if err != nil {
		return fairfactor.Job{}, err
	}
	if job.State != fairfactor.Failed {
		return fairfactor.Job{}, fairfactor.Errorf(fairfactor.Conflict, "the job is %s, not failed", job.State)
	}
	a := m.account(job.Caller)
	a.last++
	job.State, job.Order, job.Reason, job.Factors, job.Finished = fairfactor.Pending, a.last, "", nil, time.Time{}
	m.tell()
	return *job, nil
}

func (m *memory) Callers(_ context.Context, after string, limit int) (all []fairfactor.Caller, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken != nil {
		return nil, m.broken
	}
	for name := range m.callers {
		if name > after {
			all = append(all, m.tally(name))
		}
	}
	slices.SortFunc(all, func(a, b fairfactor.Caller) int { return cmp.Compare(a.Name, b.Name) })
	return all[:min(limit, len(all))], nil
}

// RankedCallers has all callers in their order, and cursors that are places in it.
func (m *memory) RankedCallers(ctx context.Context, q fairfactor.CallerQuery) (page fairfactor.CallerPage, err error) {
	all, err := m.Callers(ctx, "", math.MaxInt)
	all = slices.DeleteFunc(all, func(c fairfactor.Caller) bool { return !strings.HasPrefix(c.Name, q.Prefix) })
	slices.SortStableFunc(all, func(a, b fairfactor.Caller) int { return cmp.Compare(q.Order.Value(&b), q.Order.Value(&a)) })
	from := 0
	if q.After != "" {
		if from, err = strconv.Atoi(strings.TrimPrefix(q.After, "/")); err != nil {
			return page, fairfactor.BadCursor(q.After)
		}
	}
	if end := from + q.Limit; end < len(all) {
		all, page.Next = all[:end], "/"+strconv.Itoa(end)
	}
	page.Callers = all[from:]
	return page, err
}

func (m *memory) Caller(_ context.Context, name string) (fairfactor.Caller, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken != nil {
		return fairfactor.Caller{}, m.broken
	}
	if m.callers[name] == nil {
		return fairfactor.Caller{}, fairfactor.Errorf(fairfactor.NotFound, "there is no caller %s", name)
	}
	return m.tally(name), nil
}

func (m *memory) SetWeight(_ context.Context, name string, weight int) (fairfactor.Caller, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken != nil {
		return fairfactor.Caller{}, m.broken
	}
	m.account(name).weight = weight
	return m.tally(name), nil
}

func (m *memory) SetBounds(_ context.Context, name string, change fairfactor.BoundsChange) (fairfactor.Caller, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken != nil {
		return fairfactor.Caller{}, m.broken
	}
	m.account(name).bounds = change.Apply(m.account(name).bounds)
	return m.tally(name), nil
}

func (m *memory) SetPaused(_ context.Context, name string, paused bool) (fairfactor.Caller, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken != nil {
		return fairfactor.Caller{}, m.broken
	}
	m.account(name).paused = paused
	return m.tally(name), nil
}

func (m *memory) CancelAll(ctx context.Context, q fairfactor.Query) (fairfactor.Operation, error) {
	return m.operate(fairfactor.CancelJobs, q, func(id fairfactor.ID) error { _, err := m.Cancel(ctx, id); return err })
}

func (m *memory) RetryAll(ctx context.Context, q fairfactor.Query) (fairfactor.Operation, error) {
	return m.operate(fairfactor.RetryJobs, q, func(id fairfactor.ID) error { _, err := m.Retry(ctx, id); return err })
}

// operate does at once what a node does by and by.
func (m *memory) operate(kind fairfactor.OperationKind, q fairfactor.Query, do func(fairfactor.ID) error) (op fairfactor.Operation, err error) {
	if err := fairfactor.CheckOperation(kind, &q); err != nil {
		return op, err
	}
	q.Limit = math.MaxInt
	page, err := m.List(context.Background(), q)
	if err != nil {
		return op, err
	}
	op = fairfactor.Operation{ID: fmt.Sprint("op", len(m.operations)), Kind: kind, Query: q, Matched: uint64(len(page.Jobs)), Created: m.clock, Finished: m.clock}
	for i := range page.Jobs {
		if do(page.Jobs[i].ID) == nil {
			op.Done++
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.operations = append(m.operations, op)
	return op, nil
}

func (m *memory) Operation(_ context.Context, id string) (fairfactor.Operation, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, op := range m.operations {
		if op.ID == id {
			return op, nil
		}
	}
	return fairfactor.Operation{}, fairfactor.Errorf(fairfactor.NotFound, "there is no operation %.40q", id)
}

func (m *memory) SetGroup(_ context.Context, name, group string) (fairfactor.Caller, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken != nil {
		return fairfactor.Caller{}, m.broken
	}
	if m.callers[name] == nil {
		return fairfactor.Caller{}, fairfactor.Errorf(fairfactor.NotFound, "there is no caller %s", name)
	}
	m.callers[name].group = group
	return m.tally(name), nil
}

func (m *memory) WeighGroup(_ context.Context, group string, weight int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.groups[group] = weight
	return m.broken
}

// tally counts a caller's jobs; it walks them all, which is what tests can
// afford, and only when there is a bound to keep.
func (m *memory) tally(name string) fairfactor.Caller {
	c := fairfactor.Caller{Name: name, Group: m.callers[name].group, Weight: m.callers[name].weight, Paused: m.callers[name].paused, Bounds: m.callers[name].bounds}
	if m.instant {
		return c
	}
	for _, id := range m.newest {
		job := m.jobs[id]
		if job.Caller != name {
			continue
		}
		c.CPU, c.Turns = c.CPU+job.CPU, c.Turns+job.Turns
		switch job.State {
		case fairfactor.Completed:
			c.Completed++
		case fairfactor.Failed:
			c.Failed++
		case fairfactor.Cancelled:
			c.Cancelled++
		default:
			c.Queued++
			if job.State == fairfactor.Running {
				c.Running++
			}
			if c.Oldest.IsZero() {
				c.Oldest = job.Submitted
			}
		}
	}
	return c
}

func (m *memory) Fairness(context.Context) (fairfactor.Fairness, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return fairfactor.Fairness{
		Quantum: 100 * time.Microsecond, Bound: 600 * time.Millisecond, Lag: 12 * time.Millisecond, MaxLag: 80 * time.Millisecond,
		Jain: 0.98765, Active: 3, Waiting: 40, Open: 2, HandedOut: m.turns, Epoch: 7, Dormant: 1,
		Between: fairfactor.FairnessLevel{InLine: 2, Bound: 600 * time.Millisecond, Lag: 12 * time.Millisecond, MaxLag: 80 * time.Millisecond, Violations: 3},
		Inside:  fairfactor.FairnessLevel{InLine: 1, Bound: time.Second, Lag: time.Millisecond, MaxLag: 2 * time.Millisecond},
	}, m.broken
}

func (m *memory) Nodes(context.Context) ([]fairfactor.Node, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return []fairfactor.Node{{
		ID: "01j", Name: "one", Address: "127.0.0.1:1", Gossip: "127.0.0.1:2", State: "alive", Self: true,
		Workers: []fairfactor.Worker{{}, {Caller: "alice", Job: "5x9k2m7qj4tw0000000g000001", Number: "91", Since: m.clock}},
		Counts:  fairfactor.NodeCounts{Accepted: 9, Completed: 5, Failed: 2, Cancelled: 1, Turns: 12, CPU: 2500 * time.Millisecond},
	}}, m.broken
}

// fail makes every call answer with err, or none if it is nil.
func (m *memory) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.broken = err
}

func (m *memory) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.newest)
}

func (m *memory) polls() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.waiting
}

func (m *memory) last() fairfactor.ID {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.newest[len(m.newest)-1]
}
