package storetest

import (
	"context"
	"slices"
	"time"

	"fairfactor"
)

func (m *model) BoundAccounts(most uint64) { m.bound = most }

func (m *model) Accounts(ctx context.Context) (fairfactor.Accounts, error) {
	if err := ended(ctx); err != nil {
		return fairfactor.Accounts{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return fairfactor.Accounts{Kept: m.kept(), Forgotten: m.gone}, nil
}

func (m *model) Forget(ctx context.Context, before time.Time, limit int) (n int, err error) {
	if err := ended(ctx); err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.idle() {
		if n < limit && m.since(c).Before(asStored(before)) {
			m.remove(c)
			n++
		}
	}
	return n, nil
}

func (m *model) kept() (n uint64) {
	for _, c := range m.callers {
		if c.known {
			n++
		}
	}
	return n
}

func (m *model) full() bool { return m.bound > 0 && m.kept() >= m.bound }

// idle returns the callers without jobs for which nothing is set, those first whose last
// job ended first.
func (m *model) idle() (idle []*modelCaller) {
	for _, c := range m.callers {
		has := slices.ContainsFunc(m.jobs, func(j *modelJob) bool { return j.ID.Caller == c.number && !j.expired })
		if c.known && !has && c.weight == 1 && !c.paused && !c.placed && c.bounds == (fairfactor.Bounds{}) {
			idle = append(idle, c)
		}
	}
	slices.SortStableFunc(idle, func(a, b *modelCaller) int { return m.since(a).Compare(m.since(b)) })
	return idle
}

// since is when the last job of a caller ended, zero if it never had one.
func (m *model) since(c *modelCaller) (at time.Time) {
	for _, j := range m.jobs {
		if j.ID.Caller == c.number && j.Finished.After(at) {
			at = j.Finished
		}
	}
	return at
}

// spare returns the caller that makes room for another, nil for none.
func (m *model) spare(not *modelCaller) *modelCaller {
	for _, c := range m.idle() {
		if c != not && c.wrote == c.epoch {
			return c
		}
	}
	return nil
}

func (m *model) remove(gone *modelCaller) {
	m.numbers, m.epochs, m.gone = max(m.numbers, gone.number), max(m.epochs, gone.epoch), m.gone+1
	m.callers = slices.DeleteFunc(m.callers, func(c *modelCaller) bool { return c == gone })
}
