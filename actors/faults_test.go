package actors_test

import (
	"context"
	"sync"

	"fairfactor"
)

// faults is one node's way to the store, on which things go wrong.
type faults struct {
	fairfactor.Store
	book *book

	mu     sync.Mutex
	change func(*fairfactor.Change) error // guarded by mu: why a change is not made
	read   func(what string) error        // guarded by mu: claims and reads
	gate   chan struct{}                  // guarded by mu: groups wait for its end
	waits  int                            // guarded by mu: groups that wait
	dead   bool                           // guarded by mu: the node was killed
	most   int                            // guarded by mu: changes in the largest group
}

// down is what a store says that can't be reached.
var down = fairfactor.Errorf(fairfactor.Unavailable, "the store can't be reached")

// failing has changes fail for which fail gives an error; nil ends it.
func (f *faults) failing(fail func(*fairfactor.Change) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.change = fail
}

// unreadable has claims and reads fail for which fail gives an error; nil ends
// it.
func (f *faults) unreadable(fail func(what string) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.read = fail
}

// hold has groups wait until release is called.
func (f *faults) hold() (release func()) {
	gate := make(chan struct{})
	f.mu.Lock()
	f.gate = gate
	f.mu.Unlock()
	return sync.OnceFunc(func() {
		f.mu.Lock()
		f.gate = nil
		f.mu.Unlock()
		close(gate)
	})
}

// held is how many groups wait.
func (f *faults) held() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.waits
}

// largest is how many changes the largest group had.
func (f *faults) largest() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.most
}

// kill makes the store unreachable for ever.
func (f *faults) kill() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dead = true
}

// Apply implements [fairfactor.Store].
func (f *faults) Apply(ctx context.Context, changes []fairfactor.Change) ([]error, error) {
	f.mu.Lock()
	if gate := f.gate; gate != nil {
		f.waits++
		f.mu.Unlock()
		<-gate
		f.mu.Lock()
		f.waits--
	}
	fail, dead := f.change, f.dead
	f.most = max(f.most, len(changes))
	f.mu.Unlock()
	if dead {
		return nil, down
	}
	errs := make([]error, len(changes))
	var kept []fairfactor.Change
	for i := range changes {
		if fail != nil {
			errs[i] = fail(&changes[i])
		}
		if errs[i] == nil {
			kept = append(kept, changes[i])
		}
	}
	f.book.writing.RLock()
	refused, err := f.Store.Apply(ctx, kept)
	if err == nil {
		f.book.write(kept, refused)
	}
	f.book.writing.RUnlock()
	if err != nil {
		return nil, err
	}
	for i := range errs {
		if errs[i] == nil && refused != nil {
			errs[i], refused = refused[0], refused[1:]
		}
	}
	return errs, nil
}

func (f *faults) trouble(what string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dead {
		return down
	}
	if f.read != nil {
		return f.read(what)
	}
	return nil
}

// ClaimCaller implements [fairfactor.Store].
func (f *faults) ClaimCaller(ctx context.Context, name, group string) (fairfactor.Claim, error) {
	if err := f.trouble("caller"); err != nil {
		return fairfactor.Claim{}, err
	}
	return f.Store.ClaimCaller(ctx, name, group)
}

// ClaimScheduler implements [fairfactor.Store].
func (f *faults) ClaimScheduler(ctx context.Context) (fairfactor.SchedulerClaim, error) {
	if err := f.trouble("scheduler"); err != nil {
		return fairfactor.SchedulerClaim{}, err
	}
	return f.Store.ClaimScheduler(ctx)
}

// Backlog implements [fairfactor.Store].
func (f *faults) Backlog(ctx context.Context, caller, after uint64, limit int, into []fairfactor.Waiting) ([]fairfactor.Waiting, error) {
	if err := f.trouble("backlog"); err != nil {
		return nil, err
	}
	return f.Store.Backlog(ctx, caller, after, limit, into)
}

// Job implements [fairfactor.Store].
func (f *faults) Job(ctx context.Context, id fairfactor.ID) (fairfactor.Job, error) {
	if err := f.trouble("job"); err != nil {
		return fairfactor.Job{}, err
	}
	return f.Store.Job(ctx, id)
}

// List implements [fairfactor.Store].
func (f *faults) List(ctx context.Context, q fairfactor.Query) (fairfactor.Page, error) {
	if err := f.trouble("list"); err != nil {
		return fairfactor.Page{}, err
	}
	return f.Store.List(ctx, q)
}

// book notes what was made durable, over all nodes.
type book struct {
	writing  sync.RWMutex // held for reading from a write to the store until it is noted
	mu       sync.Mutex
	accepted map[fairfactor.ID]bool // guarded by mu
	ends     map[fairfactor.ID]int  // guarded by mu: final states less those taken back by a retry
	refused  int                    // guarded by mu: writes of fenced activations
}

func newBook() *book { return &book{accepted: map[fairfactor.ID]bool{}, ends: map[fairfactor.ID]int{}} }

func (b *book) write(changes []fairfactor.Change, errs []error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range changes {
		if errs != nil && errs[i] != nil {
			if errs[i] == error(fairfactor.ErrFenced) {
				b.refused++
			}
			continue
		}
		switch c := &changes[i]; c.Op {
		case fairfactor.Accept:
			b.accepted[c.Job.ID] = true
		case fairfactor.AcceptEnded:
			b.accepted[c.Job.ID] = true
			b.ends[c.Job.ID]++
		case fairfactor.Finish:
			b.ends[c.Job.ID]++
		case fairfactor.Requeue:
			b.ends[c.Job.ID]--
		}
	}
}

// ended is how often a job ended. A reader of the store may have seen an end that is not
// noted yet, so it waits for writes that are under way.
func (b *book) ended(id fairfactor.ID) int {
	b.writing.Lock()
	defer b.writing.Unlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ends[id]
}

// fenced is how many writes were refused because a newer activation exists.
func (b *book) fenced() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.refused
}
