package pebble

import (
	"context"
	"encoding/binary"

	pebbledb "github.com/cockroachdb/pebble/v2"

	"fairfactor"
	"fairfactor/store/journal"
)

// maxGroup bounds the changes of one group. It must be below half of what the
// caches of accounts and jobs hold, so that none leaves the memory while a group
// changes it: what is on the disk of them is out of date.
const maxGroup = 1 << 13

// staging builds the batch of one group. It belongs to Store and is used under
// Store.mu by one group after the other.
type staging struct {
	s          *Store
	batch      *pebbledb.Batch
	accounts   []*account // changed by this group
	accepted   rollMaker
	finished   rollMaker
	journal    journal.Maker
	secret     []jobKey       // jobs that say what is not durable yet, see flights
	owes       []*appointment // hosts of callbacks whose jobs ended
	earliest   int64          // time of the first job that finished, microseconds
	dispatched uint64
	open       map[uint64]uint64 // unfinished jobs of groups, where this one changes them
	done       map[uint64]bool   // groups that have a job which this one completed
	gone       map[string]bool   // callers whose accounts this one forgets, nil for none
	kept       uint64            // accounts before this group
	idleSince  int64             // of accounts that become idle, microseconds; zero for now
	span       span              // times of submission of the jobs accepted
	at         *account          // of the change under way
	have       brief             // the job that it goes on from
	key        []byte
	value      []byte
}

// Apply implements [fairfactor.Store].
func (s *Store) Apply(ctx context.Context, changes []fairfactor.Change) ([]error, error) {
	if err := live(ctx); err != nil {
		return nil, err
	}
	wait, err := s.Start(changes)
	if err != nil {
		return nil, err
	}
	return wait()
}

// Start is the first half of Apply: it decides about the changes and gives the
// group its place, so that whatever is started later comes after it. The
// function it returns is the second half: it waits for the disk, and must be
// called once.
func (s *Store) Start(changes []fairfactor.Change) (wait func() ([]error, error), err error) {
	if len(changes) > maxGroup {
		return nil, fairfactor.Errorf(fairfactor.Limit, "a group of %d changes is larger than %d", len(changes), maxGroup)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.refusal(); err != nil {
		return nil, err
	}
	st := &s.stage
	st.begin(s)
	var errs []error
	for i := range changes {
		if err := st.change(&changes[i]); err != nil {
			if errs == nil {
				errs = make([]error, len(changes))
			}
			errs[i] = err
		}
	}
	b := st.close()
	if b == nil {
		return func() ([]error, error) { return errs, nil }, nil
	}
	flight := s.flights.depart(s.group, st.secret)
	synced, owes := s.start(b), st.owes
	return func() ([]error, error) {
		if err := synced(); err != nil {
			return nil, err
		}
		s.flights.land(flight)
		s.deliveries.owe(owes)
		return errs, nil
	}, nil
}

func (st *staging) begin(s *Store) {
	st.s, st.dispatched = s, s.dispatched
	st.secret, st.owes, st.gone, st.kept = st.secret[:0], nil, nil, s.kept
	st.batch = s.db.NewBatch()
	s.results.begin()
}

// close completes the batch with what is written once for the group and returns
// it, nil if nothing has changed.
func (st *staging) close() *pebbledb.Batch {
	s, b := st.s, st.batch
	for i, a := range st.accounts {
		st.write(a)
		a.staged = false
		st.accounts[i] = nil
	}
	if st.accepted.n > 0 {
		key := acceptedKey(st.key[:0], s.group+1)
		st.key, st.value = key, seal(key, st.accepted.append(s.times.add(b, st.span, st.value[:0])))
		b.Set(key, st.value, nil)
	}
	st.writeIndex()
	if st.finished.n > 0 {
		key := finishedKey(st.key[:0], st.earliest, s.group+1)
		st.key, st.value = key, seal(key, st.finished.append(st.value[:0]))
		b.Set(key, st.value, nil)
		s.listed(key)
	}
	changed := len(st.accounts) > 0 || len(st.gone) > 0
	if changed {
		st.writeEvents(s.group + 1)
		s.group++
		s.dispatched = st.dispatched
		s.setProgress(b)
		if s.kept != st.kept || len(st.gone) > 0 {
			s.setAccounts(b)
		}
		s.results.close(b)
	}
	st.accounts, st.batch, st.at = st.accounts[:0], nil, nil
	st.accepted.reset()
	st.finished.reset()
	st.journal.Reset()
	if !changed {
		b.Close()
		return nil
	}
	return b
}

// setProgress writes the last group and the highest dispatch number. s.mu is held.
func (s *Store) setProgress(b *pebbledb.Batch) {
	value := binary.AppendUvarint(make([]byte, 0, 24), s.group)
	value = seal(keyProgress, binary.AppendUvarint(value, s.dispatched))
	b.Set(keyProgress, value, nil)
}

// loadProgress reads the last group and the highest dispatch number.
func (s *Store) loadProgress() error {
	value, ok, err := get(s.db, keyProgress)
	if err != nil || !ok {
		return err
	}
	r := reader{b: value}
	s.group, s.dispatched = r.uvarint(), r.uvarint()
	s.flights.landed = s.group
	if r.bad || len(r.b) != 0 {
		return damaged(keyProgress, "its value has an unknown form")
	}
	return nil
}

// write writes an account, with the caller's name if it is the first time, and where it
// stands in the indexes.
func (st *staging) write(a *account) {
	st.rank(a)
	st.rest(a)
	st.key = accountKey(st.key[:0], a.Name)
	st.value = seal(st.key, a.append(st.value[:0]))
	st.batch.Set(st.key, st.value, nil)
	a.claimed = false
	if !a.named {
		a.named = true
		st.key = nameKey(st.key[:0], a.Number)
		st.value = seal(st.key, append(st.value[:0], a.Name...))
		st.batch.Set(st.key, st.value, nil)
	}
}

// account returns the account of the caller that a change names, nil if it has
// none.
func (st *staging) account(ch *fairfactor.Change) (*account, error) {
	a, ok := st.s.accounts.get(ch.Caller)
	if ok || st.gone[ch.Caller] {
		return a, nil
	}
	read, found, err := readAccount(st.s.db, ch.Caller)
	if err != nil || !found {
		return nil, err
	}
	a = &read
	st.s.accounts.put(a.Name, a)
	return a, nil
}

// touch puts an account on the list of those to write.
func (st *staging) touch(a *account) {
	if !a.staged {
		a.staged = true
		st.accounts = append(st.accounts, a)
	}
}
