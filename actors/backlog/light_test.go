package backlog_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"fairfactor/actors/backlog"
)

// TestLightJobsAreServed compares, in random queues of light and hard numbers with endless
// hard ones, what the backlog offers with a plain twin of the rule: of each class jobs begin
// in their order; a class with fewer than MaxLong long jobs begins one if it has one in
// memory; and a light job that was begun has one of each 4 MaxLong turns of its caller.
func TestLightJobsAreServed(t *testing.T) {
	for i := range 4 {
		seed := uint64(time.Now().UnixNano())
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 9))
			d := newDesk(t, backlog.Config{Share: []int{0, 50}[i%2]})
			for range 60 {
				d.accept([]string{hard, light, "600851475143", "15"}[rng.IntN(4)])
			}
			w := &twin{desk: d, first: map[uint64]int{}, last: map[bool]uint64{}}
			for i := 0; w.unfinished() > 0; i++ {
				if w.step(rng); i == 20_000 {
					t.Fatalf("%d light jobs have not ended", w.unfinished())
				}
			}
		})
	}
}

// light is a number of 43 digits that takes several turns.
const light = "3886793127474013836071460666810773959842461"

// twin knows of each job that was begun when it had a turn last.
type twin struct {
	*desk
	turns int
	first map[uint64]int  // by sequence number: the turn before which it waits
	last  map[bool]uint64 // of each class, hard or not: the job that was begun last
	hands []backlog.Turn
}

// unfinished is the number of light jobs that have not ended.
func (w *twin) unfinished() (n int) {
	for _, s := range w.jobs {
		if s.job.Number != hard && !s.job.State.Final() {
			n++
		}
	}
	return n
}

// step offers a few turns, as the scheduler wants some, and ends some.
func (w *twin) step(rng *rand.Rand) {
	most := 8 // turns in hands; none if there are no others
	for range 4 {
		turns := w.backlog.Next(nil, 1)
		for _, p := range w.backlog.Parked() {
			w.backlog.Unpark(p.Seq, nil)
		}
		if len(turns) == 0 {
			most = 0
			break
		}
		w.offered(turns[0])
	}
	for len(w.hands) > most {
		i := rng.IntN(min(3, len(w.hands)))
		t := w.hands[i]
		w.hands = append(w.hands[:i:i], w.hands[i+1:]...)
		if t.Number == hard && t.Turn > 0 {
			continue // it is lost: hard jobs never end
		}
		w.give(w.run(t))
		inHand := slices.ContainsFunc(w.hands, func(other backlog.Turn) bool { return other.ID.Seq == t.ID.Seq })
		over := w.jobs[t.ID.Seq].job.State.Final() // another of its turns may have been the last one
		if delete(w.first, t.ID.Seq); !over && t.Number != hard && !inHand {
			w.first[t.ID.Seq] = w.turns
		}
	}
	for seq, since := range w.first {
		if waited := w.turns - since; waited > 4*backlog.MaxLong+16 {
			w.t.Fatalf("light job %d had no turn among the last %d of its caller", seq, waited)
		}
	}
}

// offered checks a turn.
func (w *twin) offered(t backlog.Turn) {
	w.turns++
	w.hands = append(w.hands, t)
	if t.Turn == 0 {
		class := len(t.Number) >= backlog.HardDigits
		if order := w.jobs[t.ID.Seq].job.Order; order < w.last[class] {
			w.t.Fatalf("job %d begins after %d of its class", order, w.last[class])
		} else {
			w.last[class] = order
		}
	}
	delete(w.first, t.ID.Seq)
}
