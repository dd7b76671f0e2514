package pebble

import (
	"context"
	"encoding/binary"

	pebbledb "github.com/cockroachdb/pebble/v2"

	"fairfactor"
	"fairfactor/store/journal"
)

// The journal says what each group did to jobs. A position is a group and an index
// among its entries. Readers see the groups that are on the disk, which are all up to
// one: so what they have read is never taken back and nothing comes before it later.

// trimEvery is after how many groups what is not kept any more is removed.
const trimEvery = 4096

// events are what the journal of a store holds. s.mu guards them.
type events struct {
	total uint64 // entries that were ever written
	first uint64 // no group before this one is in the journal
	lost  bool   // entries before it were removed
	kept  uint64 // entries to keep at least, [fairfactor.KeptEvents]
	lines []line // oldest first, see lines.go; set by Open
}

func eventsKey(b []byte, group uint64) []byte {
	return binary.BigEndian.AppendUint64(append(b, kindEvents), group)
}

// writeEvents adds the entries of a group to its batch, and now and then removes the
// oldest.
func (st *staging) writeEvents(group uint64) {
	e := &st.s.events
	if st.journal.Len() > 0 {
		e.total += uint64(st.journal.Len())
		st.key = eventsKey(st.key[:0], group)
		st.value = append(binary.AppendUvarint(st.value[:0], e.total), st.journal.Bytes()...)
		st.value = seal(st.key, st.value)
		st.batch.Set(st.key, st.value, nil)
	}
	if group%trimEvery == 0 && e.total > e.kept {
		if err := st.s.trimEvents(st.batch); err != nil {
			st.s.log.Error("events that are not kept any more can't be removed", "err", err)
		}
	}
}

// trimEvents removes the groups after which there are as many entries as are kept.
func (s *Store) trimEvents(b *pebbledb.Batch) error {
	e := &s.events
	_, upper := kindBounds(kindEvents)
	it, err := s.db.NewIter(iterBounds(eventsKey(nil, e.first), upper))
	if err != nil {
		return readError(err)
	}
	defer it.Close()
	from, to := e.first, e.first
	for ok := it.First(); ok; ok = it.Next() {
		total, _, err := decodeEvents(it)
		if err != nil {
			if err := s.stepOver("events can't be read", it.Key(), err); err != nil {
				return err
			}
			continue // it goes with those before it
		}
		if total+e.kept > e.total {
			break
		}
		to = eventsGroup(it.Key()) + 1
	}
	if err := it.Error(); err != nil || to == from {
		return readError(err)
	}
	e.first, e.lost = to, true
	return readError(b.DeleteRange(eventsKey(nil, from), eventsKey(nil, to), nil))
}

func eventsGroup(key []byte) uint64 { return binary.BigEndian.Uint64(key[1:]) }

// decodeEvents returns what is under an iterator: how many entries were ever written,
// with this group, and the entries. They are valid until the iterator moves.
func decodeEvents(it *pebbledb.Iterator) (total uint64, entries []byte, err error) {
	value, err := iterValue(it)
	if err != nil {
		return 0, nil, err
	}
	r := reader{b: value}
	if total = r.uvarint(); r.bad {
		return 0, nil, damaged(it.Key(), "the journal has an unknown form")
	}
	return total, r.b, nil
}

// loadEvents finds out how far the journal reaches. One that is damaged there begins
// again after the damage; what is read of it is reported.
func (s *Store) loadEvents() error {
	s.events = events{first: 1, kept: fairfactor.KeptEvents}
	it, err := s.db.NewIter(iterBounds(kindBounds(kindEvents)))
	if err != nil {
		return readError(err)
	}
	defer it.Close()
	if it.First() && len(it.Key()) == eventsKeyLen {
		total, entries, err := decodeEvents(it)
		if err != nil {
			return undamaged(err)
		}
		count := uint64(0)
		journal.Read(entries, func(int, journal.Entry) bool { count++; return true })
		s.events.first, s.events.lost = eventsGroup(it.Key()), total > count
	}
	if it.Last() {
		total, _, err := decodeEvents(it)
		if err != nil {
			return undamaged(err)
		}
		s.events.total = total
	}
	return undamaged(it.Error())
}

// eventsKeyLen is the length of a key made by eventsKey.
const eventsKeyLen = 9

// Changed implements [fairfactor.Store].
func (s *Store) Changed() <-chan struct{} { return s.flights.changed() }

