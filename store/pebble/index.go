package pebble

import (
	"encoding/binary"

	"github.com/cespare/xxhash/v2"
	pebbledb "github.com/cockroachdb/pebble/v2"

	"fairfactor"
	"fairfactor/store/rules"
)

// What finds jobs by their state and number is written with the change that makes it
// so. Nearly all jobs complete, so for these, and for those that are unfinished, it
// is kept which groups have accepted some: one small key for each group that a change
// concerns, however many jobs that are. The few that fail or are cancelled have keys of
// their own, and so does each job's number.

// quarantined stands for the state of jobs that failed and are quarantined in the keys by
// state, next to those for all that failed.
const quarantined = fairfactor.Cancelled + 1

// endedIn are the states in which jobs of a query ended, as the keys by state have them,
// without those that completed.
func endedIn(q *fairfactor.Query) (states []fairfactor.State) {
	if q.Quarantined {
		return []fairfactor.State{quarantined}
	}
	for _, state := range [...]fairfactor.State{fairfactor.Failed, fairfactor.Cancelled} {
		if q.States.Has(state) {
			states = append(states, state)
		}
	}
	return states
}

// index notes what a change makes of a job that the given group accepted.
func (st *staging) index(j *fairfactor.Job, e *rules.Effect, group uint64) {
	p := jobKeyOf(j)
	if e.Was.State == 0 {
		st.key = numberKey(st.key[:0], j.Number, group, p)
		st.mark()
		st.span.add(micros(j.Submitted))
	}
	if e.Was.State.Final() {
		st.batch.Delete(endedAsKey(nil, e.Was.State, group, p), nil)
		st.batch.Delete(endedOfKey(nil, e.Was.State, p), nil)
		st.batch.Delete(endedAsKey(nil, quarantined, group, p), nil) // whether it was or not
		st.batch.Delete(endedOfKey(nil, quarantined, p), nil)
	}
	switch e.Now.State {
	case fairfactor.Completed:
		if st.done == nil {
			st.done = map[uint64]bool{}
		}
		st.done[group] = true
	case fairfactor.Failed, fairfactor.Cancelled:
		st.key = endedAsKey(st.key[:0], e.Now.State, group, p)
		st.mark()
		st.key = endedOfKey(st.key[:0], e.Now.State, p)
		st.mark()
		if e.Now.State == fairfactor.Failed && j.Deaths.Count() > 0 {
			st.key = endedAsKey(st.key[:0], quarantined, group, p)
			st.mark()
			st.key = endedOfKey(st.key[:0], quarantined, p)
			st.mark()
		}
	}
	st.open[group] += uint64(e.Queued) // a negative one wraps to what it should be
}

// mark writes a key that says all by being there.
func (st *staging) mark() {
	st.value = seal(st.key, st.value[:0])
	st.batch.Set(st.key, st.value, nil)
}

// count has the unfinished jobs of a group ready for index.
func (st *staging) count(group uint64) error {
	if _, ok := st.open[group]; ok {
		return nil
	}
	if st.open == nil {
		st.open = map[uint64]uint64{}
	}
	n, ok := st.s.unfinished.get(group)
	if !ok && group <= st.s.group {
		var err error
		if n, err = readCount(st.s.db, group); err != nil {
			return err
		}
	}
	st.open[group] = n
	return nil
}

// readCount returns how many unfinished jobs a group has.
func readCount(db pebbledb.Reader, group uint64) (uint64, error) {
	key := groupMark(nil, kindUnfinished, group)
	value, ok, err := get(db, key)
	if err != nil || !ok {
		return 0, err
	}
	return decodeNumber(key, value)
}

// writeIndex writes what the group of changes made of the groups that accepted its
// jobs. Those that have completed one are remembered for a while, not to be written
// with each of their jobs.
func (st *staging) writeIndex() {
	s := st.s
	for group, n := range st.open {
		before, known := s.unfinished.get(group)
		s.unfinished.put(group, n)
		st.key = groupMark(st.key[:0], kindUnfinished, group)
		switch {
		case known && before == n:
		case int64(n) > 0:
			setNumber(st.batch, st.key, n)
		case group <= s.group:
			st.batch.Delete(st.key, nil)
		}
	}
	for group := range st.done {
		if _, ok := s.completed.get(group); !ok {
			s.completed.put(group, struct{}{})
			st.key = groupMark(st.key[:0], kindCompleted, group)
			st.mark()
		}
	}
	clear(st.open)
	clear(st.done)
	st.span = span{}
}

// groupMark appends a key that says something of all jobs that a group accepted.
func groupMark(b []byte, kind byte, group uint64) []byte {
	return binary.BigEndian.AppendUint64(append(b, kind), group)
}

// endedAsKey appends the key of a job among all that ended in its state.
func endedAsKey(b []byte, state fairfactor.State, group uint64, p jobKey) []byte {
	b = binary.BigEndian.AppendUint64(append(b, kindEndedAs, byte(state)), group)
	return put40(put40(b, p.caller), p.seq)
}

// endedOfKey appends the key of a job among those of its caller that ended in its
// state.
func endedOfKey(b []byte, state fairfactor.State, p jobKey) []byte {
	return put40(append(put40(append(b, kindEndedOf), p.caller), byte(state)), p.seq)
}

// numberKey appends the key of a job among all with its number, and others whose
// number has the same hash.
func numberKey(b []byte, number string, group uint64, p jobKey) []byte {
	b = put40(append(b, kindNumber), xxhash.Sum64String(number))
	b = binary.BigEndian.AppendUint64(b, group)
	return put40(put40(b, p.caller), p.seq)
}

// Where the group is in these keys, and the job behind it.
const (
	markGroup   = 1
	endedGroup  = 2
	numberGroup = 6
)

// jobKeyAt reads the job in the last ten bytes of a key.
func jobKeyAt(key []byte) jobKey {
	at := len(key) - 10
	return jobKey{get40(key[at:]), get40(key[at+5:])}
}
