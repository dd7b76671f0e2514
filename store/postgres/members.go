package postgres

import (
	"context"
	"reflect"
	"time"

	"github.com/jackc/pgx/v5"

	"fairfactor"
	"fairfactor/store/membership"
)

// Members is the [fairfactor.MemberTable] in the database of a store. Its time is
// the database server's. It has a connection for itself, so that no load of the
// store delays a lease.
//
// Who judges others reads all rows and keeps every other node out meanwhile. In a large
// cluster most renewals only extend a lease: see [Members.quick].
type Members struct {
	store *Store
	// now replaces the server's time in tests.
	now func() time.Time
}

var _ fairfactor.MemberTable = (*Members)(nil)

// Members returns the table of members. It lives as long as the store.
func (s *Store) Members() *Members { return &Members{store: s} }

// Leased implements [fairfactor.MemberTable].
func (m *Members) Leased(ctx context.Context) (leased []fairfactor.Member, err error) {
	err = m.store.retry(ctx, "to read the members", func(ctx context.Context) error {
		c, err := m.store.leases.Acquire(ctx)
		if err != nil {
			return err
		}
		defer release(c)
		ctx, cancel := context.WithTimeout(ctx, rollTimeout)
		defer cancel()
		rows, err := c.Query(ctx, "SELECT id, name, address, gossip, until, clock_timestamp() FROM fairfactor.members WHERE removed IS NULL ORDER BY id")
		if err != nil {
			return err
		}
		var t membership.Table
		var now time.Time
		t.Rows, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (r membership.Row, err error) {
			err = row.Scan(&r.ID, &r.Name, &r.Address, &r.Gossip, &r.Until, &now)
			return r, err
		})
		if m.now != nil {
			now = m.now()
		}
		leased = t.Leased(now)
		return err
	})
	return leased, err
}

// Join implements [fairfactor.MemberTable].
func (m *Members) Join(ctx context.Context, member fairfactor.Member, lease time.Duration) (fairfactor.MemberList, error) {
	again := false
	return m.change(ctx, "to join the cluster", member.ID, func(t *membership.Table, known bool, now time.Time) error {
		for i := range t.Rows {
			if again && t.Rows[i].Member == member {
				return nil // by a commit that was not answered
			}
		}
		again = true
		return t.Join(member, known, lease, now)
	})
}

// Renew implements [fairfactor.MemberTable].
func (m *Members) Renew(ctx context.Context, id string, dead []string, lease time.Duration) (fairfactor.MemberList, error) {
	if list, ok, err := m.quick(ctx, id, dead, lease); ok || err != nil {
		return list, err
	}
	return m.change(ctx, "to renew the lease of a member", id, func(t *membership.Table, _ bool, now time.Time) error {
		return t.Renew(id, dead, lease, now)
	})
}

// Leave implements [fairfactor.MemberTable].
func (m *Members) Leave(ctx context.Context, id string) error {
	_, err := m.change(ctx, "to leave the cluster", id, func(t *membership.Table, _ bool, _ time.Time) error {
		t.Leave(id)
		return nil
	})
	return err
}

// change reads the rows of all members, has them changed and writes what has
// changed, in one transaction that keeps all others out. known tells decide
// whether a node ever had that id. It may be done twice.
func (m *Members) change(ctx context.Context, what, id string, decide func(t *membership.Table, known bool, now time.Time) error) (r fairfactor.MemberList, err error) {
	err = m.store.retry(ctx, what, func(ctx context.Context) error {
		c, err := m.store.leases.Acquire(ctx)
		if err != nil {
			return err
		}
		defer release(c)
		ctx, cancel := context.WithTimeout(ctx, rollTimeout)
		defer cancel()
		table, known, now, err := m.read(ctx, c.Conn(), id)
		if err != nil {
			return err
		}
		before := table
		if err := decide(&table, known, now); err != nil {
			return err
		}
		r = table.Members()
		b := &pgx.Batch{}
		writeMembers(b, &before, &table, now)
		if b.Len() == 0 {
			return nil
		}
		b.Queue("COMMIT")
		return send(ctx, c.Conn(), b, func(r pgx.BatchResults) error { _, err := r.Exec(); return err })
	})
	if err != nil {
		return fairfactor.MemberList{}, err
	}
	m.store.roll.set(r)
	return r, nil
}

// read begins the transaction, waits until no other node is in one, and reads the
// time and all members after that.
func (m *Members) read(ctx context.Context, c *pgx.Conn, id string) (t membership.Table, known bool, now time.Time, err error) {
	if !storable(id) {
		id = "" // of no member
	}
	b := &pgx.Batch{}
	b.Queue("BEGIN ISOLATION LEVEL READ COMMITTED")
	b.Queue("SELECT pg_advisory_xact_lock($1)", int64(rollLock))
	b.Queue("SELECT version FROM fairfactor.roll WHERE one FOR UPDATE").QueryRow(func(row pgx.Row) error { return row.Scan(&t.Version) })
	b.Queue("SELECT clock_timestamp(), EXISTS (SELECT 1 FROM fairfactor.members WHERE id = $1)", id).QueryRow(func(row pgx.Row) error {
		return row.Scan(&now, &known)
	})
	b.Queue(`SELECT id, name, address, gossip, since, renewed, until, dead FROM fairfactor.members
		WHERE removed IS NULL ORDER BY id`).Query(func(rows pgx.Rows) error {
		t.Rows, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (r membership.Row, err error) {
			err = row.Scan(&r.ID, &r.Name, &r.Address, &r.Gossip, &r.Since, &r.Renewed, &r.Until, &r.Dead)
			return r, err
		})
		return err
	})
	err = c.SendBatch(ctx, b).Close()
	if m.now != nil {
		now = m.now()
	}
	return t, known, now, err
}

// formerly is how long the table knows who was a member once. An id is made
// by each process, with the time in it, and comes back at most by a message that
// was under way.
const formerly = 30 * 24 * time.Hour

// writeMembers queues what makes the rows before to the rows now.
func writeMembers(b *pgx.Batch, before, now *membership.Table, at time.Time) {
	old := make(map[string]*membership.Row, len(before.Rows))
	for i := range before.Rows {
		old[before.Rows[i].ID] = &before.Rows[i]
	}
	for i := range now.Rows {
		r := &now.Rows[i]
		was := old[r.ID]
		delete(old, r.ID)
		if was != nil && reflect.DeepEqual(was, r) {
			continue
		}
		dead := r.Dead
		if dead == nil {
			dead = []string{}
		}
		b.Queue(`INSERT INTO fairfactor.members (id, name, address, gossip, joined, since, renewed, until, dead) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
			ON CONFLICT (id) DO UPDATE SET since = excluded.since, renewed = excluded.renewed, until = excluded.until, dead = excluded.dead`,
			r.ID, r.Name, r.Address, r.Gossip, at, r.Since, r.Renewed, r.Until, dead)
	}
	for id := range old {
		b.Queue("UPDATE fairfactor.members SET removed = $2 WHERE id = $1", id, at)
	}
	if now.Version != before.Version {
		b.Queue("UPDATE fairfactor.roll SET version = $1 WHERE one", int64(now.Version))
		b.Queue("DELETE FROM fairfactor.members WHERE removed < $1", at.Add(-formerly))
	}
}
