package factor

import "slices"

// Shed forgets the open turns whose results can't help any more, and returns
// their ids, ascending: turns on a cofactor that was split, and, once a sieve has
// relations enough, all turns on its number but the linear algebra. A queue that holds
// such turns should drop them; the machine ignores a result that comes all the same.
// It does not hand out again what they would have covered: there are polynomials and
// curves enough.
func (m *Machine) Shed() []uint64 {
	var ids []uint64
	for id, o := range m.open {
		if o.needed() {
			continue
		}
		ids = append(ids, id)
		delete(m.open, id)
	}
	if len(ids) == 0 {
		return nil
	}
	slices.Sort(ids)
	m.lost = slices.DeleteFunc(m.lost, func(id uint64) bool {
		_, gone := slices.BinarySearch(ids, id)
		return gone
	})
	return ids
}

// needed reports whether the result of an open turn can still help.
func (o *openTurn) needed() bool {
	c := o.of
	switch {
	case c == nil:
		return true // the first turn, and proofs
	case c.gone:
		return false
	case o.postprocessing != nil:
		return c.postprocessing == o.postprocessing
	case c.collection == nil:
		return o.collection == nil
	case c.postprocessing != nil || c.collection.Ready():
		return false
	}
	return o.collection == nil || o.collection == c.collection
}
