package backlog_test

import (
	"maps"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"fairfactor"
	"fairfactor/actors/backlog"
)

// sieved is a number of 51 digits that is sieved in a dozen turns or so.
func sieved(t *testing.T) string {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	n := big.NewInt(1)
	for range 2 {
		p := new(big.Int).SetUint64(r.Uint64() | 1<<63)
		p.Lsh(p, 20).SetBit(p, 0, 1)
		for !p.ProbablyPrime(20) {
			p.Add(p, big.NewInt(2))
		}
		n.Mul(n, p)
	}
	return n.String()
}

// TestPiecesAreWrittenOnce saves the progress of a long job after every turn: what
// was written is a small multiple of what there is, nothing is written twice but the
// last piece, and a job that begins again sieves no more than it lost.
func TestPiecesAreWrittenOnce(t *testing.T) {
	number := sieved(t)
	plain := newDesk(t, backlog.Config{})
	plain.accept(number)
	plain.work()
	turns := plain.jobs[1].job.Turns

	d := newDesk(t, backlog.Config{})
	d.results = plain.results
	d.accept(number)
	times := map[uint32]int{}
	lastly, saves, restarts := uint32(0), 0, 0
	for d.jobs[1].job.State == fairfactor.Pending {
		next := d.backlog.Next(nil, 1)
		d.load(-1)
		if ended, _ := d.give(d.run(next[0])); ended != nil {
			break
		}
		before := map[uint32]int{}
		for n, p := range d.jobs[1].pieces {
			before[n] = len(p)
		}
		d.checkpoint()
		saves++
		for _, n := range slices.Sorted(maps.Keys(d.jobs[1].pieces)) {
			if len(d.jobs[1].pieces[n]) != before[n] {
				times[n]++
				if n < lastly {
					t.Errorf("piece %d was written after piece %d", n, lastly)
				}
				lastly = max(lastly, n)
			}
		}
		if saves%4 == 0 {
			d.activate()
			d.fill() // the pieces are wanted once the job has begun again
			restarts++
		}
	}
	job := d.jobs[1].job
	t.Logf("%d turns, %d without restarts; %d restarts, pieces written: %v", job.Turns, turns, restarts, times)
	if job.State != fairfactor.Completed || restarts == 0 || len(times) == 0 {
		t.Fatalf("%+v", job)
	}
	if job.Turns > turns+uint64(3*restarts)+5 {
		t.Errorf("%d turns with %d restarts, %d without", job.Turns, restarts, turns)
	}
	if d.jobs[1].pieces != nil {
		t.Error("its pieces are still there")
	}
}

// TestUnsavedPiecesComeAgain refuses checkpoints: the next one has all that the
// store lacks, and none is made while one is on its way.
func TestUnsavedPiecesComeAgain(t *testing.T) {
	d := newDesk(t, backlog.Config{})
	d.accept(sieved(t))
	have := map[uint32]bool{}
	refused := 0
	for step := 0; d.jobs[1].job.State == fairfactor.Pending; step++ {
		if ended, _ := d.give(d.run(d.backlog.Next(nil, 1)[0])); ended != nil {
			break
		}
		changes := d.backlog.Checkpoints()
		if len(changes) != 1 || len(d.backlog.Checkpoints()) != 0 {
			t.Fatalf("step %d: %d checkpoints", step, len(changes))
		}
		c := changes[0]
		if step%3 > 0 {
			refused += len(c.Pieces)
			d.backlog.Unsaved(c.Job.ID.Seq)
			continue
		}
		for _, p := range c.Pieces {
			have[p.Number] = true
		}
		for n := range uint32(len(have)) {
			if !have[n] {
				t.Fatalf("step %d: piece %d is missing, %d are there", step, n, len(have))
			}
		}
		d.backlog.Booked(c.Job)
	}
	if refused == 0 || len(have) == 0 {
		t.Fatalf("%d pieces refused, %d stored", refused, len(have))
	}
}

// TestJobGoesOnWhilePiecesAreRead begins a job again whose pieces come late, or
// never: it ends all the same.
func TestJobGoesOnWhilePiecesAreRead(t *testing.T) {
	number := sieved(t)
	for _, lost := range []bool{false, true} {
		d := newDesk(t, backlog.Config{})
		d.accept(number)
		for len(d.jobs[1].pieces) == 0 {
			if ended, _ := d.give(d.run(d.backlog.Next(nil, 1)[0])); ended != nil {
				t.Fatal("done before there was a piece")
			}
			d.checkpoint()
		}
		d.activate()
		after, _ := d.backlog.NeedPage()
		d.backlog.Paged(d.read(after))
		turn := d.backlog.Next(nil, 1)[0]
		w, ok := d.backlog.NeedPiece()
		order, piece := w.Order, w.Piece
		if !ok || order != 1 || piece != 0 {
			t.Fatalf("piece %d of order %d wanted: %v", piece, order, ok)
		}
		if _, ok := d.backlog.NeedPiece(); ok {
			t.Fatal("two pieces wanted at once")
		}
		d.give(d.run(turn))
		d.backlog.Unloaded()
		if again, ok := d.backlog.NeedPiece(); !ok || again != w {
			t.Fatalf("after a failure: %+v, %v", again, ok)
		}
		if lost {
			if err := d.backlog.Loaded(order, piece, []byte("nonsense that is long enough")); err == nil {
				t.Error("nonsense was taken for a piece")
			}
		} else {
			d.backlog.Unloaded()
		}
		d.work()
		if job := d.jobs[1].job; job.State != fairfactor.Completed {
			t.Errorf("lost: %v: %+v", lost, job)
		}
	}
}

// TestProgressKnowsTheLimit: what is left of a job that its limit of CPU will end is the
// time until then.
func TestProgressKnowsTheLimit(t *testing.T) {
	number := sieved(t)
	for limit, limited := range map[time.Duration]bool{0: false, 20 * time.Millisecond: true, 100 * time.Hour: false} {
		d := newDesk(t, backlog.Config{MaxCPU: limit})
		d.accept(number)
		d.some(2)
		job, _ := d.backlog.Look(1)
		if p := job.Progress; p == nil || p.Left <= 0 || p.Limited != limited || limited && p.Left != limit-job.CPU {
			t.Errorf("limit %v: %+v after %v", limit, p, job.CPU)
		}
	}
}
