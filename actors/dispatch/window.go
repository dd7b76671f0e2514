package dispatch

import "slices"

// window holds offered turns, oldest first. Taking from the front leaves room
// that later turns use again, so a window that is filled as fast as it empties
// allocates nothing.
type window struct {
	turns []Turn
	head  int // the turns before it were taken
}

func (w *window) len() int { return len(w.turns) - w.head }

// all returns the turns; valid until the window changes.
func (w *window) all() []Turn { return w.turns[w.head:] }

func (w *window) first() *Turn { return &w.turns[w.head] }

// reserve makes room for n more turns.
func (w *window) reserve(n int) {
	if w.len() == 0 {
		w.turns = slices.Grow(w.turns, n)
	}
}

func (w *window) push(t Turn) {
	if len(w.turns) == cap(w.turns) && w.head > len(w.turns)/2 {
		n := copy(w.turns, w.turns[w.head:])
		clear(w.turns[n:])
		w.turns, w.head = w.turns[:n], 0
	}
	w.turns = append(w.turns, t)
}

func (w *window) pop() Turn {
	t := w.turns[w.head]
	w.turns[w.head] = Turn{}
	if w.head++; w.head == len(w.turns) {
		w.turns, w.head = w.turns[:0], 0
	}
	return t
}

// unpop puts a turn in front of all others.
func (w *window) unpop(t Turn) {
	if w.head > 0 {
		w.head--
		w.turns[w.head] = t
		return
	}
	w.turns = slices.Insert(w.turns, 0, t)
}

// keep drops the turns that are not wanted, and returns how many those were.
func (w *window) keep(wanted func(*Turn) bool) (dropped int) {
	n := w.head
	for i := w.head; i < len(w.turns); i++ {
		if wanted(&w.turns[i]) {
			w.turns[n] = w.turns[i]
			n++
		}
	}
	dropped = len(w.turns) - n
	clear(w.turns[n:])
	if w.turns = w.turns[:n]; n == w.head {
		w.turns, w.head = w.turns[:0], 0
	}
	return dropped
}

// queue is first in, first out, in a slice that goes round.
type queue[T any] struct {
	items []T
	head  int
	size  int
}

func (q *queue[T]) push(item T) {
	if q.size == len(q.items) {
		grown := make([]T, max(16, 2*q.size))
		n := copy(grown, q.items[q.head:])
		copy(grown[n:], q.items[:q.head])
		q.items, q.head = grown, 0
	}
	q.items[(q.head+q.size)%len(q.items)] = item
	q.size++
}

// peek returns the first item; there must be one.
func (q *queue[T]) peek() T { return q.items[q.head] }

// pop takes the first item out. An empty queue gives a large slice back.
func (q *queue[T]) pop() T {
	var none T
	item := q.items[q.head]
	q.items[q.head] = none
	q.head = (q.head + 1) % len(q.items)
	if q.size--; q.size == 0 && len(q.items) > 1<<16 {
		q.items, q.head = nil, 0
	}
	return item
}
