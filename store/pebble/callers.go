package pebble

import (
	"context"
	"time"

	pebbledb "github.com/cockroachdb/pebble/v2"

	"fairfactor"
)

// Callers implements [fairfactor.Store]. It reads accounts, never queues, but
// for the age of the oldest job; so it is fast for callers without any.
func (s *Store) Callers(ctx context.Context, after string, limit int, queuedOnly bool) ([]fairfactor.Caller, error) {
	if err := live(ctx); err != nil {
		return nil, err
	}
	_, upper := kindBounds(kindAccount)
	snapshot := s.db.NewSnapshot()
	defer snapshot.Close()
	it, err := snapshot.NewIter(&pebbledb.IterOptions{LowerBound: append(accountKey(nil, after), 0), UpperBound: upper})
	if err != nil {
		return nil, readError(err)
	}
	defer it.Close()
	var callers []fairfactor.Caller
	for ok, n := it.First(), 0; ok && len(callers) < limit; ok, n = it.Next(), n+1 {
		if n%1024 == 1023 {
			if err := live(ctx); err != nil {
				return nil, err
			}
		}
		value, err := it.ValueAndErr()
		if err != nil {
			return nil, readError(err)
		}
		a, err := decodeAccount(it.Key(), value)
		if err != nil {
			return nil, err
		}
		if queuedOnly && a.queued == 0 {
			continue
		}
		c, err := s.callerOf(snapshot, &a)
		if err != nil {
			return nil, err
		}
		callers = append(callers, c)
	}
	return callers, readError(it.Error())
}

// Caller implements [fairfactor.Store].
func (s *Store) Caller(ctx context.Context, name string) (fairfactor.Caller, error) {
	if err := live(ctx); err != nil {
		return fairfactor.Caller{}, err
	}
	snapshot := s.db.NewSnapshot()
	defer snapshot.Close()
	a, ok, err := readAccount(snapshot, name)
	if err != nil {
		return fairfactor.Caller{}, err
	}
	if !ok {
		return fairfactor.Caller{}, fairfactor.Errorf(fairfactor.NotFound, "there is no caller %q", name)
	}
	return s.callerOf(snapshot, &a)
}

// callerOf returns an account with the time of its oldest unfinished job.
func (s *Store) callerOf(db pebbledb.Reader, a *account) (c fairfactor.Caller, err error) {
	c = a.caller()
	c.Oldest, err = s.oldest(db, a)
	return c, err
}

// readAccount returns a caller's account as it is stored.
func readAccount(db pebbledb.Reader, name string) (account, bool, error) {
	key := accountKey(nil, name)
	value, closer, err := db.Get(key)
	if err == pebbledb.ErrNotFound {
		return account{}, false, nil
	}
	if err != nil {
		return account{}, false, readError(err)
	}
	defer closer.Close()
	a, err := decodeAccount(key, value)
	return a, err == nil, err
}

// headOf returns where a scan of the caller's queue may start.
func (s *Store) headOf(a *account) uint64 {
	s.cold.Lock()
	defer s.cold.Unlock()
	head, _ := s.heads.get(a.number)
	return max(head, a.head)
}

// oldest returns the time of submission of the caller's oldest unfinished job:
// the one with the lowest sequence number, which is at the head of the queue
// unless it was queued again.
func (s *Store) oldest(db pebbledb.Reader, a *account) (time.Time, error) {
	if a.queued == 0 {
		return time.Time{}, nil
	}
	again, found, err := firstRequeued(db, a)
	if err != nil {
		return time.Time{}, err
	}
	first, ok, err := s.head(db, a, s.headOf(a))
	if err == nil && !ok && !found {
		// The head that was remembered is later than what db shows.
		first, ok, err = s.head(db, a, a.head)
	}
	if err != nil {
		return time.Time{}, err
	}
	if found && (!ok || again.ID.Seq < first.ID.Seq) {
		return again.Submitted, nil
	}
	return first.Submitted, nil
}

// head returns the first job of the caller's queue from an order on, if it was
// not queued again, and remembers where the queue began. Behind one that was
// queued again there is none that is older: its sequence number is below its own
// order, and so below all that follow.
func (s *Store) head(db pebbledb.Reader, a *account, from uint64) (j fairfactor.Job, found bool, err error) {
	it, err := db.NewIter(&pebbledb.IterOptions{
		LowerBound: slot(nil, kindQueued, a.number, from), UpperBound: slotsEnd(kindQueued, a.number),
	})
	if err != nil {
		return j, false, readError(err)
	}
	defer it.Close()
	if !it.First() {
		return j, false, readError(it.Error())
	}
	s.cold.Lock()
	if have, _ := s.heads.get(a.number); have < slotNumber(it.Key()) {
		s.heads.put(a.number, slotNumber(it.Key()))
	}
	s.cold.Unlock()
	value, err := iterValue(it)
	if err != nil {
		return j, false, err
	}
	if j, err = decodeJob(it.Key(), value, a.number, a.name); err != nil {
		return j, false, err
	}
	return j, j.Order == j.ID.Seq, nil
}

// firstRequeued returns the oldest of the caller's jobs that were queued again.
func firstRequeued(db pebbledb.Reader, a *account) (j fairfactor.Job, found bool, err error) {
	it, err := db.NewIter(&pebbledb.IterOptions{
		LowerBound: slot(nil, kindRequeued, a.number, 0), UpperBound: slotsEnd(kindRequeued, a.number),
	})
	if err != nil {
		return j, false, readError(err)
	}
	defer it.Close()
	if !it.First() {
		return j, false, readError(it.Error())
	}
	return locate(db, place{a.number, slotNumber(it.Key())}, a.name, fairfactor.Pending)
}
