package pebble

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"fairfactor"
)

// fill accepts n jobs of some callers, in groups, and ends them if wanted.
// Nothing is synced until the store is closed.
func fill(b *testing.B, s *Store, callers, n int, end bool) (writers []*activation) {
	b.Helper()
	for i := range callers {
		writers = append(writers, activate(b, s, fmt.Sprintf("caller-%d", i)))
	}
	refill(b, s, writers, n, end)
	return writers
}

// refill is fill for callers that are active.
func refill(b *testing.B, s *Store, writers []*activation, n int, end bool) {
	b.Helper()
	callers := len(writers)
	const size = 2000
	for done := 0; done < n; done += size {
		var accepted, finished []fairfactor.Change
		for i := range size {
			w := writers[(done/size+i)%callers]
			ch := w.accept()
			accepted, finished = append(accepted, ch), append(finished, w.finish(*ch.Job))
		}
		mustApply(b, s, accepted...)
		if end {
			mustApply(b, s, finished...)
		}
	}
}

// unsynced opens a store to be filled quickly.
func unsynced(b *testing.B, dir string) *Store {
	b.Helper()
	s, err := Open(dir, Options{Logger: quiet, NoSync: true})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// BenchmarkOpenMillion is the start of a node with 1,000,000 unfinished jobs of
// ten callers, once after an orderly stop and once after a kill, until the first
// page of each backlog is read. heap-MB is what the open store adds to the Go
// heap.
func BenchmarkOpenMillion(b *testing.B) {
	const callers = 10
	base := b.TempDir()
	killed, stopped := filepath.Join(base, "killed"), filepath.Join(base, "stopped")
	s := unsynced(b, stopped)
	fill(b, s, callers, 1_000_000, false)
	if err := s.db.LogData(nil, nil); err != nil { // syncs the log
		b.Fatal(err)
	}
	if err := os.CopyFS(killed, os.DirFS(stopped)); err != nil {
		b.Fatal(err)
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	for _, dir := range []string{stopped, killed} {
		b.Run(filepath.Base(dir), func(b *testing.B) {
			for n := range b.N {
				b.StopTimer()
				work := filepath.Join(b.TempDir(), fmt.Sprint(n)) // a start changes the directory
				copySynced(b, work, dir)
				before := liveHeap()
				b.StartTimer()
				s := start(b, work, callers)
				b.StopTimer()
				b.ReportMetric(float64(liveHeap()-before)/1e6, "heap-MB")
				if err := s.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// copySynced copies a directory to the disk itself, so that no later sync pays
// for it.
func copySynced(b *testing.B, to, from string) {
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		b.Fatal(err)
	}
	entries, err := os.ReadDir(to)
	if err != nil {
		b.Fatal(err)
	}
	for _, e := range entries {
		f, err := os.Open(filepath.Join(to, e.Name()))
		if err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
		if err := f.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// start does what a node does before it serves.
func start(b *testing.B, dir string, callers int) *Store {
	s := mustOpen(b, dir, vfs.Default, 0)
	if _, err := s.ClaimScheduler(b.Context()); err != nil {
		b.Fatal(err)
	}
	queued, err := s.Backlogged(b.Context(), 0, 1000)
	if err != nil || len(queued) != callers {
		b.Fatalf("%d callers, %v", len(queued), err)
	}
	total := uint64(0)
	for _, c := range queued {
		claim, err := s.ClaimCaller(b.Context(), c.Name, "")
		if err != nil {
			b.Fatal(err)
		}
		page, err := s.Backlog(b.Context(), claim.Number, 0, 256, nil)
		if err != nil || len(page) != 256 {
			b.Fatalf("%d in the backlog, %v", len(page), err)
		}
		total += claim.Caller.Queued
	}
	if total != 1_000_000 {
		b.Fatalf("%d jobs", total)
	}
	return s
}

func liveHeap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// BenchmarkDrained asks about a caller whose queue of 200,000 jobs was drained
// but for a few at its end. What was removed must not be walked over.
func BenchmarkDrained(b *testing.B) {
	s := unsynced(b, b.TempDir())
	defer s.Close()
	w := fill(b, s, 1, 200_000, true)[0]
	remembered := w.last
	mustApply(b, s, w.accept(), w.accept())
	b.Run("Backlog", func(b *testing.B) {
		for b.Loop() {
			if page, err := s.Backlog(b.Context(), w.claim.Number, remembered, 256, nil); err != nil || len(page) != 2 {
				b.Fatal(len(page), err)
			}
		}
	})
	b.Run("BacklogFromTheStart", func(b *testing.B) {
		for b.Loop() {
			if page, err := s.Backlog(b.Context(), w.claim.Number, 0, 256, nil); err != nil || len(page) != 2 {
				b.Fatal(len(page), err)
			}
		}
	})
	b.Run("Caller", func(b *testing.B) {
		for b.Loop() {
			if c, err := s.Caller(b.Context(), w.name); err != nil || c.Queued != 2 || c.Oldest.IsZero() {
				b.Fatal(c, err)
			}
		}
	})
	mustApply(b, s, w.finish(oldest(b, s, w)), w.finish(oldest(b, s, w, 1)))
	b.Run("BacklogEmpty", func(b *testing.B) {
		for b.Loop() {
			if page, err := s.Backlog(b.Context(), w.claim.Number, remembered, 256, nil); err != nil || len(page) != 0 {
				b.Fatal(len(page), err)
			}
		}
	})
}

// oldest returns the caller's first unfinished job, or the one so many after it.
func oldest(b *testing.B, s *Store, w *activation, skip ...int) fairfactor.Job {
	page, err := s.Backlog(b.Context(), w.claim.Number, 0, 2, nil)
	if err != nil || len(page) != 2 {
		b.Fatal(len(page), err)
	}
	return page[len(skip)].Job
}

// BenchmarkListMillion reads pages of 100 jobs of a caller with 1,000,000
// finished ones. A state that no job is in costs one bounded page at a time;
// worst-ms is the longest page.
func BenchmarkListMillion(b *testing.B) {
	s := unsynced(b, b.TempDir())
	defer s.Close()
	w := fill(b, s, 1, 1_000_000, true)[0]
	first := w.accept()
	mustApply(b, s, first)
	for name, q := range map[string]fairfactor.Query{
		"caller":           {Caller: w.name, Limit: 100},
		"caller+completed": {Caller: w.name, States: fairfactor.In(fairfactor.Completed), Limit: 100},
		"caller+failed":    {Caller: w.name, States: fairfactor.In(fairfactor.Failed), Limit: 100},
		"caller+pending":   {Caller: w.name, States: fairfactor.In(fairfactor.Pending), Limit: 100},
		"all":              {Limit: 100},
		"all+failed":       {States: fairfactor.In(fairfactor.Failed), Limit: 100},
		"all+pending":      {States: fairfactor.In(fairfactor.Pending), Limit: 100},
	} {
		b.Run(name, func(b *testing.B) {
			worst := time.Duration(0)
			for b.Loop() {
				start := time.Now()
				page, err := s.List(b.Context(), q)
				if err != nil || len(page.Jobs) > q.Limit {
					b.Fatal(len(page.Jobs), err)
				}
				worst = max(worst, time.Since(start))
				q.Cursor = page.Next
			}
			b.ReportMetric(float64(worst.Microseconds())/1000, "worst-ms")
		})
	}
}
