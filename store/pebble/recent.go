package pebble

// recent keeps the entries used last: at least the last size/2 of them, at
// most size. It is two maps; when the younger is full, it becomes the older and
// the older is dropped. The zero value is not usable; nothing in it is locked.
type recent[K comparable, V any] struct {
	size         int
	young, older map[K]V
	rotations    uint64 // how often the older one was dropped
	// dropped, if there is one, is told what leaves; some of it may still be in
	// older.
	dropped func(map[K]V)
}

func newRecent[K comparable, V any](size int) *recent[K, V] {
	return &recent[K, V]{size: size, young: map[K]V{}}
}

// get returns an entry and makes it young again.
func (r *recent[K, V]) get(k K) (V, bool) {
	v, ok := r.young[k]
	if ok {
		return v, true
	}
	if v, ok = r.older[k]; ok {
		r.put(k, v)
	}
	return v, ok
}

// put adds or replaces an entry.
func (r *recent[K, V]) put(k K, v V) {
	if len(r.young) >= r.size/2 {
		gone := r.older
		r.older = r.young
		r.rotations++
		if r.dropped != nil {
			r.dropped(gone)
		}
		if r.young = gone; gone == nil {
			r.young = make(map[K]V, r.size/2)
		}
		clear(r.young)
	}
	r.young[k] = v
}

// drop forgets an entry.
func (r *recent[K, V]) drop(k K) {
	delete(r.young, k)
	delete(r.older, k)
}
