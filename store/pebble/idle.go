package pebble

import (
	"context"
	"encoding/binary"
	"maps"
	"slices"
	"time"

	pebbledb "github.com/cockroachdb/pebble/v2"

	"fairfactor"
)

// An account is idle while it has no job and nothing is set for its caller. Each idle
// account has a key with the time since when it is: the end of the last of its jobs that was
// deleted, or the time of its last setting. Those that have been idle longest come first.
// Keys are written with the accounts, so there is one for each idle account and for no other.
//
// What is removed leaves nothing: the account, its name and its places in the indexes. What
// still carries the number, an activation or an id, meets no account, or one with another
// number, because the highest number that was removed is written with the removal. A
// removal is not synced; after a crash the account is there as it was, or gone with all of it.

// idleKeyLen is the length of a key made by idleKey.
const idleKeyLen = 14

// idleKey orders idle accounts by time, earlier ones first, also before 1970.
func idleKey(b []byte, micros int64, caller uint64) []byte {
	return put40(binary.BigEndian.AppendUint64(append(b, kindIdle), uint64(micros)^1<<63), caller)
}

// rests reports whether the account is idle.
func (a *account) rests() bool {
	return a.Known && a.Queued == 0 && a.stored == 0 && a.Plain()
}

// rest brings the key of an idle account up to date.
func (st *staging) rest(a *account) {
	rests := a.rests()
	if rests == (a.idle != 0) {
		return
	}
	if !rests {
		st.stir(a)
		return
	}
	if a.idle = st.idleSince; a.idle == 0 {
		a.idle = micros(st.s.now())
	}
	st.key = idleKey(st.key[:0], a.idle, a.Number)
	st.mark()
	if string(st.key) < string(st.s.firstIdle) {
		st.s.firstIdle = slices.Clone(st.key)
	}
}

// stir ends the time for which an account has been idle.
func (st *staging) stir(a *account) {
	if a.idle != 0 {
		st.key = idleKey(st.key[:0], a.idle, a.Number)
		st.batch.Delete(st.key, nil)
		a.idle = 0
	}
}

// BoundAccounts implements [fairfactor.Store].
func (s *Store) BoundAccounts(most uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bound = most
}

