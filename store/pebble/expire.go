package pebble

import (
	"bytes"
	"context"
	"errors"
	"time"

	pebbledb "github.com/cockroachdb/pebble/v2"

	"fairfactor"
)

// expireStep bounds the jobs that are deleted while writers wait: some
// milliseconds.
const expireStep = 256

// Expire implements [fairfactor.Store]. What it deletes is not synced: after a
// crash it is deleted again.
func (s *Store) Expire(ctx context.Context, before time.Time, limit int) (int, error) {
	total := 0
	for total < limit {
		if err := live(ctx); err != nil {
			return total, err
		}
		n, more, err := s.expireSome(micros(before), min(expireStep, limit-total))
		total += n
		if err != nil || !more {
			return total, err
		}
	}
	return total, nil
}

// expiry is one step of Expire.
type expiry struct {
	s      *Store
	batch  *pebbledb.Batch
	before int64
	limit  int  // of jobs to look at
	cut    bool // the limit kept some from being looked at
	gone   map[jobKey]bool
	later  rollMaker         // jobs that were looked at and are not due
	next   int64             // time of the earliest of them, microseconds
	groups map[uint64]uint64 // jobs deleted of each group that accepted them
	of     map[uint64]*leaving
	oldest []byte // key of the last roll that was looked at, all before it are removed
}

// expireSome deletes at most limit jobs, from the earliest roll of finished
// jobs. more is false when there are none left.
func (s *Store) expireSome(before int64, limit int) (n int, more bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.refusal(); err != nil {
		return 0, false, err
	}
	e := expiry{s: s, batch: s.db.NewBatch(), before: before, limit: limit, gone: map[jobKey]bool{}, groups: map[uint64]uint64{}, of: map[uint64]*leaving{}}
	defer e.batch.Close()
	if more, err = e.rolls(); err != nil {
		return 0, false, err
	}
	if err := e.unlist(); err != nil {
		return 0, false, err
	}
	if err := e.discount(); err != nil {
		return 0, false, err
	}
	e.postpone()
	if e.batch.Empty() {
		return 0, false, nil
	}
	if err := s.db.Apply(e.batch, pebbledb.NoSync); err != nil {
		s.die(err)
	}
	s.firstRoll = e.oldest
	return len(e.gone), more, s.refusal()
}

// rolls works through the rolls of finished jobs in order of time, as long as
// the limit allows.
func (e *expiry) rolls() (more bool, err error) {
	upper := finishedKey(nil, e.before, 0)
	if bytes.Compare(e.s.firstRoll, upper) >= 0 {
		return false, nil
	}
	it, err := e.s.db.NewIter(iterBounds(e.s.firstRoll, upper))
	if err != nil {
		return false, readError(err)
	}
	defer it.Close()
	for ok := it.First(); ok; ok = it.Next() {
		if !e.cut {
			e.oldest = append(e.oldest[:0], it.Key()...)
		}
		if e.limit <= 0 {
			return true, nil
		}
		if err := e.s.stepOver("which jobs ended then can't be read, and they are kept", it.Key(), e.roll(it)); err != nil {
			return false, err
		}
	}
	return e.cut, readError(it.Error())
}

// roll deletes the jobs of one roll that are due, and takes those that are not
// from it. What the limit left is listed further, under the same key.
func (e *expiry) roll(it *pebbledb.Iterator) error {
	value, err := it.ValueAndErr()
	if err != nil {
		return readError(err)
	}
	r, err := decodeRoll(it.Key(), value)
	if err != nil {
		return err
	}
	looked := min(e.limit, len(r.keys))
	e.limit -= looked
	for _, p := range r.keys[:looked] {
		at, keep, err := e.job(p)
		if err := e.s.stepOver("a job whose time is over can't be read, and is kept", slot(nil, kindEnded, p.caller, p.seq), err); err != nil {
			return err
		}
		if keep {
			if e.later.n == 0 || at < e.next {
				e.next = at
			}
			e.later.add(p)
		}
	}
	if looked == len(r.keys) {
		return e.batch.Delete(it.Key(), nil)
	}
	e.cut = true
	var rest rollMaker
	for _, p := range r.keys[looked:] {
		rest.add(p)
	}
	return e.batch.Set(it.Key(), seal(it.Key(), rest.append(nil)), nil)
}

