package pebble

import (
	"log/slog"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"fairfactor"
)

// quiet drops what the store logs.
var quiet = slog.New(slog.DiscardHandler)

// epochTime is when the jobs of these tests are submitted.
var epochTime = time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)

// seeded returns a source of random numbers and prints its seed.
func seeded(t testing.TB) *rand.Rand {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// mustOpen opens a store that may not fail.
func mustOpen(t testing.TB, dir string, fs vfs.FS, memtable uint64) *Store {
	t.Helper()
	s, err := open(dir, Options{Logger: quiet, Fatal: func(err error) { t.Errorf("fatal: %v", err) }, memtable: memtable}, fs)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// activation makes the changes of one caller.
type activation struct {
	name  string
	claim fairfactor.Claim
	last  uint64
}

func activate(t testing.TB, s *Store, name string) *activation {
	t.Helper()
	c, err := s.ClaimCaller(t.Context(), name, "")
	if err != nil {
		t.Fatal(err)
	}
	return &activation{name: name, claim: c, last: c.Last}
}

func (a *activation) change(op fairfactor.Op, j fairfactor.Job) fairfactor.Change {
	return fairfactor.Change{Op: op, Caller: a.name, Number: a.claim.Number, Epoch: a.claim.Epoch, Job: &j}
}

// accept returns the acceptance of a new job.
func (a *activation) accept() fairfactor.Change {
	a.last++
	return a.change(fairfactor.Accept, fairfactor.Job{
		ID:     fairfactor.ID{Nonce: a.last * 0x9e3779b9 & (1<<48 - 1), Caller: a.claim.Number, Seq: a.last},
		Caller: a.name, Number: strconv.FormatUint(1_000_000_007*a.last, 10), Order: a.last,
		State: fairfactor.Pending, Submitted: epochTime.Add(time.Duration(a.last) * time.Microsecond),
	})
}

// finish returns the end of a job.
func (a *activation) finish(j fairfactor.Job) fairfactor.Change {
	j.State = fairfactor.Completed
	j.Started, j.Finished = j.Submitted.Add(time.Millisecond), j.Submitted.Add(time.Second)
	j.Attempts, j.CPU, j.Turns, j.Turn = 1, time.Millisecond, 1, a.last
	j.Factors = []fairfactor.Factor{{Prime: "1000000007", Exponent: 1}}
	return a.change(fairfactor.Finish, j)
}

// mustApply applies changes that must not fail.
func mustApply(t testing.TB, s *Store, changes ...fairfactor.Change) {
	t.Helper()
	if errs, err := s.Apply(t.Context(), changes); err != nil || errs != nil {
		t.Fatal(errs, err)
	}
}
