package pebble

import (
	"bytes"
	"context"
	"encoding/binary"
	"time"

	"fairfactor"
)

// deadlineKeyLen is the length of a key made by deadlineKey.
const deadlineKeyLen = 19

// deadlineKey orders unfinished jobs by deadline, then by caller and sequence number.
func deadlineKey(b []byte, micros int64, p jobKey) []byte {
	b = binary.BigEndian.AppendUint64(append(b, kindDeadline), uint64(micros)^1<<63)
	return put40(put40(b, p.caller), p.seq)
}

// await has an unfinished job found when its deadline has passed.
func (st *staging) await(j *fairfactor.Job) {
	if j.Deadline.IsZero() {
		return
	}
	st.key = deadlineKey(st.key[:0], micros(j.Deadline), jobKeyOf(j))
	st.value = seal(st.key, binary.AppendUvarint(st.value[:0], j.ID.Nonce))
	st.batch.Set(st.key, st.value, nil)
}

// forgetDeadline is for a job that has ended.
func (st *staging) forgetDeadline(j *fairfactor.Job) {
	if !j.Deadline.IsZero() {
		st.key = deadlineKey(st.key[:0], micros(j.Deadline), jobKeyOf(j))
		st.batch.Delete(st.key, nil)
	}
}

// Overdue implements [fairfactor.DeadlineStore].
func (s *Store) Overdue(ctx context.Context, before time.Time, after fairfactor.Overdue, limit int) (list []fairfactor.Overdue, err error) {
	if err := live(ctx); err != nil {
		return nil, err
	}
	lower, upper := []byte{kindDeadline}, deadlineKey(nil, micros(before), jobKey{})
	if !after.Deadline.IsZero() {
		lower = append(deadlineKey(nil, micros(after.Deadline), jobKeyOf(&fairfactor.Job{ID: after.ID})), 0)
	}
	if bytes.Compare(lower, upper) >= 0 {
		return nil, nil
	}
	it, err := s.db.NewIter(iterBounds(lower, upper))
	if err != nil {
		return nil, readError(err)
	}
	defer it.Close()
	for ok := it.First(); ok && len(list) < limit; ok = it.Next() {
		value, err := iterValue(it)
		if err == nil {
			var o fairfactor.Overdue
			if o, err = s.overdue(it.Key(), value); err == nil {
				list = append(list, o)
			}
		}
		if err := s.stepOver("the deadline of a job can't be read", it.Key(), err); err != nil {
			return nil, err
		}
	}
	return list, readError(it.Error())
}

// overdue reads an entry.
func (s *Store) overdue(key, value []byte) (o fairfactor.Overdue, err error) {
	r := reader{b: value}
	nonce := r.uvarint()
	if r.bad || len(r.b) != 0 || len(key) != deadlineKeyLen {
		return o, damaged(key, "its value has an unknown form")
	}
	o.ID = fairfactor.ID{Nonce: nonce, Caller: get40(key[9:]), Seq: get40(key[14:])}
	o.Deadline = time.UnixMicro(int64(binary.BigEndian.Uint64(key[1:]) ^ 1<<63)).UTC()
	o.Caller, _, err = s.name(o.ID.Caller)
	return o, err
}
