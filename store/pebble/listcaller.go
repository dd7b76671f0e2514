package pebble

import (
	"context"
	"fmt"

	pebbledb "github.com/cockroachdb/pebble/v2"

	"fairfactor"
)

// callerFormat is a cursor of one caller's jobs: a sequence number, and zero.
const callerFormat = "s%d.%d"

// listCaller lists one caller's jobs by their sequence numbers, descending. It
// merges three places: the queue, those that were queued again, and those that
// ended; of these, if only failed or cancelled ones are wanted, the indexes of such.
func (s *Store) listCaller(ctx context.Context, q fairfactor.Query, p *pager) error {
	below, _, err := parseCursor(q.Cursor, callerFormat)
	if err != nil {
		return err
	}
	below = min(below, maxNumber+1)
	snapshot := s.db.NewSnapshot()
	defer snapshot.Close()
	a, ok, err := readAccount(snapshot, q.Caller)
	if err != nil || !ok {
		return err
	}
	p.left = pageRecords
	m := merger{db: snapshot, a: &a, q: &q, pager: p, head: a.head}
	defer m.close()
	if m.window, err = s.windowOf(snapshot, &q); err != nil {
		return err
	}
	if m.end < allGroups.end {
		end, err := m.firstIn(m.end)
		if err != nil {
			return err
		}
		below = min(below, end)
	}
	if err := m.open(below); err != nil {
		return err
	}
	return m.run(ctx)
}

// merger walks down the three places side by side. A place that the wanted
// state rules out has no iterator.
type merger struct {
	db    *pebbledb.Snapshot
	a     *account
	q     *fairfactor.Query
	pager *pager
	head  uint64 // a scan of the queue may start there
	window
	early bool // the job that was read last is from before the window, and so are all that follow

	ended, again, queue          *pebbledb.Iterator
	endedSeq, againSeq, queueSeq uint64     // under the iterator, 0 if it is at its end
	atLimit                      bool       // the queue's iterator waits at a limit
	few                          []*endedAs // indexes that take the place of ended
}

// endedAs is the index of a caller's jobs that ended in a state.
type endedAs struct {
	it  *pebbledb.Iterator
	seq uint64 // under the iterator, 0 if it is at its end
}

func (f *endedAs) settle(valid bool) {
	if f.seq = 0; valid {
		f.seq = jobKeyAt(f.it.Key()).seq
	}
}

// open puts all iterators on the first job below a sequence number.
func (m *merger) open(below uint64) (err error) {
	iter := func(kind byte, from uint64) *pebbledb.Iterator {
		if err != nil || from >= below {
			return nil
		}
		var it *pebbledb.Iterator
		it, err = m.db.NewIter(iterBounds(slot(nil, kind, m.a.Number, from), m.upper(kind, below)))
		return it
	}
	if m.q.States.Has(fairfactor.Completed) {
		m.ended = iter(kindEnded, 0)
	} else if err = m.openFew(below); err != nil {
		return readError(err)
	}
	if m.q.States.Has(fairfactor.Pending) && m.a.Queued > 0 {
		if m.a.requeued > 0 {
			m.again = iter(kindRequeued, 0)
		}
		m.queue = iter(kindQueued, m.head)
	}
	if err != nil {
		return readError(err)
	}
	if m.ended != nil && m.ended.Last() {
		m.endedSeq = slotNumber(m.ended.Key())
	}
	if m.again != nil && m.again.Last() {
		m.againSeq = slotNumber(m.again.Key())
	}
	if m.queue != nil {
		m.settle(m.queue.SeekLTWithLimit(m.upper(kindQueued, below), m.limit()))
	}
	return nil
}

// openFew puts iterators on the last jobs that failed or were cancelled.
func (m *merger) openFew(below uint64) error {
	for _, state := range endedIn(m.q) {
		it, err := m.db.NewIter(iterBounds(endedOfKey(nil, state, jobKey{m.a.Number, 0}), endedOfKey(nil, state, jobKey{m.a.Number, min(below, maxNumber)})))
		if err != nil {
			return err
		}
		f := &endedAs{it: it}
		m.few = append(m.few, f)
		f.settle(it.Last())
	}
	return nil
}

// upper returns the key just above all of a kind with numbers below a bound.
func (m *merger) upper(kind byte, below uint64) []byte {
	if below > maxNumber {
		return slotsEnd(kind, m.a.Number)
	}
	return slot(nil, kind, m.a.Number, below)
}

