package pebble

import (
	"bytes"
	"context"
	"encoding/binary"
	"log/slog"
	"time"

	pebbledb "github.com/cockroachdb/pebble/v2"

	"fairfactor"
	"fairfactor/store/rules"
)

// What is known of numbers has two keys each: the result under the key of its
// number, and an empty one in the order of usefulness, least first. A third one has
// the count of all. A result that is learned again moves in that order, so the count
// is exact and nothing is ever searched.

// results is what the store remembers of them. It is guarded by Store.mu.
type results struct {
	count uint64
	first []byte // no key in the order of usefulness is below
	// staged are those that the group under way has learned, and count as it will be
	// when the group is written.
	staged map[fairfactor.NumberKey]fairfactor.Known
	next   uint64
}

// Second bytes of the keys of results.
const (
	resultOf     = 'r' // <number>: the result
	resultUseful = 'u' // <worth><time><number>: in the order of usefulness
)

var keyResults = []byte{kindResults, 'c'} // how many there are

func resultKey(b []byte, n fairfactor.NumberKey) []byte {
	return append(append(b, kindResults, resultOf), n[:]...)
}

// usefulKey is the key of a result in the order of usefulness.
func usefulKey(b []byte, k *fairfactor.Known) []byte {
	n := fairfactor.KeyOfNumber(k.Number)
	b = append(b, kindResults, resultUseful, byte(rules.Worth(k.CPU)))
	b = binary.BigEndian.AppendUint64(b, uint64(micros(k.Used))^1<<63)
	return append(b, n[:]...)
}

// usefulKeyLen is the length of such a key; the key of the number begins at
// usefulNumber.
const (
	usefulNumber = 3 + 8
	usefulKeyLen = usefulNumber + len(fairfactor.NumberKey{})
)

// resultVersion is the first byte of a result.
const resultVersion = 1

func appendResult(b []byte, k *fairfactor.Known) []byte {
	complete := byte(0)
	if k.Complete {
		complete = 1
	}
	b = append(b, resultVersion, complete)
	b = binary.AppendVarint(b, int64(k.CPU))
	b = binary.AppendVarint(b, micros(k.Used))
	b, _ = appendDigits(b, k.Number) // it was checked
	b, _ = appendFactors(b, &fairfactor.Job{Factors: k.Factors})
	return b
}

// decodeResult reads what appendResult wrote.
func decodeResult(key, value []byte) (k fairfactor.Known, err error) {
	r := reader{b: value}
	version := r.byte()
	k.Complete = r.byte() == 1
	k.CPU = time.Duration(r.varint())
	k.Used = time.UnixMicro(r.varint()).UTC()
	k.Number = r.digits()
	k.Factors = r.factors()
	if n := fairfactor.KeyOfNumber(k.Number); version != resultVersion || r.bad || len(r.b) != 0 || !bytes.Equal(key, resultKey(nil, n)) {
		return fairfactor.Known{}, damaged(key, "the result has an unknown form")
	}
	if len(k.Factors) == 0 {
		k.Factors = nil
	}
	return k, nil
}

// result reads what is known of a number. One that is damaged is not known.
func (s *Store) result(n fairfactor.NumberKey) (k fairfactor.Known, ok bool, err error) {
	key := resultKey(nil, n)
	value, ok, err := get(s.db, key)
	if err == nil && ok {
		k, err = decodeResult(key, value)
	}
	if fairfactor.CodeOf(err) == fairfactor.Internal {
		s.log.Error("a known result is damaged, it counts as unknown", slog.Any("err", err))
		return fairfactor.Known{}, false, nil
	}
	return k, ok && err == nil, err
}

// Known implements [fairfactor.Store].
func (s *Store) Known(ctx context.Context, numbers []string) (found []fairfactor.Known, err error) {
	if err := live(ctx); err != nil {
		return nil, err
	}
	for _, number := range numbers {
		k, ok, err := s.result(fairfactor.KeyOfNumber(number))
		if err != nil {
			return nil, err
		}
		if !ok || k.Number != number {
			k, ok = fairfactor.Known{Number: number}, false
		}
		if d, deadly := s.deadly.of(number); deadly {
			k.Deadly, ok = &d, true
		}
		if ok {
			found = append(found, k)
		}
	}
	return found, nil
}

// Learn implements [fairfactor.Store].
func (s *Store) Learn(ctx context.Context, learned []fairfactor.Known) error {
	if err := live(ctx); err != nil {
		return err
	}
	if len(learned) > maxGroup {
		return fairfactor.Errorf(fairfactor.Limit, "%d results at once are more than %d", len(learned), maxGroup)
	}
	for i := range learned {
		if err := rules.CheckKnown(&learned[i]); err != nil {
			return err
		}
	}
	if len(learned) == 0 {
		return nil
	}
	synced, err := s.startLearning(learned)
	if err != nil {
		return err
	}
	return synced()
}

// startLearning writes results and returns what waits for the disk.
func (s *Store) startLearning(learned []fairfactor.Known) (synced func() error, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.refusal(); err != nil {
		return nil, err
	}
	b := s.db.NewBatch()
	s.results.begin()
	for i := range learned {
		if err := s.learn(b, rules.Result(learned[i])); err != nil {
			b.Close()
			return nil, err
		}
	}
	s.results.close(b)
	return s.start(b), nil
}

// begin forgets what a group that was given up has staged.
func (r *results) begin() {
	clear(r.staged)
	r.next = r.count
}

