package dispatch

import "time"

// rooms has the workers in a heap: the one with the most room first, of equals the
// one that is first by name. With it the pick of a worker does not grow with the
// number of workers.
type rooms struct {
	heap   []*worker
	widest int // the most slots that a worker had
}

// takes returns the first worker of that order that takes a turn, or nil. Usually it
// is the top of the heap, or the top shows that no worker takes it.
func (r *rooms) takes(predict time.Duration) *worker { return r.among(0, predict, nil) }

// among looks for a worker that goes before best in what is below a place of the heap.
func (r *rooms) among(at int, predict time.Duration, best *worker) *worker {
	if at >= len(r.heap) {
		return best
	}
	w := r.heap[at]
	switch {
	case best != nil && !w.before(best):
		return best
	case w.shy: // those below may take it
	case w.takes(predict):
		return w
	case predict > Credit, w.room*float64(r.widest)*float64(Credit)+1 < float64(predict):
		return best // no slot idles here or below, or none has room for so much
	}
	return r.among(2*at+2, predict, r.among(2*at+1, predict, best))
}

// changed gives a worker its place again when its slots, or what it has in hand, are
// others than before. One that left has none.
func (r *rooms) changed(w *worker) {
	w.room = w.hasRoom()
	if w.inRooms && !r.up(w) {
		r.down(w)
	}
}

func (r *rooms) add(w *worker) {
	w.atRoom, w.inRooms = len(r.heap), true
	r.heap = append(r.heap, w)
	r.changed(w)
}

func (r *rooms) remove(w *worker) {
	n := len(r.heap) - 1
	last := r.heap[n]
	r.heap[n] = nil
	r.heap = r.heap[:n]
	w.inRooms = false
	if last != w {
		r.put(last, w.atRoom)
		r.changed(last)
	}
}

func (r *rooms) put(w *worker, at int) { r.heap[at], w.atRoom = w, at }

// up moves a worker towards the top, and reports whether it moved.
func (r *rooms) up(w *worker) bool {
	at := w.atRoom
	for w.atRoom > 0 && w.before(r.heap[(w.atRoom-1)/2]) {
		above := (w.atRoom - 1) / 2
		r.put(r.heap[above], w.atRoom)
		r.put(w, above)
	}
	return w.atRoom != at
}

func (r *rooms) down(w *worker) {
	for {
		next := 2*w.atRoom + 1
		if next+1 < len(r.heap) && r.heap[next+1].before(r.heap[next]) {
			next++
		}
		if next >= len(r.heap) || !r.heap[next].before(w) {
			return
		}
		r.put(r.heap[next], w.atRoom)
		r.put(w, next)
	}
}

// before is the order of [rooms].
func (w *worker) before(other *worker) bool {
	if w.room != other.room {
		return w.room > other.room
	}
	return w.name < other.name
}
