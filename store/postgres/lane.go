package postgres

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
)

// lane writes one group after the other. It has a row of its own in writers with
// the number of the last group that it wrote, by which three things are found out:
// whether a commit that was not answered took place, that a group which is still
// on its way must not take place any more, and that the database went back.
type lane struct {
	id    atomic.Int64 // of its row
	next  int64        // number of the last group that it began
	acked atomic.Int64 // number in its row, as far as that was acknowledged
	made  atomic.Bool  // the row exists
	age   atomic.Int64 // how often the database had gone back when it last agreed with the row

	groups int     // written to its row since that was made
	former []int64 // ids of its rows before, which are still there
}

// groupsPerRow is how many groups a lane writes to one row. While a long transaction keeps
// PostgreSQL from removing what was overwritten, finding a row takes the longer, the more
// often it was written; 500 versions take less than a millisecond.
const groupsPerRow = 500

// history is what a store knows of the database's past.
type history struct {
	mu    sync.Mutex    // held while age is raised
	age   atomic.Int64  // how often the database went back
	since atomic.Uint64 // epochs below were claimed before it did
	top   atomic.Uint64 // highest epoch that was claimed
}

func newLanes(n int) []*lane {
	lanes := make([]*lane, n)
	for i := range lanes {
		lanes[i] = &lane{}
		lanes[i].id.Store(rand.Int64())
	}
	return lanes
}

// ready makes the lane's row, if it was not made yet. That is a transaction of its
// own, so that the row can be locked from then on.
func (s *Store) ready(ctx context.Context, c *pgx.Conn, l *lane) error {
	if l.made.Load() {
		return s.renew(ctx, c, l)
	}
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	_, err := c.Exec(ctx, "INSERT INTO fairfactor.writers (id, last, place, touched) VALUES ($1, $2, 0, now()) ON CONFLICT (id) DO NOTHING", l.id.Load(), l.acked.Load())
	if err == nil {
		l.age.Store(s.history.age.Load())
		l.made.Store(true)
	}
	return err
}

// renew gives the lane another row when it has written enough groups to the one that it
// has. Rows before that are removed when no statement can look for them any more.
func (s *Store) renew(ctx context.Context, c *pgx.Conn, l *lane) error {
	if l.groups < groupsPerRow || l.next != l.acked.Load() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	id, old := rand.Int64(), l.id.Load()
	rows, err := c.Query(ctx, renewRow, id, old, l.next, append([]int64{}, l.former...), 2*writeTimeout.Seconds())
	if err != nil {
		return err
	}
	gone, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return err
	}
	l.former = append(slices.DeleteFunc(l.former, func(id int64) bool { return slices.Contains(gone, id) }), old)
	l.id.Store(id)
	l.groups = 0
	return nil
}

// renewRow makes another row from one that is as was acknowledged, and returns which
// former rows it removed. If there is no such row, nothing is made: the next group finds
// the new one missing, and looks what happened.
const renewRow = `
	WITH made AS (
		INSERT INTO fairfactor.writers (id, last, place, touched) SELECT $1, last, place, now() FROM fairfactor.writers WHERE id = $2 AND last = $3
	)
	DELETE FROM fairfactor.writers WHERE id = ANY($4::bigint[]) AND touched < now() - $5 * interval '1 s' RETURNING id`

// witnesses returns the lanes whose rows must have at least the numbers that were
// acknowledged, or the database went back.
func (s *Store) witnesses() (ids, groups []int64) {
	ids, groups = []int64{}, []int64{}
	for _, l := range s.lanes {
		if acked := l.acked.Load(); l.made.Load() && l.age.Load() == s.history.age.Load() {
			ids, groups = append(ids, l.id.Load()), append(groups, acked)
		}
	}
	return ids, groups
}

// countWitnesses counts the lanes whose rows agree, by the first two parameters.
const countWitnesses = `(SELECT count(*) FROM unnest($1::bigint[], $2::bigint[]) AS l (id, grp)
	CROSS JOIN LATERAL (SELECT 1 FROM fairfactor.writers AS x WHERE x.id = l.id AND x.last >= l.grp OFFSET 0) AS w)`

// wentBack notes that the database went back, since a lane was in the given age,
// and has it told to the node, once.
func (s *Store) wentBack(age int64) {
	h := &s.history
	h.mu.Lock()
	if h.age.Load() != age {
		h.mu.Unlock()
		return // another lane has noticed it
	}
	h.since.Store(h.top.Load() + 1)
	h.age.Add(1)
	h.mu.Unlock()
	s.log.Error("the database has lost changes that it had acknowledged, as after a failover to a standby that lagged: all callers of this node begin again")
	if s.onWentBack != nil {
		go s.onWentBack()
	}
}

// adopt takes for true what the lane's row says now.
func (s *Store) adopt(l *lane, group int64, found bool) {
	l.age.Store(s.history.age.Load())
	l.next = max(l.next, group)
	if found {
		l.acked.Store(group)
		return
	}
	l.made.Store(false)
	l.acked.Store(l.next) // that the row is made with
}

// committed finds out whether the last group of a lane was committed, and sees to
// it that it will not be from now on. It asks until it is answered, because
// nothing could be done with a "perhaps".
func (s *Store) committed(l *lane) (bool, error) {
	for wait := backoff(0); ; wait = wait.next() {
		done, err := s.askCommitted(l)
		if err == nil {
			s.log.Info("the outcome of a commit is known", "committed", done)
			return done, nil
		}
		s.log.Warn("the outcome of a commit is still not known", "err", err)
		if !wait.pause(s.closing) {
			return false, err
		}
	}
}

// queueLast asks for the number in the lane's row and locks it; found is whether there is a row.
func (l *lane) queueLast(b *pgx.Batch, last *int64, found *bool) {
	b.Queue("SELECT last FROM fairfactor.writers WHERE id = $1 FOR UPDATE", l.id.Load()).QueryRow(func(row pgx.Row) error {
		err := row.Scan(last)
		*found = err == nil
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		return err
	})
}

// askCommitted waits for the end of a transaction that has the lane's row locked,
// however it ends; if its node is gone for the server too, that is after
// idleTimeout at the latest. A group that has not locked the row yet finds a
// number in it that is not the one before its own, and fails.
func (s *Store) askCommitted(l *lane) (done bool, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), writeTimeout+connectTimeout)
	defer cancel()
	c, err := s.writes.Acquire(ctx)
	if err != nil {
		return false, err
	}
	defer release(c)
	var group int64
	var found bool
	b := &pgx.Batch{}
	l.queueLast(b, &group, &found)
	b.Queue("UPDATE fairfactor.writers SET last = $3 WHERE id = $1 AND last <> $2", l.id.Load(), l.next, l.next+1)
	if err := c.Conn().SendBatch(ctx, b).Close(); err != nil {
		return false, err
	}
	switch {
	case !found:
		s.wentBack(l.age.Load())
		s.adopt(l, 0, false)
	case group == l.next:
		l.acked.Store(group)
		return true, nil
	default:
		l.next++
		l.acked.Store(l.next)
	}
	return false, nil
}
