package pebble

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"fairfactor"
)

// manyGroup is how many callers share a group in these benchmarks.
const manyGroup = 256

// BenchmarkManyCallers is the life of a caller that submits one job: its claim, the
// job's acceptance and its end, in groups of 256, without syncs. It repeats over as
// many callers as the name says, so that from the second round on all are known.
// At once means that the job ends before it is stored.
func BenchmarkManyCallers(b *testing.B) {
	for _, callers := range []int{10, 100_000, 1_000_000} {
		for name, atOnce := range map[string]bool{"AcceptFinish": false, "AtOnce": true} {
			b.Run(fmt.Sprintf("%s/%d", name, callers), func(b *testing.B) {
				s := unsynced(b, b.TempDir())
				names := make([]string, callers)
				for i := range names {
					names[i] = fmt.Sprint("caller-", i)
				}
				before := liveHeap()
				b.ReportAllocs()
				b.ResetTimer()
				for done := 0; done < b.N; done += manyGroup {
					oneRound(b, s, names, done, atOnce)
				}
				b.StopTimer()
				b.ReportMetric(float64(liveHeap()-before)/1e6, "heap-MB")
				if err := s.Close(); err != nil {
					b.Fatal(err)
				}
			})
		}
	}
}

// oneRound has a group of callers submit and end a job each.
func oneRound(b *testing.B, s *Store, names []string, from int, atOnce bool) {
	accepted, finished := make([]fairfactor.Change, manyGroup), make([]fairfactor.Change, manyGroup)
	writers := map[string]*activation{}
	for i := range manyGroup {
		name := names[(from+i)%len(names)]
		w := writers[name]
		if w == nil {
			w = activate(b, s, name)
			writers[name] = w
		}
		accepted[i] = w.accept()
		finished[i] = w.finish(*accepted[i].Job)
		if atOnce {
			finished[i].Op = fairfactor.AcceptEnded
		}
	}
	if !atOnce {
		mustApply(b, s, accepted...)
	}
	mustApply(b, s, finished...)
}

// BenchmarkBacklogged asks which callers are backlogged, when 10 are of 100,000,
// and when all are; the rest has just been removed, and stands between them.
func BenchmarkBacklogged(b *testing.B) {
	for _, backlogged := range []int{10, 100_000} {
		b.Run(fmt.Sprint(backlogged), func(b *testing.B) {
			s := unsynced(b, b.TempDir())
			defer s.Close()
			manyCallers(b, s, rand.New(rand.NewPCG(1, 2)), 100_000, backlogged)
			b.ResetTimer()
			for b.Loop() {
				seen := 0
				for after := uint64(0); ; {
					page, err := s.Backlogged(b.Context(), after, 1000)
					if err != nil {
						b.Fatal(err)
					}
					seen += len(page)
					if len(page) < 1000 {
						break
					}
					after = page[len(page)-1].Number
				}
				if seen != backlogged {
					b.Fatalf("%d callers, want %d", seen, backlogged)
				}
			}
		})
	}
}

// BenchmarkStartBacklogged is the start after 100,000 callers got one unfinished
// job each, until the first 256 are known and their backlogs read.
func BenchmarkStartBacklogged(b *testing.B) {
	dir := filepath.Join(b.TempDir(), "data")
	s := unsynced(b, dir)
	manyCallers(b, s, rand.New(rand.NewPCG(1, 2)), 100_000, 100_000)
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s := unsynced(b, dir)
		page, err := s.Backlogged(b.Context(), 0, 256)
		if err != nil || len(page) != 256 {
			b.Fatal(len(page), err)
		}
		for _, c := range page {
			if _, err := s.ClaimCaller(b.Context(), c.Name, c.Group); err != nil {
				b.Fatal(err)
			}
			if jobs, err := s.Backlog(b.Context(), c.Number, 0, 256, nil); err != nil || len(jobs) != 1 {
				b.Fatal(len(jobs), err)
			}
		}
		b.StopTimer()
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}
