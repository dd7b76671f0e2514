package pebble

import (
	"bytes"
	"context"
	"slices"
	"sync"

	pebbledb "github.com/cockroachdb/pebble/v2"

	"fairfactor"
)

// fewJobs is how many places of a queue are read one by one rather than with an
// iterator, which costs as much as some five reads.
const fewJobs = 4

// Backlog implements [fairfactor.Store].
func (s *Store) Backlog(ctx context.Context, caller, after uint64, limit int, into []fairfactor.Waiting) ([]fairfactor.Waiting, error) {
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
	p := pages.Get().(*page)
	defer p.release()
	p.waiting = into[:0]
	if start := max(after+1, a.head); a.Last-start < fewJobs {
		err = s.readFew(snapshot, &a, start, limit, p)
	} else {
		err = s.scanBacklog(ctx, snapshot, &a, max(start, s.headOf(&a)), limit, p)
	}
	if err != nil {
		return nil, err
	}
	s.paged(mark, p.jobs)
	return p.waiting, nil
}

// page is what was read of a caller's queue.
type page struct {
	waiting []fairfactor.Waiting
	jobs    []pagedJob // the same
	reader  reader     // of their records, which keeps their numbers together
}

// pages are those whose room is used again.
var pages = sync.Pool{New: func() any { return &page{reader: reader{least: textBytes}} }}

// textBytes is how much of the numbers of a page is one string. In memory they stay
// together: some dozens.
const textBytes = 1 << 10

func (p *page) release() {
	clear(p.jobs)
	p.waiting, p.jobs, p.reader.b = nil, p.jobs[:0], nil
	pages.Put(p)
}

// add puts a job on the page.
func (p *page) add(a *account, key, record, checkpoint []byte, saved bool) error {
	j, err := p.reader.job(key, record, a.Number, a.Name)
	if err == nil {
		p.waiting = append(p.waiting, fairfactor.Waiting{Job: j.Job, Checkpoint: checkpoint})
		p.jobs = append(p.jobs, pagedAt(a.Number, record, saved))
	}
	return err
}

// readFew reads the jobs at the end of a caller's queue, one by one.
func (s *Store) readFew(db pebbledb.Reader, a *account, start uint64, limit int, p *page) error {
	for order := start; order <= a.Last && len(p.waiting) < limit; order++ {
		key := slot(make([]byte, 0, slotLen), kindQueued, a.Number, order)
		value, ok, err := get(db, key)
		if err == nil && !ok {
			continue
		}
		var progress []byte
		saved := false
		if err == nil && a.saved > 0 {
			checkpoint := slot(make([]byte, 0, slotLen), kindCheckpoint, a.Number, order)
			record, state, err := readCheckpoint(db, checkpoint)
			if err := s.stepOver(noCheckpoint, checkpoint, err); err != nil {
				return err
			}
			if saved = record != nil; saved {
				key, value, progress = checkpoint, record, state
			}
		}
		if err == nil {
			err = p.add(a, key, value, progress, saved)
		}
		if err := s.stepOver(noWaiting, key, err); err != nil {
			return err
		}
	}
	return nil
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
func (s *Store) scanBacklog(ctx context.Context, db *pebbledb.Snapshot, a *account, start uint64, limit int, p *page) error {
	queue, err := db.NewIter(iterBounds(slot(nil, kindQueued, a.Number, start), slotsEnd(kindQueued, a.Number)))
	if err != nil {
		return readError(err)
	}
	defer queue.Close()
	var saved *pebbledb.Iterator
	if a.saved > 0 {
		saved, err = db.NewIter(iterBounds(slot(nil, kindCheckpoint, a.Number, start), slotsEnd(kindCheckpoint, a.Number)))
		if err != nil {
			return readError(err)
		}
		defer saved.Close()
	}
	return s.readBacklog(ctx, queue, saved, a, limit, p)
}

// readBacklog merges the queue with the checkpoints of its jobs, nil if there are
// none; both iterators see the same moment. A job that can't be read holds up none behind it.
func (s *Store) readBacklog(ctx context.Context, queue, saved *pebbledb.Iterator, a *account, limit int, p *page) error {
	more := saved != nil && saved.First()
	for ok := queue.First(); ok && len(p.waiting) < limit; ok = queue.Next() {
		if len(p.waiting)%1024 == 1023 {
			if err := live(ctx); err != nil {
				return err
			}
		}
		for more && bytes.Compare(saved.Key()[1:], queue.Key()[1:]) < 0 {
			more = saved.Next()
		}
		hasSaved := more && bytes.Equal(saved.Key()[1:], queue.Key()[1:])
		err := p.read(queue, saved, hasSaved, a, limit)
		if err != nil && hasSaved {
			if err := s.stepOver(noCheckpoint, saved.Key(), err); err != nil {
				return err
			}
			err = p.read(queue, nil, false, a, limit)
		}
		if err := s.stepOver(noWaiting, queue.Key(), err); err != nil {
			return err
		}
	}
	if err := queue.Error(); err != nil {
		return readError(err)
	}
	if saved != nil {
		return readError(saved.Error())
	}
	return nil
}

// read reads the job under the iterator of the queue, or of the checkpoints if it has
// one, as one of at most limit.
func (p *page) read(queue, saved *pebbledb.Iterator, hasSaved bool, a *account, limit int) error {
	it := queue
	if hasSaved {
		it = saved
	}
	value, err := iterValue(it)
	if err != nil {
		return err
	}
	var progress []byte
	if hasSaved {
		if value, progress, err = splitCheckpoint(it.Key(), value); err != nil {
			return err
		}
		if progress = bytes.Clone(progress); len(progress) == 0 {
			progress = nil
		}
	}
	if len(p.waiting) == 0 {
		room := min(limit, int(max(a.Queued, 1)))
		p.waiting, p.jobs = slices.Grow(p.waiting, room), slices.Grow(p.jobs, room)
	}
	return p.add(a, it.Key(), value, progress, hasSaved)
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