// limit is how far down the queue is looked through: not below the job that
// comes next anyway, so that it never walks over a long stretch of removed
// jobs for nothing.
func (m *merger) limit() []byte {
	seq := m.endedSeq
	for _, f := range m.few {
		seq = max(seq, f.seq)
	}
	return slot(nil, kindQueued, m.a.Number, seq)
}

// settle notes where the queue's iterator came to rest.
func (m *merger) settle(v pebbledb.IterValidityState) {
	m.queueSeq = 0
	m.atLimit = v == pebbledb.IterAtLimit
	if v == pebbledb.IterValid {
		m.queueSeq = slotNumber(m.queue.Key())
	}
}

// iterators are all that there are; some may be nil.
func (m *merger) iterators() []*pebbledb.Iterator {
	all := []*pebbledb.Iterator{m.ended, m.again, m.queue}
	for _, f := range m.few {
		all = append(all, f.it)
	}
	return all
}

func (m *merger) close() {
	for _, it := range m.iterators() {
		if it != nil {
			it.Close()
		}
	}
}

// run fills the page.
func (m *merger) run(ctx context.Context) error {
	for n := 0; ; n++ {
		if n%1024 == 1023 {
			if err := live(ctx); err != nil {
				return err
			}
		}
		if m.queueSeq == 0 && m.atLimit {
			m.settle(m.queue.PrevWithLimit(m.limit()))
		}
		// An iterator that damage has stopped looks as if it were at its end, and
		// the others would go on without it.
		if err := m.err(); err != nil {
			return err
		}
		seq := max(m.endedSeq, m.againSeq, m.queueSeq)
		for _, f := range m.few {
			seq = max(seq, f.seq)
		}
		if seq == 0 || m.early {
			return nil
		}
		j, ok, err := m.take(seq)
		if err != nil {
			return err
		}
		cursor := ""
		if ok || m.pager.left <= 1 {
			cursor = fmt.Sprintf(callerFormat, seq, 0)
		}
		if ok && m.pager.add(j, cursor) || m.pager.spent(cursor) {
			return nil
		}
	}
}

// take reads the job at seq, if it is in the wanted state, and moves the
// iterator that was on it.
func (m *merger) take(seq uint64) (j stored, ok bool, err error) {
	p := jobKey{m.a.Number, seq}
	switch seq {
	case m.endedSeq:
		j, ok, err = m.takeEnded()
	case m.againSeq:
		j, ok, err = locate(m.db, p, m.a.Name, fairfactor.In(fairfactor.Pending))
		m.againSeq = 0
		if m.again.Prev() {
			m.againSeq = slotNumber(m.again.Key())
		}
	default:
		if j, ok, err = m.takeFew(seq); ok || err != nil {
			break
		}
		// A job under an order that is not its sequence number is found by
		// the other iterator.
		j, ok, err = queuedJob(m.db, p, seq, m.a.Name, m.a.saved > 0)
		m.settle(m.queue.PrevWithLimit(m.limit()))
	}
	if ok && err == nil {
		m.early = j.group < m.first
		ok = m.q.Matches(&j.Job)
	}
	return j, ok, err
}

// takeFew reads the job at seq if it failed or was cancelled, and moves on.
func (m *merger) takeFew(seq uint64) (j stored, ok bool, err error) {
	for _, f := range m.few {
		if f.seq == seq {
			f.settle(f.it.Prev())
			return locate(m.db, jobKey{m.a.Number, seq}, m.a.Name, m.q.States)
		}
	}
	return j, false, nil
}

// takeEnded reads the finished job under its iterator and moves on.
func (m *merger) takeEnded() (j stored, ok bool, err error) {
	key := m.ended.Key()
	value, err := iterValue(m.ended)
	if err != nil {
		return j, false, err
	}
	if ok = len(value) > 1 && m.q.States.Has(fairfactor.State(value[1])); ok || m.first > 0 {
		j, err = decodeJob(key, value, m.a.Number, m.a.Name)
	}
	m.endedSeq = 0
	if m.ended.Prev() {
		m.endedSeq = slotNumber(m.ended.Key())
	}
	return j, ok && err == nil, err
}

// err returns what ended an iterator, if it was not the end of its range.
func (m *merger) err() error {
	for _, it := range m.iterators() {
		if it != nil && it.Error() != nil {
			return readError(it.Error())
		}
	}
	return nil
}

// iterBounds returns the options of an iterator over a range.
func iterBounds(lower, upper []byte) *pebbledb.IterOptions {
	return &pebbledb.IterOptions{LowerBound: lower, UpperBound: upper}
}
