package memory

import (
	"cmp"
	"context"
	"slices"
	"time"

	"fairfactor"
	"fairfactor/store/rules"
)

// BoundAccounts implements [fairfactor.Store].
func (s *Store) BoundAccounts(most uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bound = most
}

// Accounts implements [fairfactor.Store].
func (s *Store) Accounts(ctx context.Context) (fairfactor.Accounts, error) {
	if err := live(ctx); err != nil {
		return fairfactor.Accounts{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return fairfactor.Accounts{Kept: s.kept(), Forgotten: s.forgotten}, nil
}

// Forget implements [fairfactor.Store]. An account that has expired no job is idle since
// ever.
func (s *Store) Forget(ctx context.Context, before time.Time, limit int) (int, error) {
	if err := live(ctx); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	idle := slices.DeleteFunc(s.idle(), func(c *caller) bool { return !c.ended.Before(rules.Kept(before)) })
	idle = idle[:min(len(idle), max(limit, 0))]
	for _, c := range idle {
		s.remove(c)
	}
	return len(idle), nil
}

// ExpireOf deletes the jobs of a caller that have ended, and returns their ids.
func (s *Store) ExpireOf(name string) (gone []fairfactor.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, j := range s.order {
		if !j.expired && j.Caller == name && j.State.Final() {
			s.expire(j)
			gone = append(gone, j.ID)
		}
	}
	return gone
}

func (s *Store) kept() (n uint64) {
	for _, c := range s.callers {
		if c.account.Known {
			n++
		}
	}
	return n
}

// idle returns the idle accounts, those first that have been so longest.
func (s *Store) idle() (list []*caller) {
	for _, c := range s.callers {
		if c.account.Known && len(c.jobs) == 0 && c.account.Plain() {
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b *caller) int {
		return cmp.Or(a.ended.Compare(b.ended), cmp.Compare(a.account.Number, b.account.Number))
	})
	return list
}

// room reports whether there is room for one more account, if one can go that no
// activation has claimed since it was written, other than the one given.
func (s *Store) room(not *caller) bool {
	return s.bound == 0 || s.kept() < s.bound || s.spare(not) != nil
}

// spare returns the account that goes at the bound, nil for none.
func (s *Store) spare(not *caller) *caller {
	for _, c := range s.idle() {
		if c != not && c.account.Epoch == c.written {
			return c
		}
	}
	return nil
}

// makeRoom makes room for the account of a caller that becomes known.
func (s *Store) makeRoom(c *caller) bool {
	if s.bound == 0 || s.kept() < s.bound {
		return true
	}
	gone := s.spare(c)
	if gone != nil {
		s.remove(gone)
	}
	return gone != nil
}

// remove forgets an account. Its number stays taken, and the next account of this
// name has a later epoch.
func (s *Store) remove(c *caller) {
	delete(s.callers, c.account.Name)
	s.base = max(s.base, c.account.Epoch)
	s.forgotten++
}
