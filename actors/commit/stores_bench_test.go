package commit_test

import (
	"fmt"
	"log/slog"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"fairfactor"
	"fairfactor/actors/commit"
	"fairfactor/store/pebble"
	"fairfactor/store/postgres"
	"fairfactor/store/postgres/pgtest"
)

// BenchmarkJobs accepts jobs and ends them through a committer and each store that
// lasts, with its syncs to a real disk. A writer is a caller that waits for each
// of its changes, as a caller's actor does for one job. An operation is one job,
// accepted and completed; us-cpu/job is the processor time of this process and of
// the server, which says more than the clock when the machine has other things to
// do.
func BenchmarkJobs(b *testing.B) {
	quiet := slog.New(slog.DiscardHandler)
	for _, kind := range []struct {
		name string
		open func(b *testing.B) (store fairfactor.Store, server *pgtest.Server, err error)
	}{
		{"pebble", func(b *testing.B) (store fairfactor.Store, server *pgtest.Server, err error) {
			store, err = pebble.Open(b.TempDir(), pebble.Options{Logger: quiet, Fatal: func(err error) { b.Errorf("fatal: %v", err) }})
			return store, nil, err
		}},
		{"postgres", func(b *testing.B) (store fairfactor.Store, server *pgtest.Server, err error) {
			server = pgtest.Start(b)
			store, err = postgres.Open(b.Context(), server.Database(b), postgres.Options{Logger: quiet})
			return store, server, err
		}},
	} {
		for _, writers := range []int{64, 512} {
			b.Run(fmt.Sprintf("store=%s/writers=%d", kind.name, writers), func(b *testing.B) {
				store, server, err := kind.open(b)
				if err != nil {
					b.Fatal(err)
				}
				defer store.Close()
				jobs(b, store, server, writers)
			})
		}
	}
}

// jobs has b.N jobs accepted and ended by many writers.
func jobs(b *testing.B, store fairfactor.Store, server *pgtest.Server, writers int) {
	c := commit.New(store, commit.Options{})
	left := atomic.Int64{}
	left.Store(int64(b.N))
	ended := make(chan error)
	var callers []*caller
	for i := range writers {
		claim, err := store.ClaimCaller(b.Context(), fmt.Sprintf("caller-%d", i), "")
		if err != nil {
			b.Fatal(err)
		}
		callers = append(callers, &caller{c: c, claim: claim, done: make(chan error, 1)})
	}
	before := used(b, server)
	b.ResetTimer()
	for _, w := range callers {
		go func() { ended <- w.run(&left) }()
	}
	for range callers {
		if err := <-ended; err != nil {
			b.Error(err)
		}
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
	b.ReportMetric(float64((used(b, server)-before).Microseconds())/float64(b.N), "us-cpu/job")
	if err := c.Close(b.Context()); err != nil {
		b.Error(err)
	}
}

// used is the processor time of this process and of a server, if there is one.
func used(b *testing.B, server *pgtest.Server) (cpu time.Duration) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	cpu = time.Duration(u.Utime.Nano() + u.Stime.Nano())
	if server != nil {
		theirs, err := server.CPU()
		if err != nil {
			b.Fatal(err)
		}
		cpu += theirs
	}
	return cpu
}

// caller is one writer of the benchmark.
type caller struct {
	c     *commit.Committer
	claim fairfactor.Claim
	next  fairfactor.Change
	done  chan error
}

// run accepts and ends jobs until none are left.
func (w *caller) run(left *atomic.Int64) error {
	for seq := uint64(1); left.Add(-1) >= 0; seq++ {
		j := fairfactor.Job{
			ID:     fairfactor.ID{Nonce: seq * 0x9e3779b97f4a7c15 >> 16, Caller: w.claim.Number, Seq: seq},
			Caller: w.claim.Caller.Name, Number: strconv.FormatUint(10_000_000_000_037*seq, 10),
			Order: seq, State: fairfactor.Pending, Submitted: time.Now(),
		}
		if err := w.commit(fairfactor.Accept, j); err != nil {
			return err
		}
		j.State, j.Started, j.Finished = fairfactor.Completed, time.Now(), time.Now()
		j.Attempts, j.Turn, j.CPU, j.Turns = 1, seq, 20*time.Microsecond, 1
		j.Factors = []fairfactor.Factor{{Prime: "10000000000037", Exponent: 1}}
		if err := w.commit(fairfactor.Finish, j); err != nil {
			return err
		}
	}
	return nil
}

// commit waits until one change is durable.
func (w *caller) commit(op fairfactor.Op, j fairfactor.Job) error {
	w.next = fairfactor.Change{Op: op, Caller: j.Caller, Number: w.claim.Number, Epoch: w.claim.Epoch, Job: &j}
	w.c.Ready(w)
	return <-w.done
}

// Take implements commit.Source.
func (w *caller) Take(group []fairfactor.Change, _ int) []fairfactor.Change {
	return append(group, w.next)
}

// Bulk implements commit.Source.
func (w *caller) Bulk() bool { return false }

// Written implements commit.Source.
func (w *caller) Written(errs []error, err error) (more bool) {
	if err == nil && errs != nil {
		err = errs[0]
	}
	w.done <- err
	return false
}