// Accounts implements [fairfactor.Store].
func (s *Store) Accounts(ctx context.Context) (fairfactor.Accounts, error) {
	if err := live(ctx); err != nil {
		return fairfactor.Accounts{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return fairfactor.Accounts{Kept: s.kept, Forgotten: s.forgotten}, nil
}

// forgetStep bounds the accounts that are removed while writers wait.
const forgetStep = 256

// Forget implements [fairfactor.Store]. Jobs that ended by another clock than before is of
// leave accounts that are idle by that one.
func (s *Store) Forget(ctx context.Context, before time.Time, limit int) (int, error) {
	total := 0
	for total < limit {
		if err := live(ctx); err != nil {
			return total, err
		}
		step := min(forgetStep, limit-total)
		n, err := s.forgetSome(idleKey(nil, micros(before), 0), step)
		if total += n; err != nil || n < step {
			return total, err
		}
	}
	return total, live(ctx)
}

func (s *Store) forgetSome(upper []byte, limit int) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.refusal(); err != nil {
		return 0, err
	}
	st := staging{s: s, batch: s.db.NewBatch()}
	defer st.batch.Close()
	idle, err := s.idlers(upper, limit, nil)
	if err != nil || len(idle) == 0 {
		return 0, err
	}
	for i := range idle {
		st.forget(&idle[i])
	}
	s.setAccounts(st.batch)
	s.firstIdle = st.key // all that come before are gone
	if err := s.db.Apply(st.batch, pebbledb.NoSync); err != nil {
		s.die(err)
	}
	return len(idle), s.refusal()
}

// idlers returns the accounts that have been idle longest, at most limit, of those with
// keys below a bound that skip does not want left out. What can't be read is reported and
// kept. s.mu is held.
func (s *Store) idlers(upper []byte, limit int, skip func(*account) bool) (idle []account, err error) {
	if string(s.firstIdle) >= string(upper) {
		return nil, nil
	}
	it, err := s.db.NewIter(iterBounds(s.firstIdle, upper))
	if err != nil {
		return nil, readError(err)
	}
	defer it.Close()
	for ok := it.First(); ok && len(idle) < limit; ok = it.Next() {
		a, err := s.idler(it.Key())
		if err := s.stepOver("an account that was idle long enough can't be read, and is kept", it.Key(), err); err != nil {
			return nil, err
		}
		if err == nil && (skip == nil || !skip(&a)) {
			idle = append(idle, a)
		}
	}
	return idle, readError(it.Error())
}

// idler returns a copy of the account that a key of an idle one names.
func (s *Store) idler(key []byte) (account, error) {
	if len(key) != idleKeyLen {
		return account{}, damaged(key, "it has an unknown form")
	}
	number := get40(key[idleKeyLen-5:])
	name, ok, err := s.name(number)
	if err != nil {
		return account{}, err
	}
	var a account
	if in, found := s.accounts.get(name); found {
		a = *in
	} else if a, ok, err = readAccount(s.db, name); err != nil {
		return account{}, err
	}
	if !ok || a.Number != number || !a.staged && (!a.rests() || string(idleKey(nil, a.idle, number)) != string(key)) {
		return account{}, damaged(key, "it names no idle account")
	}
	return a, nil
}

// forget removes an idle account. s.mu is held.
func (st *staging) forget(a *account) {
	s := st.s
	st.rerank(fairfactor.ByQueued, a.Number, a.ranks.queued, 0)
	st.rerank(fairfactor.ByCPU, a.Number, a.ranks.cpu, 0)
	st.key = accountKey(st.key[:0], a.Name)
	st.batch.Delete(st.key, nil)
	st.key = nameKey(st.key[:0], a.Number)
	st.batch.Delete(st.key, nil)
	st.key = idleKey(st.key[:0], a.idle, a.Number)
	st.batch.Delete(st.key, nil)
	s.kept--
	s.forgotten++
	s.epochs = max(s.epochs, a.Epoch)
	s.rewritten++
	s.accounts.drop(a.Name)
	s.cold.Lock()
	s.names.drop(a.Number)
	s.heads.drop(a.Number)
	s.cold.Unlock()
}

// setAccounts writes how many accounts there are, and that no number which was given is
// given again. s.mu is held.
func (s *Store) setAccounts(b *pebbledb.Batch) {
	setNumber(b, keyAccounts, s.kept)
	setNumber(b, keyNumbers, s.next-1)
}

// spares bounds the idle accounts that are looked at for one to remove at the bound.
const spares = 64

// spare returns an idle account that goes at the bound, nil for none: the first that no
// activation has claimed since it was written, because that one may be about to write. Those
// that go already are left out. s.mu is held.
func (s *Store) spare(going map[string]bool) (*account, error) {
	_, upper := kindBounds(kindIdle)
	looked := 0
	stays := func(a *account) bool { return a.claimed || a.staged || going[a.Name] }
	idle, err := s.idlers(upper, 1, func(a *account) bool {
		looked++
		return looked < spares && stays(a)
	})
	if err != nil || len(idle) == 0 || stays(&idle[0]) {
		return nil, err
	}
	if looked == 1 { // all that come before are gone
		s.firstIdle = idleKey(nil, idle[0].idle, idle[0].Number)
	}
	return &idle[0], nil
}

// full reports whether there is no room for another account. s.mu is held.
func (s *Store) full() bool { return s.bound > 0 && s.kept >= s.bound }

// refuseNew is the error of a claim by a caller that is not known, if it would be refused
// what it is for. s.mu is held.
func (s *Store) refuseNew() error {
	if !s.full() {
		return nil
	}
	a, err := s.spare(nil)
	if err == nil && a == nil {
		err = fairfactor.ErrTooManyCallers
	}
	return err
}

// makeRoom makes room for the account of a caller that becomes known with this group.
func (st *staging) makeRoom() bool {
	if !st.s.full() {
		return true
	}
	a, err := st.s.spare(st.gone)
	if err != nil {
		st.s.log.Error("no idle account can be found", "err", err)
	}
	if a == nil {
		return false
	}
	if st.gone == nil {
		st.gone = map[string]bool{}
	}
	st.gone[a.Name] = true
	st.forget(a)
	return true
}

// leaving are the jobs of a caller that a step of Expire deletes.
type leaving struct {
	n    uint64
	last int64 // when the last of them ended, microseconds
}

func (e *expiry) left(caller uint64, at int64) {
	l := e.of[caller]
	if l == nil {
		l = &leaving{last: at}
		e.of[caller] = l
	}
	l.n, l.last = l.n+1, max(l.last, at)
}

// discount takes what was deleted from the accounts. It reads them all before it changes the
// first: if one can't be read nothing is deleted, and those in memory must not say so.
func (e *expiry) discount() error {
	st := staging{s: e.s, batch: e.batch}
	var accounts []*account
	for _, caller := range slices.Sorted(maps.Keys(e.of)) {
		a, err := e.s.leaver(caller)
		if err := e.s.stepOver("the account of a caller whose jobs are deleted can't be read", nameKey(nil, caller), err); err != nil {
			return err
		}
		if err == nil && a != nil {
			accounts = append(accounts, a)
		}
	}
	for _, a := range accounts {
		l := e.of[a.Number]
		a.stored -= min(a.stored, l.n)
		st.idleSince = l.last
		st.write(a)
	}
	return nil
}

// leaver returns the account of a caller whose jobs are deleted, nil if no account has that number. One
// that is not in memory is about to change on the disk. s.mu is held.
func (s *Store) leaver(caller uint64) (*account, error) {
	name, ok, err := s.name(caller)
	if err != nil || !ok {
		return nil, err
	}
	if a, found := s.accounts.get(name); found {
		if a.Number != caller {
			return nil, nil
		}
		return a, nil
	}
	a, ok, err := readAccount(s.db, name)
	if err != nil || !ok || a.Number != caller {
		return nil, err
	}
	s.rewritten++
	return &a, nil
}