// postpone lists the jobs that were not due in a roll of their own, under a
// time when they are, so that each is looked at once.
func (e *expiry) postpone() {
	if e.later.n == 0 {
		return
	}
	e.s.group++
	e.s.setProgress(e.batch)
	key := finishedKey(nil, e.next, e.s.group)
	e.batch.Set(key, seal(key, e.later.append(nil)), nil)
}

// job deletes a job if it is due. keep tells to list it further: it finished at a
// later time, after others of its group or, being queued again, once more.
func (e *expiry) job(p jobKey) (at int64, keep bool, err error) {
	if e.gone[p] {
		return 0, false, nil
	}
	key := slot(nil, kindEnded, p.caller, p.seq)
	value, ok, err := get(e.s.db, key)
	if err != nil || !ok {
		return 0, false, err
	}
	j, err := decodeJob(key, value, p.caller, "")
	if err != nil {
		return 0, false, err
	}
	if at = micros(j.Finished); at >= e.before {
		return at, true, nil
	}
	if j.Key != "" {
		id, _, ok, err := keyed(e.s.db, p.caller, j.Key)
		if err := e.s.stepOver("the idempotency key of a job can't be read", idempotencyKey(nil, p.caller, j.Key), err); err != nil {
			return 0, false, err
		}
		if err == nil && ok && id == j.ID {
			e.batch.Delete(idempotencyKey(nil, p.caller, j.Key), nil)
		}
	}
	r := reader{b: value}
	h, _ := readBrief(&r)
	e.batch.Delete(key, nil)
	e.batch.Delete(numberKey(nil, j.Number, h.group, p), nil)
	if j.Callback != nil {
		e.batch.Delete(slot(nil, kindDelivery, p.caller, p.seq), nil)
	}
	if h.State != fairfactor.Completed {
		e.batch.Delete(endedAsKey(nil, h.State, h.group, p), nil)
		e.batch.Delete(endedOfKey(nil, h.State, p), nil)
	}
	if j.Quarantined() {
		e.batch.Delete(endedAsKey(nil, quarantined, h.group, p), nil)
		e.batch.Delete(endedOfKey(nil, quarantined, p), nil)
	}
	e.s.forget(p)
	e.gone[p] = true
	e.groups[h.group]++
	e.left(p.caller, at)
	return 0, false, nil
}

// unlist brings the rolls of accepted jobs up to date: a roll whose jobs are
// all deleted goes, any other counts down.
func (e *expiry) unlist() error {
	for group, n := range e.groups {
		key := acceptedKey(nil, group)
		if err := e.s.stepOver("which jobs were accepted together can't be read", key, e.unlistGroup(key, group, n)); err != nil {
			return err
		}
	}
	return nil
}

// unlistGroup is unlist for one group.
func (e *expiry) unlistGroup(key []byte, group, n uint64) error {
	value, closer, err := e.s.db.Get(key)
	if errors.Is(err, pebbledb.ErrNotFound) {
		return damaged(key, "the roll is missing")
	}
	if err != nil {
		return readError(err)
	}
	r, err := decodeAccepted(key, value)
	closer.Close()
	if err != nil {
		return err
	}
	if r.kept <= n {
		e.batch.Delete(key, nil)
		e.batch.Delete(groupMark(nil, kindCompleted, group), nil)
		e.s.completed.drop(group)
		return nil
	}
	return e.batch.Set(key, seal(key, appendRoll(r.stamp.append(nil), r.kept-n, uint64(len(r.keys)), r.list)), nil)
}

// listed notes that there is a roll of finished jobs under a key.
func (s *Store) listed(key []byte) {
	if bytes.Compare(key, s.firstRoll) < 0 {
		s.firstRoll = bytes.Clone(key)
	}
}
