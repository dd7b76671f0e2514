package pebble

import (
	"bytes"
	"context"

	pebbledb "github.com/cockroachdb/pebble/v2"

	"fairfactor"
)

// Backlog implements [fairfactor.Store].
func (s *Store) Backlog(ctx context.Context, caller, after uint64, limit int) ([]fairfactor.Waiting, error) {
	if err := live(ctx); err != nil {
		return nil, err
	}
	name, ok, err := s.name(caller)
	if err != nil || !ok || limit <= 0 || after >= maxNumber {
		return nil, err
	}
	start := after + 1
	if after == 0 {
		if a, ok, err := readAccount(s.db, name); err != nil {
			return nil, err
		} else if ok {
			start = max(1, s.headOf(&a))
		}
	}
	mark := s.mark()
	queue, err := s.db.NewIter(&pebbledb.IterOptions{
		LowerBound: slot(nil, kindQueued, caller, start), UpperBound: slotsEnd(kindQueued, caller),
	})
	if err != nil {
		return nil, readError(err)
	}
	defer queue.Close()
	saved, err := queue.Clone(pebbledb.CloneOptions{IterOptions: &pebbledb.IterOptions{
		LowerBound: slot(nil, kindCheckpoint, caller, start), UpperBound: slotsEnd(kindCheckpoint, caller),
	}})
	if err != nil {
		return nil, readError(err)
	}
	defer saved.Close()
	waiting, page, err := readBacklog(ctx, queue, saved, caller, name, limit)
	if err == nil {
		s.paged(mark, page)
	}
	return waiting, err
}

// readBacklog merges the queue with the checkpoints of its jobs; both
// iterators see the same moment.
func readBacklog(ctx context.Context, queue, saved *pebbledb.Iterator, caller uint64, name string, limit int) (waiting []fairfactor.Waiting, page []pagedJob, err error) {
	more := saved.First()
	for ok := queue.First(); ok && len(waiting) < limit; ok = queue.Next() {
		if len(waiting)%1024 == 1023 {
			if err := live(ctx); err != nil {
				return nil, nil, err
			}
		}
		for more && bytes.Compare(saved.Key()[1:], queue.Key()[1:]) < 0 {
			more = saved.Next()
		}
		w, j, err := readWaiting(queue, saved, more && bytes.Equal(saved.Key()[1:], queue.Key()[1:]), caller, name)
		if err != nil {
			return nil, nil, err
		}
		waiting, page = append(waiting, w), append(page, j)
	}
	if err := queue.Error(); err != nil {
		return nil, nil, readError(err)
	}
	if err := saved.Error(); err != nil {
		return nil, nil, readError(err)
	}
	return waiting, page, nil
}

// readWaiting reads the job under the iterator of the queue, or of the
// checkpoints if it has one.
func readWaiting(queue, saved *pebbledb.Iterator, hasSaved bool, caller uint64, name string) (w fairfactor.Waiting, j pagedJob, err error) {
	it := queue
	if hasSaved {
		it = saved
	}
	value, err := iterValue(it)
	if err != nil {
		return w, j, err
	}
	if hasSaved {
		var progress []byte
		if value, progress, err = splitCheckpoint(it.Key(), value); err != nil {
			return w, j, err
		}
		if len(progress) > 0 {
			w.Checkpoint = bytes.Clone(progress)
		}
	}
	if w.Job, err = decodeJob(it.Key(), value, caller, name); err != nil {
		return w, j, err
	}
	return w, pagedAt(caller, value, hasSaved), nil
}

// iterValue returns the value under an iterator, unsealed; it is valid until
// the iterator moves.
func iterValue(it *pebbledb.Iterator) ([]byte, error) {
	value, err := it.ValueAndErr()
	if err != nil {
		return nil, readError(err)
	}
	return unseal(it.Key(), value)
}

// Piece implements [fairfactor.Store].
func (s *Store) Piece(ctx context.Context, caller, order uint64, number uint32) ([]byte, error) {
	if err := live(ctx); err != nil || caller > maxNumber || order >= maxNumber {
		return nil, err
	}
	data, _, err := get(s.db, pieceKey(nil, caller, order, number))
	return data, err
}