// Events implements [fairfactor.Store].
func (s *Store) Events(ctx context.Context, after fairfactor.Position, limit int, wanted func(caller, seq uint64) bool) (page fairfactor.EventPage, err error) {
	if err := live(ctx); err != nil {
		return page, err
	}
	landed := s.flights.last()
	// What is removed after this snapshot is there to be read; what was removed before it
	// is a gap.
	db := s.db.NewSnapshot()
	defer db.Close()
	s.mu.Lock()
	first, lost := s.events.first, s.events.lost
	s.mu.Unlock()
	line := s.events.line()
	end := fairfactor.Position{Line: line, Group: landed + 1}
	page.Next, page.Head = end, end
	switch {
	case after == fairfactor.Position{}:
		return page, nil
	case !s.events.has(after, end):
		page.Gap = true
		return page, nil
	case lost && after.Group < first:
		page.Gap = true
		after = fairfactor.Position{Line: line, Group: first}
	}
	p := eventPager{s: s, db: db, page: &page, left: limit, wanted: wanted}
	return page, p.read(ctx, after, end)
}

// eventPager collects one page of events.
type eventPager struct {
	s      *Store
	db     *pebbledb.Snapshot
	page   *fairfactor.EventPage
	left   int // entries that may still be looked at
	wanted func(caller, seq uint64) bool
}

// read reads from one position to another, or to the limit.
func (p *eventPager) read(ctx context.Context, from, end fairfactor.Position) error {
	it, err := p.db.NewIter(iterBounds(eventsKey(nil, from.Group), eventsKey(nil, end.Group)))
	if err != nil {
		return readError(err)
	}
	defer it.Close()
	for ok := it.First(); ok; ok = it.Next() {
		_, entries, err := decodeEvents(it)
		if err != nil {
			if err := p.s.stepOver("events can't be read", it.Key(), err); err != nil {
				return err
			}
			p.page.Gap = true
			continue
		}
		group, skip := eventsGroup(it.Key()), uint64(0)
		if group == from.Group {
			skip = from.Index
		}
		full, err := p.group(ctx, group, skip, entries)
		if err != nil || full {
			return err
		}
	}
	return readError(it.Error())
}

// group takes in the entries of a group, but for the first ones, and reports whether the
// page is full.
func (p *eventPager) group(ctx context.Context, group, skip uint64, entries []byte) (full bool, err error) {
	line := p.s.events.line()
	good := journal.Read(entries, func(i int, e journal.Entry) bool {
		if uint64(i) < skip {
			return true
		}
		if p.left <= 0 {
			p.page.Next = fairfactor.Position{Line: line, Group: group, Index: uint64(i)}
			full = true
			return false
		}
		p.left--
		err = p.entry(ctx, e, fairfactor.Position{Line: line, Group: group, Index: uint64(i) + 1})
		return err == nil
	})
	if !good {
		key := eventsKey(nil, group)
		p.page.Gap = true
		return false, p.s.stepOver("events can't be read", key, damaged(key, "the journal has an unknown form"))
	}
	return full, err
}

// entry adds an event to the page, if it is wanted and its job is still there and can be read.
func (p *eventPager) entry(ctx context.Context, e journal.Entry, after fairfactor.Position) error {
	if p.wanted != nil && !p.wanted(e.Caller, e.Seq) {
		return nil
	}
	at := jobKey{e.Caller, e.Seq}
	job, ok, err := p.s.jobAt(ctx, at)
	if ok {
		p.page.Events = append(p.page.Events, fairfactor.Event{State: e.State, Job: job, After: after})
	}
	return p.s.stepOver("a job can't be read", slot(nil, kindEnded, at.caller, at.seq), err)
}

// jobAt returns the job with a key, once all that is said of it is on the disk.
func (s *Store) jobAt(ctx context.Context, at jobKey) (fairfactor.Job, bool, error) {
	name, ok, err := s.name(at.caller)
	if err != nil || !ok {
		return fairfactor.Job{}, false, err
	}
	j, ok, err := locate(s.db, at, name, 0)
	if err == nil && !ok {
		// The job may have moved between two keys while they were read.
		snapshot := s.db.NewSnapshot()
		defer snapshot.Close()
		j, ok, err = locate(snapshot, at, name, 0)
	}
	if err == nil && ok {
		err = s.flights.wait(ctx, j.ID, j.group)
	}
	if err == nil && ok {
		err = s.attach(&j.Job)
	}
	return j.Job, ok && err == nil, err
}
