package pebble

import (
	"context"
	"sync"
)

// flights are the groups that readers can see and that are not on the disk yet.
// A job's final state is for ever, so nobody may be shown one that a crash could
// still take back: who reads it waits until its group has landed.
type flights struct {
	mu    sync.Mutex
	ended map[place]*flight // guarded by mu: jobs that a group in flight has ended
}

// flight is one group.
type flight struct {
	ended  []place
	landed chan struct{} // closed when the group is on the disk; never if that failed
}

// depart notes the jobs that a group ends, before readers can see it.
func (f *flights) depart(ended []place) *flight {
	if len(ended) == 0 {
		return nil
	}
	g := &flight{ended: append([]place(nil), ended...), landed: make(chan struct{})}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended == nil {
		f.ended = make(map[place]*flight)
	}
	for _, p := range g.ended {
		f.ended[p] = g
	}
	return g
}

// land says that a group is on the disk.
func (f *flights) land(g *flight) {
	if g == nil {
		return
	}
	f.mu.Lock()
	for _, p := range g.ended {
		if f.ended[p] == g {
			delete(f.ended, p)
		}
	}
	f.mu.Unlock()
	close(g.landed)
}

// wait returns when the end of a job is on the disk, or ctx has ended.
func (f *flights) wait(ctx context.Context, p place) error {
	f.mu.Lock()
	g := f.ended[p]
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
