package dispatch

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestWindowAgainstSlice does random things to a window and to a plain slice.
func TestWindowAgainstSlice(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 3))
	var w window
	var plain []Turn
	widest := 0
	for i := range uint64(20_000) {
		turn := Turn{Key: Key{Seq: i}, Body: i}
		switch n := rng.IntN(100); {
		case n < 45:
			w.reserve(n % 3)
			w.push(turn)
			plain = append(plain, turn)
		case n < 50:
			w.unpop(turn)
			plain = slices.Insert(plain, 0, turn)
		case n < 52:
			keep := func(t *Turn) bool { return t.Seq%3 > 0 }
			before := len(plain)
			plain = slices.DeleteFunc(plain, func(t Turn) bool { return !keep(&t) })
			if got := w.keep(keep); got != before-len(plain) {
				t.Fatalf("step %d: dropped %d, want %d", i, got, before-len(plain))
			}
		case len(plain) > 0:
			if got := w.pop(); got != plain[0] {
				t.Fatalf("step %d: popped %v, want %v", i, got.Key, plain[0].Key)
			}
			plain = plain[1:]
		}
		if !slices.Equal(w.all(), plain) || w.len() != len(plain) {
			t.Fatalf("step %d: the window has %d turns, want %d", i, w.len(), len(plain))
		}
		if slices.ContainsFunc(w.turns[:w.head], func(t Turn) bool { return t.Body != nil }) {
			t.Fatalf("step %d: a turn that was taken is still held", i)
		}
		widest = max(widest, len(plain))
	}
	if cap(w.turns) > 4*widest+8 {
		t.Errorf("room for %d turns; there were never more than %d", cap(w.turns), widest)
	}
}

func TestQueueAgainstSlice(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	var q queue[*int]
	var plain []*int
	for i := range 200_000 {
		if rng.IntN(200_000) > i || len(plain) == 0 {
			q.push(&i)
			plain = append(plain, &i)
			continue
		}
		if first := q.peek(); first != plain[0] || q.pop() != first {
			t.Fatalf("step %d: got %d, want %d", i, *first, *plain[0])
		}
		plain = plain[1:]
	}
	if q.size != len(plain) {
		t.Errorf("%d items, want %d", q.size, len(plain))
	}
	for q.size > 0 {
		q.pop()
	}
	if len(q.items) > 1<<16 {
		t.Errorf("an empty queue holds room for %d items", len(q.items))
	}
}
