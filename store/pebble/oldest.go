package pebble

import (
	"time"

	pebbledb "github.com/cockroachdb/pebble/v2"

	"fairfactor"
)

// headOf returns where a scan of the caller's queue may start.
func (s *Store) headOf(a *account) uint64 {
	s.cold.Lock()
	defer s.cold.Unlock()
	head, _ := s.heads.get(a.Number)
	return max(head, a.head)
}

// oldest returns the time of submission of the caller's oldest unfinished job:
// the one with the lowest sequence number, which is at the head of the queue
// unless it was queued again.
func (s *Store) oldest(db pebbledb.Reader, a *account) (time.Time, error) {
	if a.Queued == 0 {
		return time.Time{}, nil
	}
	if a.requeued == 0 {
		// Most often the head that the account has is exact, and one read is enough.
		j, ok, err := queuedJob(db, jobKey{a.Number, a.head}, a.head, a.Name, false)
		if ok || err != nil {
			return j.Submitted, err
		}
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
// queued again no job is older: its sequence number is below its own order, and so
// below all that follow.
func (s *Store) head(db pebbledb.Reader, a *account, from uint64) (j stored, found bool, err error) {
	it, err := db.NewIter(iterBounds(slot(nil, kindQueued, a.Number, from), slotsEnd(kindQueued, a.Number)))
	if err != nil {
		return j, false, readError(err)
	}
	defer it.Close()
	if !it.First() {
		return j, false, readError(it.Error())
	}
	s.cold.Lock()
	if have, _ := s.heads.get(a.Number); have < slotNumber(it.Key()) {
		s.heads.put(a.Number, slotNumber(it.Key()))
	}
	s.cold.Unlock()
	value, err := iterValue(it)
	if err != nil {
		return j, false, err
	}
	if j, err = decodeJob(it.Key(), value, a.Number, a.Name); err != nil {
		return j, false, err
	}
	return j, j.Order == j.ID.Seq, nil
}

// firstRequeued returns the oldest of the caller's jobs that were queued again.
func firstRequeued(db pebbledb.Reader, a *account) (j stored, found bool, err error) {
	if a.requeued == 0 {
		return j, false, nil
	}
	it, err := db.NewIter(iterBounds(slot(nil, kindRequeued, a.Number, 0), slotsEnd(kindRequeued, a.Number)))
	if err != nil {
		return j, false, readError(err)
	}
	defer it.Close()
	if !it.First() {
		return j, false, readError(it.Error())
	}
	return locate(db, jobKey{a.Number, slotNumber(it.Key())}, a.Name, fairfactor.In(fairfactor.Pending))
}
