package pebble

import pebbledb "github.com/cockroachdb/pebble/v2"

// firstIn returns a sequence number of the caller from which on all jobs were accepted
// by the given group or a later one; jobs below it may have been, too. It is a binary
// search: a caller's sequence numbers ascend with the groups.
func (m *merger) firstIn(group uint64) (uint64, error) {
	ended, again, queue, err := m.probes()
	if err != nil {
		return 0, readError(err)
	}
	defer ended.Close()
	defer again.Close()
	defer queue.Close()
	found := uint64(maxNumber + 1)
	for low, high := uint64(1), m.a.Last+1; low < high; {
		middle := low + (high-low)/2
		seq, have, ok, err := m.probe(ended, again, queue, middle)
		switch {
		case err != nil:
			return 0, err
		case !ok || have >= group:
			high = middle
			if ok {
				found = seq
			}
		default:
			low = seq + 1
		}
	}
	return found, nil
}

// probes returns an iterator for each place that has jobs of the caller.
func (m *merger) probes() (ended, again, queue *pebbledb.Iterator, err error) {
	var its [3]*pebbledb.Iterator
	for i, kind := range [...]byte{kindEnded, kindRequeued, kindQueued} {
		if its[i], err = m.db.NewIter(iterBounds(slot(nil, kind, m.a.Number, 0), slotsEnd(kind, m.a.Number))); err != nil {
			for _, it := range its[:i] {
				it.Close()
			}
			return nil, nil, nil, err
		}
	}
	return its[0], its[1], its[2], nil
}

// probe returns a job with the given sequence number or a later one, with the group
// that accepted it, or false without one. It may leave out waiting jobs next to
// one that was queued again.
func (m *merger) probe(ended, again, queue *pebbledb.Iterator, from uint64) (seq, group uint64, ok bool, err error) {
	seq = maxNumber + 1
	if ended.SeekGE(slot(nil, kindEnded, m.a.Number, from)) {
		seq = slotNumber(ended.Key())
	}
	if again.SeekGE(slot(nil, kindRequeued, m.a.Number, from)) {
		seq = min(seq, slotNumber(again.Key()))
	}
	if start := max(from, m.head); start < seq {
		if queue.SeekGEWithLimit(slot(nil, kindQueued, m.a.Number, start), m.upper(kindQueued, seq)) == pebbledb.IterValid {
			if h, err := decodeBrief(queue.Key(), queue.Value()); err != nil {
				return 0, 0, false, err
			} else if h.Seq == h.Order {
				return h.Seq, h.group, true, nil
			}
		}
	}
	for _, it := range []*pebbledb.Iterator{ended, again, queue} {
		if it.Error() != nil {
			return 0, 0, false, readError(it.Error())
		}
	}
	if seq > maxNumber {
		return 0, 0, false, nil
	}
	j, ok, err := locate(m.db, jobKey{m.a.Number, seq}, m.a.Name, 0)
	return seq, j.group, ok, err
}
