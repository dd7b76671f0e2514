package pebble

import (
	"encoding/binary"
	"math"

	pebbledb "github.com/cockroachdb/pebble/v2"

	"fairfactor"
)

// Which groups accepted the jobs of a span of time is found by a binary search.
// The roll of each group has its stamp: the latest time of submission of any job up to
// there, which never falls from a group to the next, and the earliest one of its own
// jobs. The lag is the largest distance between the two that ever was: a little while
// jobs wait for their group, more after a clock was set back. So all jobs that were
// submitted before a time are in groups whose latest time is less than the lag above
// it, however the clock went.

// stamp says when jobs were submitted, in microseconds.
type stamp struct {
	latest   int64 // of all groups up to this one
	earliest int64 // of this group
}

// span are the times of submission of a group that is being built.
type span struct {
	n                int
	earliest, latest int64
}

func (s *span) add(at int64) {
	if s.n == 0 || at < s.earliest {
		s.earliest = at
	}
	if s.n == 0 || at > s.latest {
		s.latest = at
	}
	s.n++
}

// times are what the next stamp follows from; guarded by Store.mu.
type times struct {
	latest int64
	lag    uint64 // microseconds
}

// add appends the stamp of the next group, and writes a lag that has grown.
func (t *times) add(b *pebbledb.Batch, s span, value []byte) []byte {
	t.latest = max(t.latest, s.latest)
	if lag := uint64(t.latest - s.earliest); lag > t.lag {
		t.lag = lag
		setNumber(b, keyLag, lag)
	}
	return stamp{t.latest, s.earliest}.append(value)
}

func (s stamp) append(b []byte) []byte {
	return binary.AppendUvarint(binary.AppendVarint(b, s.latest), uint64(s.latest-s.earliest))
}

func readStamp(r *reader) (s stamp) {
	s.latest = r.varint()
	s.earliest = s.latest - int64(r.uvarint())
	return s
}

// earliestTime is before all times of submission.
const earliestTime = math.MinInt64 / 4

// loadTimes reads the stamp of the last group. If it is damaged, it will be reported
// where it is asked for.
func (s *Store) loadTimes() (err error) {
	s.times.latest = earliestTime
	if s.times.lag, err = s.number(keyLag); err != nil {
		return err
	}
	it, err := s.db.NewIter(iterBounds(kindBounds(kindAccepted)))
	if err != nil {
		return readError(err)
	}
	defer it.Close()
	_, at, ok, err := stampUnder(it, it.Last())
	if ok {
		s.times.latest = at.latest
	}
	return undamaged(err)
}

// stampUnder reads the stamp of the roll under an iterator.
func stampUnder(it *pebbledb.Iterator, valid bool) (group uint64, at stamp, ok bool, err error) {
	if !valid {
		return 0, at, false, readError(it.Error())
	}
	value, err := iterValue(it)
	if err != nil {
		return 0, at, false, err
	}
	r := reader{b: value}
	if at = readStamp(&r); r.bad {
		return 0, at, false, damaged(it.Key(), "the roll has an unknown form")
	}
	return acceptedGroup(it.Key()), at, true, nil
}

// window are the groups that may have accepted the jobs of a query.
type window struct {
	first, end uint64 // end is not among them
	since      int64  // microseconds
	until      int64
}

// allGroups is the window of a query that does not ask for times.
var allGroups = window{end: math.MaxUint64, since: math.MinInt64, until: math.MaxInt64}

// windowOf finds the groups that may have accepted the jobs of a query.
func (s *Store) windowOf(db *pebbledb.Snapshot, q *fairfactor.Query) (w window, err error) {
	w = allGroups
	if q.Since.IsZero() && q.Until.IsZero() {
		return w, nil
	}
	it, err := db.NewIter(iterBounds(kindBounds(kindAccepted)))
	if err != nil {
		return w, readError(err)
	}
	defer it.Close()
	if !q.Since.IsZero() {
		w.since = micros(q.Since)
		if w.first, err = firstGroup(it, w.since); err != nil {
			return w, err
		}
	}
	if !q.Until.IsZero() {
		s.mu.Lock()
		lag := s.times.lag
		s.mu.Unlock()
		w.until = micros(q.Until) + 1 // a time between two microseconds
		w.end, err = firstGroup(it, w.until+int64(lag))
	}
	return w, err
}

// firstGroup returns the first group up to which a job was submitted at a time or
// later, or the largest number.
func firstGroup(it *pebbledb.Iterator, at int64) (uint64, error) {
	low, _, ok, err := stampUnder(it, it.First())
	if err != nil || !ok {
		return math.MaxUint64, err
	}
	last, _, _, err := stampUnder(it, it.Last())
	if err != nil {
		return 0, err
	}
	found := uint64(math.MaxUint64)
	for high := last + 1; low < high; {
		middle := low + (high-low)/2
		group, have, ok, err := stampUnder(it, it.SeekGE(acceptedKey(nil, middle)))
		switch {
		case err != nil:
			return 0, err
		case !ok || have.latest >= at:
			high = middle
			if ok {
				found = group
			}
		default:
			low = group + 1
		}
	}
	return found, nil
}
