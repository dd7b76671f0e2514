package memory

import (
	"context"
	"slices"
	"sync"
	"time"

	"fairfactor"
	"fairfactor/store/membership"
)

// Members is a [fairfactor.MemberTable] for nodes of one process.
type Members struct {
	now func() time.Time

	mu    sync.Mutex // guards the fields below
	table membership.Table
	ids   map[string]bool // of all members there ever were
}

var _ fairfactor.MemberTable = (*Members)(nil)

// NewMembers returns a table without members, whose time is now's.
func NewMembers(now func() time.Time) *Members { return &Members{now: now, ids: map[string]bool{}} }

// Leased implements [fairfactor.MemberTable].
func (t *Members) Leased(ctx context.Context) ([]fairfactor.Member, error) {
	if err := live(ctx); err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.table.Leased(t.now()), nil
}

// Join implements [fairfactor.MemberTable].
func (t *Members) Join(ctx context.Context, m fairfactor.Member, lease time.Duration) (fairfactor.MemberList, error) {
	if err := live(ctx); err != nil {
		return fairfactor.MemberList{}, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.table.Join(m, t.ids[m.ID], lease, t.now()); err != nil {
		return fairfactor.MemberList{}, err
	}
	t.ids[m.ID] = true
	return t.table.Members(), nil
}

// Renew implements [fairfactor.MemberTable].
func (t *Members) Renew(ctx context.Context, id string, dead []string, lease time.Duration) (fairfactor.MemberList, error) {
	if err := live(ctx); err != nil {
		return fairfactor.MemberList{}, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.table.Renew(id, dead, lease, t.now()); err != nil {
		return fairfactor.MemberList{}, err
	}
	return t.table.Members(), nil
}

// Has reports whether a node is a member.
func (t *Members) Has(id string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.ContainsFunc(t.table.Rows, func(r membership.Row) bool { return r.ID == id })
}

// Leave implements [fairfactor.MemberTable].
func (t *Members) Leave(ctx context.Context, id string) error {
	if err := live(ctx); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.table.Leave(id)
	return nil
}
