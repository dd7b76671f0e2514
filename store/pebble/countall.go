package pebble

import (
	"errors"
	"maps"
	"slices"
	"time"

	pebbledb "github.com/cockroachdb/pebble/v2"
)

// countStep is how many accounts a batch of countAll concerns: some 200 kB.
const countStep = 4096

// countAll counts the accounts of a directory of an earlier layout and the finished jobs of
// each, and puts them into their classes. Accounts that have no jobs are idle from now on;
// a group that one has counts as an operator's choice, because nothing tells. What is
// done already is done again after a start that was killed meanwhile.
func (s *Store) countAll() error {
	began, n := time.Now(), uint64(0)
	jobs, err := s.db.NewIter(iterBounds(kindBounds(kindEnded)))
	if err != nil {
		return readError(err)
	}
	defer jobs.Close()
	lower, upper := kindBounds(kindAccount)
	for {
		step := map[string]*account{}
		it, err := s.db.NewIter(iterBounds(lower, upper))
		if err != nil {
			return readError(err)
		}
		ok := it.First()
		for ; ok && len(step) < countStep; ok = it.Next() {
			n++
			lower = append(slices.Clone(it.Key()), 0)
			value, err := it.ValueAndErr()
			if err != nil {
				return errors.Join(readError(err), it.Close())
			}
			a, err := decodeAccount(it.Key(), value)
			if err != nil { // it will be reported where it is asked for
				s.log.Error("the jobs of a caller can't be counted", "err", err)
				continue
			}
			a.stored, a.Placed = endedOf(jobs, a.Number), a.Group != ""
			step[a.Name] = &a
		}
		if err := errors.Join(readError(it.Error()), readError(jobs.Error()), it.Close()); err != nil {
			return err
		}
		st := staging{s: s, batch: s.db.NewBatch()}
		for _, name := range slices.Sorted(maps.Keys(step)) {
			st.write(step[name])
		}
		setNumber(st.batch, keyAccounts, n)
		if err := s.commit(st.batch); err != nil {
			return err
		}
		if !ok {
			s.log.Info("callers and their jobs are counted", "callers", n, "took", time.Since(began))
			return nil
		}
	}
}

// endedOf counts the finished jobs of a caller.
func endedOf(jobs *pebbledb.Iterator, caller uint64) (n uint64) {
	end := slotsEnd(kindEnded, caller)
	for ok := jobs.SeekGE(slot(nil, kindEnded, caller, 0)); ok && string(jobs.Key()) < string(end); ok = jobs.Next() {
		n++
	}
	return n
}
