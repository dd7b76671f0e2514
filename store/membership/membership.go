// Package membership decides who belongs to a cluster: it is what every
// [fairfactor.MemberTable] does between reading its rows and writing them. It has no
// I/O and no clock. The caller owns the rows and keeps others from changing them
// meanwhile.
//
// Start reading at [Table.Renew].
package membership

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"fairfactor"
)

// Bounds of a table.
const (
	MaxMembers = 1000 // members at a time
	MaxBytes   = 256  // of each text of a member
)

// Table is the rows of a cluster's members.
type Table struct {
	Version uint64 // changes of who is in Rows, 0 before the first
	Rows    []Row  // by ID, ascending
}

// Row is what the table knows of one member.
type Row struct {
	fairfactor.Member
	// Since is the start of the member's unbroken series of leases.
	Since time.Time
	// Renewed and Until bound its last lease.
	Renewed, Until time.Time
	// Dead are the members that it believes dead, by ID, ascending.
	Dead []string
}

// lease returns the length of the last lease.
func (r *Row) lease() time.Duration { return r.Until.Sub(r.Renewed) }

// Join enters a member, replacing one with the same address. known says that a node
// with this id is or was a member.
func (t *Table) Join(m fairfactor.Member, known bool, lease time.Duration, now time.Time) error {
	if err := check(m, lease); err != nil {
		return err
	}
	if known || t.row(m.ID) != nil {
		return fairfactor.Errorf(fairfactor.Conflict, "a node with the id %s was a member before: start with a new id", m.ID)
	}
	rows := slices.DeleteFunc(slices.Clone(t.Rows), func(r Row) bool { return r.Address == m.Address })
	if len(rows) >= MaxMembers {
		return fairfactor.Errorf(fairfactor.Limit, "the cluster has %d members, which is the limit", len(rows))
	}
	rows = append(rows, Row{Member: m, Since: now, Renewed: now, Until: now.Add(lease)})
	slices.SortFunc(rows, func(a, b Row) int { return strings.Compare(a.ID, b.ID) })
	t.Rows = rows
	t.Version++
	return nil
}

// check returns what is wrong with a request to join.
func check(m fairfactor.Member, lease time.Duration) error {
	for _, f := range []struct{ name, text string }{{"id", m.ID}, {"name", m.Name}, {"address", m.Address}, {"gossip address", m.Gossip}} {
		if len(f.text) > MaxBytes {
			return fairfactor.Errorf(fairfactor.Invalid, "the %s of the node has %d bytes, at most %d are allowed", f.name, len(f.text), MaxBytes)
		}
		if !utf8.ValidString(f.text) || strings.ContainsRune(f.text, 0) {
			return fairfactor.Errorf(fairfactor.Invalid, "the %s of the node is not valid text", f.name)
		}
	}
	if m.ID == "" || m.Address == "" {
		return fairfactor.Errorf(fairfactor.Invalid, "a member needs an id and an address")
	}
	return checkLease(lease)
}

func checkLease(lease time.Duration) error {
	if lease <= 0 {
		return fairfactor.Errorf(fairfactor.Invalid, "a lease of %s is too short", lease)
	}
	return nil
}

// Renew renews the lease of a member, replaces its reports by dead, and removes
// members:
//
//   - Those whose lease ran out, if the member can judge it: its own leases must
//     have followed one another without a gap since the other lease was valid, or
//     for longer than that lease. So after an outage of the store, when all leases
//     have run out, all members stay, and get one whole lease to return.
//   - Those in dead, if more than half of the other members report them. Majorities
//     are counted after the members whose lease ran out are removed. The member that
//     renews is alive, whatever others say, so no report empties the table.
func (t *Table) Renew(id string, dead []string, lease time.Duration, now time.Time) error {
	if err := checkLease(lease); err != nil {
		return err
	}
	if t.row(id) == nil {
		return fairfactor.Errorf(fairfactor.Conflict, "node %s is no longer a member of the cluster", id)
	}
	t.Rows = slices.Clone(t.Rows)
	for i := range t.Rows {
		t.Rows[i].rewind(now)
	}
	own := t.row(id)
	if now.After(own.Until) {
		own.Since = now
	}
	own.Renewed, own.Until = now, now.Add(lease)
	since := own.Since
	own.Dead = t.reports(id, dead)
	t.remove(func(r *Row) bool {
		return now.After(r.Until) && (!since.After(r.Until) || now.After(since.Add(r.lease())))
	})
	reported := t.row(id).Dead
	votes := t.votes()
	needed := (len(t.Rows)-1)/2 + 1
	t.remove(func(r *Row) bool {
		_, tipped := slices.BinarySearch(reported, r.ID)
		return tipped && votes[r.ID] >= needed
	})
	return nil
}

// rewind corrects a row whose times are in the future because the clock was set
// back; otherwise a lease would last longer by that much.
func (r *Row) rewind(now time.Time) {
	if r.Renewed.After(now) {
		r.Renewed, r.Until = now, now.Add(r.lease())
	}
	if r.Since.After(now) {
		r.Since = now
	}
}

// reports returns the part of a member's report that is kept: the other members
// among dead.
func (t *Table) reports(id string, dead []string) []string {
	var kept []string
	for i := range t.Rows {
		if r := &t.Rows[i]; r.ID != id && slices.Contains(dead, r.ID) {
			kept = append(kept, r.ID)
		}
	}
	return kept
}

// votes counts how many members report each one dead.
func (t *Table) votes() map[string]int {
	votes := make(map[string]int)
	for i := range t.Rows {
		for _, id := range t.Rows[i].Dead {
			votes[id]++
		}
	}
	return votes
}

// Leave removes a member, if there is one with that id.
func (t *Table) Leave(id string) { t.remove(func(r *Row) bool { return r.ID == id }) }

// remove removes the rows that gone chooses, as one change.
func (t *Table) remove(gone func(*Row) bool) {
	var kept []Row
	for i := range t.Rows {
		if !gone(&t.Rows[i]) {
			kept = append(kept, t.Rows[i])
		}
	}
	if len(kept) == len(t.Rows) {
		return
	}
	t.Rows = kept
	t.Version++
}

// Leased returns the members whose leases have not run out.
func (t *Table) Leased(now time.Time) (leased []fairfactor.Member) {
	for i := range t.Rows {
		if !now.After(t.Rows[i].Until) {
			leased = append(leased, t.Rows[i].Member)
		}
	}
	return leased
}

// row returns the row of the member with that id, or nil.
func (t *Table) row(id string) *Row {
	i, ok := slices.BinarySearchFunc(t.Rows, id, func(r Row, id string) int { return strings.Compare(r.ID, id) })
	if !ok {
		return nil
	}
	return &t.Rows[i]
}

// Members returns the members as they are now.
func (t *Table) Members() fairfactor.MemberList {
	list := fairfactor.MemberList{Version: t.Version, Members: make([]fairfactor.Member, len(t.Rows))}
	for i := range t.Rows {
		list.Members[i] = t.Rows[i].Member
	}
	return list
}