// close writes the count if the group has changed it.
func (r *results) close(b *pebbledb.Batch) {
	clear(r.staged)
	if r.next != r.count {
		r.count = r.next
		setNumber(b, keyResults, r.count)
	}
}

// learn puts a result into a batch. s.mu is held.
func (s *Store) learn(b *pebbledb.Batch, k fairfactor.Known) error {
	n := fairfactor.KeyOfNumber(k.Number)
	was, ok := s.results.staged[n]
	if !ok {
		var err error
		if was, ok, err = s.result(n); err != nil {
			return err
		}
		if !ok {
			s.results.next++
		}
	}
	if ok && was.Number == k.Number {
		if err := b.Delete(usefulKey(nil, &was), nil); err != nil {
			return readError(err)
		}
		k = rules.Merge(was, k)
	}
	if s.results.staged == nil {
		s.results.staged = map[fairfactor.NumberKey]fairfactor.Known{}
	}
	s.results.staged[n] = k
	key := resultKey(nil, n)
	b.Set(key, seal(key, appendResult(nil, &k)), nil)
	useful := usefulKey(nil, &k)
	b.Set(useful, seal(useful, nil), nil)
	if bytes.Compare(useful, s.results.first) < 0 {
		s.results.first = useful
	}
	return nil
}

// learned makes what the end of a job lets all know part of the group. What can't
// be read of an earlier result costs the knowledge, not the job.
func (st *staging) learned(ch *fairfactor.Change) {
	k, ok := rules.Learned(ch)
	if !ok {
		return
	}
	if err := st.s.learn(st.batch, k); err != nil {
		st.s.log.Error("a result can't be made known", "job", ch.Job.ID.String(), "err", err)
	}
}

// ListKnown implements [fairfactor.Store].
func (s *Store) ListKnown(ctx context.Context, after fairfactor.NumberKey, limit int) (found []fairfactor.Known, err error) {
	if err := live(ctx); err != nil {
		return nil, err
	}
	upper := []byte{kindResults, resultOf + 1}
	it, err := s.db.NewIter(iterBounds(append(resultKey(nil, after), 0), upper))
	if err != nil {
		return nil, readError(err)
	}
	defer it.Close()
	for ok := it.First(); ok && len(found) < limit; ok = it.Next() {
		value, err := it.ValueAndErr()
		if err != nil {
			return nil, readError(err)
		}
		k, err := openResult(it.Key(), value)
		if err != nil {
			s.log.Error("a known result is damaged, it is left out", "err", err)
			continue
		}
		found = append(found, k)
	}
	return found, readError(it.Error())
}

func openResult(key, sealed []byte) (fairfactor.Known, error) {
	value, err := unseal(key, sealed)
	if err != nil {
		return fairfactor.Known{}, err
	}
	return decodeResult(key, value)
}

// TrimKnown implements [fairfactor.Store]. What it forgets is not synced: after a
// crash it is forgotten again.
func (s *Store) TrimKnown(ctx context.Context, keep, limit int) (total int, err error) {
	for total < limit {
		if err := live(ctx); err != nil {
			return total, err
		}
		n, more, err := s.trimSome(uint64(max(keep, 0)), min(expireStep, limit-total))
		total += n
		if err != nil || !more {
			return total, err
		}
	}
	return total, nil
}

// trimSome forgets at most limit results while writers wait. more is false when none
// are left to be forgotten.
func (s *Store) trimSome(keep uint64, limit int) (n int, more bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.refusal(); err != nil || s.results.count <= keep {
		return 0, false, err
	}
	upper := []byte{kindResults, resultUseful + 1}
	it, err := s.db.NewIter(iterBounds(s.results.first, upper))
	if err != nil {
		return 0, false, readError(err)
	}
	defer it.Close()
	b := s.db.NewBatch()
	defer b.Close()
	s.results.begin()
	looked := 0
	for ok := it.First(); ok && looked < limit && s.results.next > keep; ok = it.Next() {
		looked++
		gone, err := s.forgetResult(b, it.Key())
		if err != nil {
			return 0, false, err
		}
		if gone {
			n++
			s.results.next--
		}
		s.results.first = append(bytes.Clone(it.Key()), 0)
	}
	if err := it.Error(); err != nil {
		return 0, false, readError(err)
	}
	if looked == 0 {
		s.results.next = min(s.results.next, keep) // damage left fewer than were counted
	}
	s.results.close(b)
	if err := s.db.Apply(b, pebbledb.NoSync); err != nil {
		s.die(err)
	}
	return n, looked > 0 && s.results.count > keep, s.refusal()
}

// forgetResult deletes a key of the order of usefulness, and the result if it is
// there in that place.
func (s *Store) forgetResult(b *pebbledb.Batch, key []byte) (gone bool, err error) {
	b.Delete(key, nil)
	if len(key) != usefulKeyLen {
		return false, nil
	}
	n := fairfactor.NumberKey(key[usefulNumber:])
	k, ok, err := s.result(n)
	if err != nil || ok && !bytes.Equal(usefulKey(nil, &k), key) {
		return false, err
	}
	b.Delete(resultKey(nil, n), nil) // also one that is damaged
	return true, nil
}

// loadResults reads how many numbers are known.
func (s *Store) loadResults() (err error) {
	s.results.first = []byte{kindResults, resultUseful}
	s.results.count, err = s.number(keyResults)
	return err
}
