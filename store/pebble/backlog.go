package pebble

import (
	"bytes"
	"context"

	pebbledb "github.com/cockroachdb/pebble/v2"

	"fairfactor"
)

// fewJobs is how many places of a queue are read one by one rather than with an
// iterator, which costs as much as some five reads.
const fewJobs = 4

// Backlog implements [fairfactor.Store].
func (s *Store) Backlog(ctx context.Context, caller, after uint64, limit int) ([]fairfactor.Waiting, error) {
	if err := live(ctx); err != nil {
		return nil, err
	}
	name, ok, err := s.name(caller)
	if err != nil || !ok || limit <= 0 || after >= maxNumber {
		return nil, err
	}
	mark := s.mark()
	snapshot := s.db.NewSnapshot()
	defer snapshot.Close()
	a, ok, err := readAccount(snapshot, name)
	if err != nil || !ok || a.Queued == 0 || after >= a.Last {
		return nil, err
	}
	var waiting []fairfactor.Waiting
	var page []pagedJob
	if start := max(after+1, a.head); a.Last-start < fewJobs {
		waiting, page, err = s.readFew(snapshot, &a, start, limit)
	} else {
		waiting, page, err = s.scanBacklog(ctx, snapshot, &a, max(start, s.headOf(&a)), limit)
	}
	if err == nil {
		s.paged(mark, page)
	}
	return waiting, err
}

// readFew reads the jobs at the end of a caller's queue, one by one.
func (s *Store) readFew(db pebbledb.Reader, a *account, start uint64, limit int) (waiting []fairfactor.Waiting, page []pagedJob, err error) {
	for order := start; order <= a.Last && len(waiting) < limit; order++ {
		key := slot(make([]byte, 0, slotLen), kindQueued, a.Number, order)
		value, ok, err := get(db, key)
		if err == nil && !ok {
			continue
		}
		var w fairfactor.Waiting
		saved := false
		if err == nil && a.saved > 0 {
			checkpoint := slot(make([]byte, 0, slotLen), kindCheckpoint, a.Number, order)
			record, state, err := readCheckpoint(db, checkpoint)
			if err := s.stepOver(noCheckpoint, checkpoint, err); err != nil {
				return nil, nil, err
			}
			if saved = record != nil; saved {
				key, value, w.Checkpoint = checkpoint, record, state
			}
		}
		var j stored
		if err == nil {
			j, err = decodeJob(key, value, a.Number, a.Name)
		}
		if err != nil {
			if err := s.stepOver(noWaiting, key, err); err != nil {
				return nil, nil, err
			}
			continue
		}
		w.Job = j.Job
		waiting, page = append(waiting, w), append(page, pagedAt(a.Number, value, saved))
	}
	return waiting, page, nil
}

// What is reported of jobs that hold up none behind them. Without its checkpoint a job
// begins again.
const (
	noWaiting    = "a job that waits can't be read"
	noCheckpoint = "the checkpoint of a job can't be read"
)

// readCheckpoint returns the record of a job and its progress as they were saved, nil if
// they were not.
func readCheckpoint(db pebbledb.Reader, key []byte) (record, state []byte, err error) {
	have, ok, err := get(db, key)
	if err != nil || !ok {
		return nil, nil, err
	}
	if record, state, err = splitCheckpoint(key, have); err != nil || len(state) == 0 {
		return record, nil, err
	}
	return record, state, nil
}

// scanBacklog reads a page of a caller's queue from an order on.
func (s *Store) scanBacklog(ctx context.Context, db *pebbledb.Snapshot, a *account, start uint64, limit int) ([]fairfactor.Waiting, []pagedJob, error) {
	queue, err := db.NewIter(iterBounds(slot(nil, kindQueued, a.Number, start), slotsEnd(kindQueued, a.Number)))
	if err != nil {
		return nil, nil, readError(err)
	}
	defer queue.Close()
	var saved *pebbledb.Iterator
	if a.saved > 0 {
		saved, err = db.NewIter(iterBounds(slot(nil, kindCheckpoint, a.Number, start), slotsEnd(kindCheckpoint, a.Number)))
		if err != nil {
			return nil, nil, readError(err)
		}
		defer saved.Close()
	}
	return s.readBacklog(ctx, queue, saved, a, limit)
}

// readBacklog merges the queue with the checkpoints of its jobs, nil if there are
// none; both iterators see the same moment. A job that can't be read holds up none behind it.
func (s *Store) readBacklog(ctx context.Context, queue, saved *pebbledb.Iterator, a *account, limit int) (waiting []fairfactor.Waiting, page []pagedJob, err error) {
	more := saved != nil && saved.First()
	for ok := queue.First(); ok && len(waiting) < limit; ok = queue.Next() {
		if len(waiting)%1024 == 1023 {
			if err := live(ctx); err != nil {
				return nil, nil, err
			}
		}
		for more && bytes.Compare(saved.Key()[1:], queue.Key()[1:]) < 0 {
			more = saved.Next()
		}
		hasSaved := more && bytes.Equal(saved.Key()[1:], queue.Key()[1:])
		w, j, err := readWaiting(queue, saved, hasSaved, a)
		if err != nil && hasSaved {
			if err := s.stepOver(noCheckpoint, saved.Key(), err); err != nil {
				return nil, nil, err
			}
			w, j, err = readWaiting(queue, nil, false, a)
		}
		if err != nil {
			if err := s.stepOver(noWaiting, queue.Key(), err); err != nil {
				return nil, nil, err
			}
			continue
		}
		if waiting == nil {
			room := min(limit, int(max(a.Queued, 1)))
			waiting, page = make([]fairfactor.Waiting, 0, room), make([]pagedJob, 0, room)
		}
		waiting, page = append(waiting, w), append(page, j)
	}
	if err := queue.Error(); err != nil {
		return nil, nil, readError(err)
	}
	if saved != nil {
		return waiting, page, readError(saved.Error())
	}
	return waiting, page, nil
}

// readWaiting reads the job under the iterator of the queue, or of the
// checkpoints if it has one.
func readWaiting(queue, saved *pebbledb.Iterator, hasSaved bool, a *account) (w fairfactor.Waiting, j pagedJob, err error) {
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
	have, err := decodeJob(it.Key(), value, a.Number, a.Name)
	if err != nil {
		return w, j, err
	}
	w.Job = have.Job
	return w, pagedAt(a.Number, value, hasSaved), nil
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
