package pebble

import (
	"context"
	"sync"

	"fairfactor"
)

// flights are the groups that readers can see and that are not on the disk yet.
// Nothing that a crash could still take back is said of a job: a reader of one that
// a group in flight has accepted, ended or queued again, or of an idempotency key
// that it brought, waits until the group has landed. That is one sync at most.
//
// Most acceptances need no entry: the record of a job says which group accepted
// it, and groups land in their order.
type flights struct {
	mu     sync.Mutex
	landed uint64             // guarded by mu: all groups up to this one are on the disk
	groups map[uint64]*flight // guarded by mu: those in flight
	jobs   map[jobKey]*flight // guarded by mu: jobs that one of them changed, see staging.secret
	wake   chan struct{}      // guarded by mu: closed when the next group lands, nil if nothing waits for it
	spare  []jobKey           // guarded by mu: of a flight that has landed, for the next one
}

// flight is one group.
type flight struct {
	group  uint64
	jobs   []jobKey
	landed chan struct{} // closed when the group is on the disk; never if that failed
}

// depart notes a group and the jobs that it changes, before readers can see it.
func (f *flights) depart(group uint64, jobs []jobKey) *flight {
	g := &flight{group: group, landed: make(chan struct{})}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(jobs) > 0 {
		g.jobs, f.spare = append(f.spare, jobs...), nil
	}
	if f.groups == nil {
		f.groups, f.jobs = make(map[uint64]*flight), make(map[jobKey]*flight)
	}
	f.groups[group] = g
	for _, p := range g.jobs {
		f.jobs[p] = g
	}
	return g
}

// land says that a group is on the disk, and with it all before it.
func (f *flights) land(g *flight) {
	f.mu.Lock()
	for _, p := range g.jobs {
		if f.jobs[p] == g {
			delete(f.jobs, p)
		}
	}
	if cap(g.jobs) > cap(f.spare) {
		f.spare = g.jobs[:0]
	}
	g.jobs = nil
	delete(f.groups, g.group)
	f.landed = max(f.landed, g.group)
	wake := f.wake
	f.wake = nil
	f.mu.Unlock()
	if wake != nil {
		close(wake)
	}
	close(g.landed)
}

// last returns the last group that is on the disk.
func (f *flights) last() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.landed
}

// changed returns a channel that is closed when the next group lands.
func (f *flights) changed() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.wake == nil {
		f.wake = make(chan struct{})
	}
	return f.wake
}

// wait returns when what a reader saw of a job is on the disk, or ctx has ended.
// group is the one that accepted the job, zero if the reader does not know.
func (f *flights) wait(ctx context.Context, id fairfactor.ID, group uint64) error {
	f.mu.Lock()
	g := f.jobs[jobKey{id.Caller, id.Seq}]
	if g == nil && group > f.landed {
		g = f.groups[group]
	}
	f.mu.Unlock()
	if g == nil {
		return nil
	}
	select {
	case <-g.landed:
		return nil
	case <-ctx.Done():
		return live(ctx)
	}
}
