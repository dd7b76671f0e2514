package postgres

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"fairfactor"
)

// judges is how many members judge the others in the time in which each renews once, on
// average, however many there are. Each keeps all others out for the time there and back.
const judges = 16

// rollLock is the advisory lock of the table of members: shared by those who renew their
// own lease and nothing else. "members " in ASCII.
const rollLock = 0x6d656d6265727320

// roll remembers the members by the version of their list, so that who renews need not read
// them all again.
type roll struct {
	mu   sync.Mutex
	list fairfactor.MemberList // guarded by mu
}

func (r *roll) get() fairfactor.MemberList {
	r.mu.Lock()
	defer r.mu.Unlock()
	return fairfactor.MemberList{Version: r.list.Version, Members: slices.Clone(r.list.Members)}
}

func (r *roll) set(list fairfactor.MemberList) {
	list.Members = slices.Clone(list.Members)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = list
}

// quick renews the lease of a member in one trip, next to others who do so. It is not ok if
// that is not all there is to do: the member reports others or has reported some, its lease
// has run out, a clock was set back, it is no member, or it is its turn to judge.
func (m *Members) quick(ctx context.Context, id string, dead []string, lease time.Duration) (list fairfactor.MemberList, ok bool, err error) {
	list = m.store.roll.get()
	if n := len(list.Members); len(dead) > 0 || lease <= 0 || !storable(id) || n <= judges || rand.IntN(n) < judges {
		return list, false, nil
	}
	var now *time.Time
	if m.now != nil {
		at := m.now()
		now = &at
	}
	err = m.store.retry(ctx, "to renew the lease of a member", func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, rollTimeout)
		defer cancel()
		ok = false
		var version uint64
		var members []fairfactor.Member
		b := &pgx.Batch{} // one transaction; each statement sees what those before the lock have done
		b.Queue("SELECT pg_advisory_xact_lock_shared($1)", int64(rollLock))
		b.Queue(renewQuickly, id, now, lease.Microseconds()).QueryRow(func(row pgx.Row) error { return row.Scan(&ok, &version) })
		b.Queue(`SELECT id, name, address, gossip FROM fairfactor.members
			WHERE removed IS NULL AND (SELECT version FROM fairfactor.roll WHERE one) <> $1 ORDER BY id`, int64(list.Version)).Query(func(rows pgx.Rows) error {
			members, err = pgx.CollectRows(rows, pgx.RowToStructByPos[fairfactor.Member])
			return err
		})
		if err := m.store.leases.SendBatch(ctx, b).Close(); err != nil {
			return err
		}
		if version != list.Version {
			list = fairfactor.MemberList{Version: version, Members: members}
			m.store.roll.set(list)
		}
		return nil
	})
	return list, ok, err
}

const renewQuickly = `
	WITH at AS MATERIALIZED (
		SELECT coalesce($2::timestamptz, clock_timestamp()) AS now
	), renewed AS (
		UPDATE fairfactor.members AS m SET renewed = at.now, until = at.now + $3 * interval '1 microsecond' FROM at
		WHERE m.id = $1 AND m.removed IS NULL AND m.dead = '{}' AND m.until >= at.now AND m.renewed <= at.now AND m.since <= at.now
		RETURNING 1
	)
	SELECT EXISTS (SELECT FROM renewed), version FROM fairfactor.roll WHERE one`
