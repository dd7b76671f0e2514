package pebble

import (
	"context"
	"encoding/binary"

	pebbledb "github.com/cockroachdb/pebble/v2"

	"fairfactor"
)

// ClaimCaller implements [fairfactor.Store].
func (s *Store) ClaimCaller(ctx context.Context, name string) (fairfactor.Claim, error) {
	if err := live(ctx); err != nil {
		return fairfactor.Claim{}, err
	}
	if _, err := fairfactor.ParseCaller(name); err != nil {
		return fairfactor.Claim{}, err
	}
	a, err := s.claim(name)
	if err != nil {
		return fairfactor.Claim{}, err
	}
	out := fairfactor.Claim{Number: a.number, Epoch: a.epoch, Last: a.last, Caller: a.caller()}
	out.Caller.Oldest, err = s.oldest(s.db, &a)
	return out, err
}

// claim raises the caller's epoch and returns a copy of its account.
func (s *Store) claim(name string) (account, error) {
	b := s.db.NewBatch()
	s.mu.Lock()
	a, err := s.accountOf(name)
	if err == nil && a == nil {
		a, err = s.enrol(b, name)
	}
	if err == nil {
		err = s.refusal()
	}
	if err != nil {
		s.mu.Unlock()
		b.Close()
		return account{}, err
	}
	a.epoch++
	s.accounts.put(a.number, a)
	key := accountKey(nil, name)
	b.Set(key, seal(key, a.append(nil)), nil)
	copied := *a
	wait := s.start(b)
	s.mu.Unlock()
	return copied, wait()
}

// enrol gives a new caller its number. s.mu is held.
func (s *Store) enrol(b *pebbledb.Batch, name string) (*account, error) {
	if s.next > maxNumber {
		return nil, fairfactor.Errorf(fairfactor.Limit, "there are no numbers left for new callers")
	}
	a := &account{name: name, number: s.next, weight: 1, head: 1}
	s.next++
	key := nameKey(nil, a.number)
	b.Set(key, seal(key, []byte(name)), nil)
	return a, nil
}

// accountOf returns the account of a caller by name, nil if it has none. s.mu
// is held.
func (s *Store) accountOf(name string) (*account, error) {
	a, ok, err := readAccount(s.db, name)
	if err != nil || !ok {
		return nil, err
	}
	if cached, ok := s.accounts.get(a.number); ok {
		return cached, nil
	}
	return &a, nil
}

// ClaimScheduler implements [fairfactor.Store].
func (s *Store) ClaimScheduler(ctx context.Context) (fairfactor.SchedulerClaim, error) {
	if err := live(ctx); err != nil {
		return fairfactor.SchedulerClaim{}, err
	}
	s.mu.Lock()
	if err := s.refusal(); err != nil {
		s.mu.Unlock()
		return fairfactor.SchedulerClaim{}, err
	}
	s.epoch++
	claim := fairfactor.SchedulerClaim{Epoch: s.epoch, Place: s.place}
	b := s.db.NewBatch()
	setNumber(b, keyScheduler, s.epoch)
	wait := s.start(b)
	s.mu.Unlock()
	return claim, wait()
}

// start gives a batch its place in the log and makes it visible to readers.
// The function it returns waits until the batch is on disk and must be called
// once. s.mu is held, so that batches are in the order they were built in.
func (s *Store) start(b *pebbledb.Batch) (wait func() error) {
	if s.write == pebbledb.NoSync {
		err := s.db.Apply(b, s.write)
		return func() error { return s.end(b, err) }
	}
	if err := s.db.ApplyNoSyncWait(b, s.write); err != nil {
		return func() error { return s.end(b, err) }
	}
	return func() error { return s.end(b, b.SyncWait()) }
}

// end is the end of a commit; err is its outcome.
func (s *Store) end(b *pebbledb.Batch, err error) error {
	if err != nil {
		s.die(err)
	}
	if err := s.refusal(); err != nil {
		return err
	}
	b.Close()
	return nil
}

// commit writes a batch and waits for the disk.
func (s *Store) commit(b *pebbledb.Batch) error {
	s.mu.Lock()
	wait := s.start(b)
	s.mu.Unlock()
	return wait()
}

// setNumber writes a single number under a key of its own.
func setNumber(b *pebbledb.Batch, key []byte, v uint64) {
	b.Set(key, seal(key, binary.AppendUvarint(nil, v)), nil)
}

// number reads what setNumber wrote, zero if there is nothing.
func (s *Store) number(key []byte) (uint64, error) {
	value, ok, err := get(s.db, key)
	if err != nil || !ok {
		return 0, err
	}
	r := reader{b: value}
	v := r.uvarint()
	if r.bad || len(r.b) != 0 {
		return 0, damaged(key, "its value has an unknown form")
	}
	return v, nil
}
