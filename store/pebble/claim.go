package pebble

import (
	"context"
	"encoding/binary"
	"maps"
	"strings"

	pebbledb "github.com/cockroachdb/pebble/v2"

	"fairfactor"
)

// A claim writes nothing, see the package comment. While the process lives, an
// epoch that was given stays known:
//
//   - The account in memory has it, and is the one that changes are checked against.
//   - An account that leaves the memory takes its epoch to the store first, where it
//     is read again; the disk need not have it, because a later start has no one to fence.
//   - A caller that is not known leaves no account behind. Its number is never given
//     again by this process, so a change that still carries it meets another number
//     or no account, and is fenced. The same holds for an account that was forgotten,
//     see idle.go; that its number is never given again is on the disk.
//
// Epochs of a new account are above those of all accounts that were forgotten, because
// others than the store compare epochs of one caller too. A start gives numbers after the
// last one that is stored, and epochs after the stored ones: it may give again what nothing
// was ever written under.

// ClaimCaller implements [fairfactor.Store].
func (s *Store) ClaimCaller(ctx context.Context, name, group string) (fairfactor.Claim, error) {
	if err := live(ctx); err != nil {
		return fairfactor.Claim{}, err
	}
	if _, err := fairfactor.ParseCaller(name); err != nil {
		return fairfactor.Claim{}, err
	}
	if err := fairfactor.CheckGroup(group); err != nil {
		return fairfactor.Claim{}, err
	}
	a, err := s.claim(name, group)
	if err != nil {
		return fairfactor.Claim{}, err
	}
	out := fairfactor.Claim{Number: a.Number, Epoch: a.Epoch, Last: a.Last, Caller: a.Caller()}
	out.Caller.Oldest, err = s.oldest(s.db, &a)
	return out, err
}

// claim raises the caller's epoch and returns a copy of its account.
func (s *Store) claim(name, group string) (account, error) {
	a, err := s.accountOf(name)
	if err != nil {
		return account{}, err
	}
	defer s.mu.Unlock()
	if err := s.refusal(); err != nil {
		return account{}, err
	}
	if a == nil || !a.Known {
		if err := s.refuseNew(); err != nil {
			return account{}, err
		}
	}
	if a == nil {
		if s.next > maxNumber {
			return account{}, fairfactor.Errorf(fairfactor.Limit, "there are no numbers left for new callers")
		}
		a = newAccount(strings.Clone(name), s.next, s.epochs)
		s.next++
	}
	if !a.Known {
		a.Group = strings.Clone(group)
	}
	a.Epoch++
	a.claimed = true
	s.accounts.put(a.Name, a)
	return *a, nil
}

// accountOf locks s.mu and returns the account of a caller, nil if it has none.
// It reads the disk without the mutex. When it fails the mutex is free.
func (s *Store) accountOf(name string) (*account, error) {
	s.mu.Lock()
	for {
		if a, ok := s.accounts.get(name); ok {
			return a, nil
		}
		rotations, rewritten := s.accounts.rotations, s.rewritten
		s.mu.Unlock()
		read, found, err := readAccount(s.db, name)
		if err != nil {
			return nil, err
		}
		s.mu.Lock()
		if s.accounts.rotations != rotations || s.rewritten != rewritten {
			continue // an account that came meanwhile may have left again, or have changed where it is
		}
		if a, ok := s.accounts.get(name); ok {
			return a, nil
		}
		if !found {
			return nil, nil
		}
		return &read, nil
	}
}

// evict writes the epochs that only the accounts know that leave the memory. A
// caller that is not known is forgotten. s.mu is held.
func (s *Store) evict(gone map[string]*account) {
	st := staging{s: s}
	for name, a := range gone {
		if _, stays := s.accounts.older[name]; stays || !a.claimed {
			continue
		}
		if !a.named {
			s.epochs = max(s.epochs, a.Epoch)
			continue
		}
		if st.batch == nil {
			st.batch = s.db.NewBatch()
		}
		st.write(a)
	}
	if st.batch == nil {
		return
	}
	if err := s.db.Apply(st.batch, pebbledb.NoSync); err != nil {
		s.die(err)
		return
	}
	st.batch.Close()
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
	claim := fairfactor.SchedulerClaim{Epoch: s.epoch, Dispatched: s.dispatched}
	if len(s.groups) > 0 {
		claim.Groups = maps.Clone(s.groups)
	}
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
	return decodeNumber(key, value)
}

// decodeNumber returns the number stored under key.
func decodeNumber(key, value []byte) (uint64, error) {
	r := reader{b: value}
	v := r.uvarint()
	if r.bad || len(r.b) != 0 {
		return 0, damaged(key, "its value has an unknown form")
	}
	return v, nil
}
