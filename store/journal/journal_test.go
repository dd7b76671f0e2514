package journal_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"fairfactor"
	"fairfactor/store/journal"
)

func TestWhatIsWrittenIsRead(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	var m journal.Maker
	for range 200 {
		m.Reset()
		var want []journal.Entry
		for range rng.IntN(50) {
			job := fairfactor.Job{ID: fairfactor.ID{Caller: 1 + rng.Uint64N(1<<(1+rng.IntN(40))), Seq: 1 + rng.Uint64N(1<<(1+rng.IntN(40)))}}
			ch := fairfactor.Change{Op: fairfactor.Op(1 + rng.IntN(7)), Job: &job}
			job.State = fairfactor.Completed + fairfactor.State(rng.IntN(3))
			m.Add(&ch)
			switch e := (journal.Entry{Caller: job.ID.Caller, Seq: job.ID.Seq, State: fairfactor.Pending}); ch.Op {
			case fairfactor.Accept, fairfactor.Requeue:
				want = append(want, e)
			case fairfactor.AcceptEnded:
				want = append(want, e, journal.Entry{Caller: e.Caller, Seq: e.Seq, State: job.State})
			case fairfactor.Finish:
				want = append(want, journal.Entry{Caller: e.Caller, Seq: e.Seq, State: job.State})
			}
		}
		var got []journal.Entry
		ok := journal.Read(m.Bytes(), func(i int, e journal.Entry) bool {
			if i != len(got) {
				t.Fatalf("entry %d is at %d", len(got), i)
			}
			got = append(got, e)
			return true
		})
		if !ok || !slices.Equal(got, want) || m.Len() != len(want) {
			t.Fatalf("got %v, %v\nwant %v", got, ok, want)
		}
	}
}

// FuzzRead: no bytes make Read fail in another way than by saying so.
func FuzzRead(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{4, 2, 1, 2, 0, 0x80})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		n := 0
		journal.Read(b, func(i int, e journal.Entry) bool {
			n++
			if e.State != fairfactor.Pending && !e.State.Final() {
				t.Errorf("entry %d has the state %s", i, e.State)
			}
			return n < 1000
		})
	})
}
