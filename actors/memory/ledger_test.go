package memory

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// world is a ledger with its holders, and what each job was told.
type world struct {
	t       *testing.T
	l       *Ledger
	holders map[string]*Holder
	woken   map[string]int
}

func newWorld(t *testing.T, bytes int64) *world {
	return &world{t: t, l: New(bytes, nil), holders: map[string]*Holder{}, woken: map[string]int{}}
}

func (w *world) of(caller string) *Holder {
	if w.holders[caller] == nil {
		w.holders[caller] = w.l.Holder(caller, func() { w.woken[caller]++ })
	}
	return w.holders[caller]
}

func (w *world) ask(caller string, job uint64, bytes int64, want bool) {
	w.t.Helper()
	if got := w.of(caller).Reserve(job, bytes); got != want {
		w.t.Errorf("%s asks for %d bytes for job %d: %v, want %v", caller, bytes, job, got, want)
	}
}

// TestLoneCallerGetsHalf, and one that comes later finds room at once.
func TestLoneCallerGetsHalf(t *testing.T) {
	w := newWorld(t, 4000) // 3000 for jobs, 2625 for large ones, 46 is small
	for job := range uint64(5) {
		w.ask("a", job, 300, true)
	}
	w.ask("a", 5, 300, false)
	w.ask("b", 0, 900, true)
	w.ask("c", 0, 2700, false)
	w.of("a").Release(0)
	if w.woken["a"] != 0 {
		t.Error("a got more, though b holds 900 and a no less than what is free")
	}
	w.of("b").Release(0)
	w.of("a").Release(1)
	if w.ask("a", 5, 300, true); w.woken["a"] != 1 {
		t.Errorf("a was woken %d times, want once", w.woken["a"])
	}
}

// TestLargeOneIsWaitedFor: what comes later does not take what becomes free, and small jobs
// have their own part meanwhile.
func TestLargeOneIsWaitedFor(t *testing.T) {
	w := newWorld(t, 4000)
	for _, c := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		w.ask(c, 0, 300, true)
	}
	w.ask("x", 0, 2000, false)
	w.ask("y", 0, 200, false) // it would fit
	for job := range uint64(9) {
		w.ask(fmt.Sprint("s", job), 0, 40, true)
	}
	w.ask("s9", 0, 40, false) // 375 are for small ones
	for _, c := range []string{"a", "b", "c", "d", "e"} {
		w.of(c).Release(0)
	}
	if w.woken["x"]+w.woken["y"] != 0 {
		t.Fatal("there is no room for the large one yet")
	}
	w.of("f").Release(0)
	w.ask("x", 0, 2000, true)
	w.ask("y", 0, 200, false)
	w.of("x").Release(0)
	w.ask("y", 0, 200, true)
	w.ask("s9", 0, 40, true)
	if w.woken["x"] != 1 || w.woken["y"] != 1 || w.woken["s9"] != 1 {
		t.Errorf("woken: %v", w.woken)
	}
}

// TestRandomJobs: after each of many random steps no more is held than there is, nothing was
// granted beyond a share's threshold, and large jobs were granted in the order in which they
// wait for room. Whatever waits is granted when the others have ended.
func TestRandomJobs(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	for round := range 8 {
		w := newWorld(t, 1<<20)
		type key struct {
			caller string
			job    uint64
		}
		asked := map[key]int64{}
		bytes := func() int64 { return 1 + rng.Int64N(1<<(5+rng.IntN(15))) }
		for step := range 2000 {
			k := key{fmt.Sprint(rng.IntN(20)), rng.Uint64N(30)}
			switch n := rng.IntN(10); {
			case n < 6 && asked[k] == 0:
				size := bytes()
				before := w.l.Stats().Held
				mine := int64(0)
				if s := w.l.shares[k.caller]; s != nil {
					mine = s.held
				}
				if w.of(k.caller).Reserve(k.job, size) && mine > 0 && mine+size > w.l.most-before {
					t.Fatalf("round %d step %d: %d bytes for one that holds %d, %d of %d are held", round, step, size, mine, before, w.l.most)
				}
				if size <= w.l.Most() {
					asked[k] = size
				}
			case n < 9 && asked[k] > 0:
				w.of(k.caller).Release(k.job)
				delete(asked, k)
			case n == 9 && rng.IntN(20) == 0:
				w.of(k.caller).Close()
				delete(w.holders, k.caller)
				for other := range asked {
					if other.caller == k.caller {
						delete(asked, other)
					}
				}
			}
			w.check()
		}
		for len(asked) > 0 { // whatever is granted ends
			ended := 0
			for k, size := range asked {
				if w.of(k.caller).Reserve(k.job, size) {
					w.of(k.caller).Release(k.job)
					delete(asked, k)
					ended++
				}
				w.check()
			}
			if ended == 0 {
				t.Fatalf("%d jobs wait for ever: %+v", len(asked), w.l.Stats())
			}
		}
		if s := w.l.Stats(); s.Held != 0 || s.Waiting != 0 || len(w.l.shares) != 0 {
			t.Fatalf("nothing is left, and booked are %+v for %d shares", s, len(w.l.shares))
		}
	}
}

// check looks at everything.
func (w *world) check() {
	w.t.Helper()
	var held, little int64
	waits := 0
	for _, h := range w.holders {
		for _, r := range h.jobs {
			switch {
			case r.state != granted:
				waits++
			case r.small:
				little += r.bytes
				held += r.bytes
			default:
				held += r.bytes
			}
		}
	}
	s := w.l.Stats()
	if s.Held != held || s.Waiting != waits || held > w.l.most || held-little > w.l.Most() {
		w.t.Fatalf("%d of %d are held, %d by small ones, %d wait; booked: %+v", held, w.l.most, little, waits, s)
	}
	for _, queue := range [][]*request{w.l.large, w.l.small} {
		for i, r := range queue {
			if r.state == gone {
				continue
			}
			if i == 0 && !w.l.over(r) && w.l.fits(r) {
				w.t.Fatalf("%d bytes fit and wait: %+v", r.bytes, s)
			}
		}
	}
}
