package pebble

import (
	"context"

	pebbledb "github.com/cockroachdb/pebble/v2"

	"fairfactor"
)

// Callers implements [fairfactor.Store]. It reads accounts, never queues, but
// for the age of the oldest job; so it is fast for callers without any.
func (s *Store) Callers(ctx context.Context, after string, limit int) ([]fairfactor.Caller, error) {
	if err := live(ctx); err != nil {
		return nil, err
	}
	_, upper := kindBounds(kindAccount)
	snapshot := s.db.NewSnapshot()
	defer snapshot.Close()
	it, err := snapshot.NewIter(iterBounds(append(accountKey(nil, after), 0), upper))
	if err != nil {
		return nil, readError(err)
	}
	defer it.Close()
	var callers []fairfactor.Caller
	for ok := len(callers) < limit && it.First(); ok && len(callers) < limit; ok = it.Next() {
		if len(callers)%1024 == 1023 {
			if err := live(ctx); err != nil {
				return nil, err
			}
		}
		value, err := it.ValueAndErr()
		if err != nil {
			return nil, readError(err)
		}
		a, err := decodeAccount(it.Key(), value)
		if err != nil {
			return nil, err
		}
		c, err := s.callerOf(snapshot, &a)
		if err != nil {
			return nil, err
		}
		callers = append(callers, c)
	}
	return callers, readError(it.Error())
}

// Caller implements [fairfactor.Store].
func (s *Store) Caller(ctx context.Context, name string) (fairfactor.Caller, error) {
	if err := live(ctx); err != nil {
		return fairfactor.Caller{}, err
	}
	snapshot := s.db.NewSnapshot()
	defer snapshot.Close()
	a, ok, err := readAccount(snapshot, name)
	if err != nil {
		return fairfactor.Caller{}, err
	}
	if !ok {
		return fairfactor.Caller{}, fairfactor.Errorf(fairfactor.NotFound, "there is no caller %q", name)
	}
	return s.callerOf(snapshot, &a)
}

// callerOf returns an account with the time of its oldest unfinished job.
func (s *Store) callerOf(db pebbledb.Reader, a *account) (c fairfactor.Caller, err error) {
	c = a.Caller()
	c.Oldest, err = s.oldest(db, a)
	return c, err
}

// readAccount returns a caller's account as it is stored.
func readAccount(db pebbledb.Reader, name string) (account, bool, error) {
	key := accountKey(make([]byte, 0, 1+fairfactor.MaxCallerBytes), name)
	value, closer, err := db.Get(key)
	if err == pebbledb.ErrNotFound {
		return account{}, false, nil
	}
	if err != nil {
		return account{}, false, readError(err)
	}
	defer closer.Close()
	a, err := decodeAccount(key, value)
	return a, err == nil, err
}
