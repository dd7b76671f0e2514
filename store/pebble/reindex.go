package pebble

import (
	"time"

	pebbledb "github.com/cockroachdb/pebble/v2"

	"fairfactor/store/rules"
)

// A directory of an earlier layout lacks what finds jobs by their state, number or
// time. It is added when the directory is opened, group by group in batches of bounded
// size. The first group that is still to be done is kept, so that a start which is
// killed meanwhile is gone on from.

// reindexBatch is about how many jobs a batch concerns: some 3 MB of keys.
const reindexBatch = 20_000

// upgrade counts callers' jobs, puts callers into their classes, and says that the directory has the present
// layout, but is not indexed if it was not before.
func (s *Store) upgrade(from uint64) error {
	if from < layoutCounted {
		if err := s.countAll(); err != nil {
			return err
		}
	}
	b := s.db.NewBatch()
	setNumber(b, keyVersion, layoutVersion)
	if from < layoutIndexed {
		setNumber(b, keyIndexed, 1)
	}
	return s.commit(b)
}

// reindex adds the indexes if they are not complete.
func (s *Store) reindex() error {
	next, err := s.number(keyIndexed)
	if err != nil || next == 0 {
		return err
	}
	s.log.Info("indexing the jobs in the data directory by state, number and time, once", "group", next)
	began, jobs := time.Now(), 0
	x := indexer{s: s, latest: earliestTime}
	if err := x.begin(next); err != nil {
		return err
	}
	for next > 0 {
		var n int
		if next, n, err = x.batch(next, reindexBatch); err != nil {
			return err
		}
		jobs += n
	}
	s.log.Info("jobs are indexed", "jobs", jobs, "took", time.Since(began))
	return nil
}

// indexer indexes groups in their order.
type indexer struct {
	s      *Store
	latest int64
	lag    uint64
}

// begin goes on from what is indexed already.
func (x *indexer) begin(next uint64) error {
	var err error
	if x.lag, err = x.s.number(keyLag); err != nil {
		return err
	}
	it, err := x.s.db.NewIter(iterBounds([]byte{kindAccepted}, acceptedKey(nil, next)))
	if err != nil {
		return readError(err)
	}
	defer it.Close()
	_, at, ok, err := stampUnder(it, it.Last())
	if ok {
		x.latest = at.latest
	}
	return undamaged(err)
}

// batch indexes groups until they have so many jobs, and returns the next one, zero at
// the end.
func (x *indexer) batch(next uint64, size int) (after uint64, jobs int, err error) {
	_, upper := kindBounds(kindAccepted)
	it, err := x.s.db.NewIter(iterBounds(acceptedKey(nil, next), upper))
	if err != nil {
		return 0, 0, readError(err)
	}
	defer it.Close()
	st := &x.s.stage
	st.begin(x.s)
	b := st.batch
	valid := it.First()
	for ; valid && jobs < size; valid = it.Next() {
		n, err := x.group(it)
		if err := undamaged(err); err != nil {
			return 0, 0, err
		}
		if err != nil { // it will be reported where it is asked for
			x.s.log.Error("a group of jobs can't be indexed", "err", err)
		}
		jobs += n
	}
	if err := it.Error(); err != nil {
		return 0, 0, readError(err)
	}
	st.writeIndex()
	st.batch = nil
	if x.lag > 0 {
		setNumber(b, keyLag, x.lag)
	}
	if !valid {
		b.Delete(keyIndexed, nil)
		return 0, jobs, x.s.commit(b)
	}
	after = acceptedGroup(it.Key())
	setNumber(b, keyIndexed, after)
	return after, jobs, x.s.commit(b)
}

// group indexes the jobs of the group under an iterator.
func (x *indexer) group(it *pebbledb.Iterator) (jobs int, err error) {
	key := it.Key()
	value, err := it.ValueAndErr()
	if err != nil {
		return 0, err
	}
	r, err := decodeRoll(key, value)
	if err != nil {
		return 0, err
	}
	st, group := &x.s.stage, acceptedGroup(key)
	if err := st.count(group); err != nil {
		return 0, err
	}
	x.s.unfinished.put(group, 0)
	st.open[group], st.span = 0, span{}
	for _, p := range r.keys {
		j, ok, err := locate(x.s.db, p, "", 0)
		if err := undamaged(err); err != nil {
			return 0, err
		}
		if err == nil && ok && j.group == group {
			st.again(&j)
		}
	}
	times := st.span
	if times.n == 0 { // all are damaged
		times.earliest, times.latest = x.latest, x.latest
	}
	x.latest = max(x.latest, times.latest)
	x.lag = max(x.lag, uint64(x.latest-times.earliest))
	at := stamp{x.latest, times.earliest}.append(nil)
	st.batch.Set(key, seal(key, appendRoll(at, r.kept, uint64(len(r.keys)), r.list)), nil)
	return len(r.keys), nil
}

// again indexes a job as it is.
func (st *staging) again(j *stored) {
	e := effectOf(j)
	st.index(&j.Job, &e, j.group)
}

// effectOf is the effect of a change that brings a job into its state at once.
func effectOf(j *stored) (e rules.Effect) {
	e.Now.State = j.State
	if !j.State.Final() {
		e.Queued = 1
	}
	return e
}
