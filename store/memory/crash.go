package memory

import (
	"maps"
	"slices"
)

// Crash forgets what a store that one process owns may lose with it, see
// [fairfactor.Store]: claims after which nothing was written. All else is durable as
// soon as Apply has made it.
func (s *Store) Crash() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, c := range s.callers {
		if c.account.Epoch = c.written; !c.account.Known {
			delete(s.callers, name)
		}
	}
	for n := len(s.numbers) - 1; n > 0 && !s.numbers[n].account.Known; n-- {
		s.numbers = s.numbers[:n]
	}
}

// Copy returns a store with the same jobs and callers, which shares nothing that
// changes.
func (s *Store) Copy() *Store {
	s.mu.Lock()
	defer s.mu.Unlock()
	to := New()
	to.epoch, to.dispatched, to.base, to.bound = s.epoch, s.dispatched, s.base, s.bound
	to.groups, to.results, to.deadly = maps.Clone(s.groups), maps.Clone(s.results), maps.Clone(s.deadly)
	to.events, to.operations = slices.Clone(s.events), maps.Clone(s.operations)
	jobs := map[*job]*job{}
	for _, j := range s.order {
		own := *j
		own.pieces = maps.Clone(j.pieces)
		jobs[j] = &own
		to.order = append(to.order, &own)
	}
	for _, c := range s.numbers[1:] {
		own := &caller{account: c.account, written: c.written, ended: c.ended, jobs: map[uint64]*job{}, keys: map[string]*job{}}
		for seq, j := range c.jobs {
			own.jobs[seq] = jobs[j]
		}
		for key, j := range c.keys {
			own.keys[key] = jobs[j]
		}
		to.numbers = append(to.numbers, own)
		if s.callers[c.account.Name] == c {
			to.callers[c.account.Name] = own
		}
	}
	return to
}

// GoBack makes the store what an earlier copy of it was, as a database does after a
// failover to a standby that lagged. Epochs that were claimed since are not given
// again. It returns the first epoch that is given from now on.
func (s *Store) GoBack(to *Store) (since uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.numbers[1:] {
		s.base = max(s.base, c.account.Epoch)
	}
	s.callers, s.numbers, s.order, s.groups, s.results, s.deadly = to.callers, to.numbers, to.order, to.groups, to.results, to.deadly
	s.events, s.operations = to.events, to.operations
	for _, c := range s.numbers[1:] {
		c.account.Epoch = s.base
	}
	return s.base + 1
}
