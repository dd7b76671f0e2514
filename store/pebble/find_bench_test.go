package pebble

import (
	"testing"
	"time"

	"fairfactor"
)

// BenchmarkFind finds jobs among 700,000 that completed, 12 that failed and 10,000 that
// wait, of 100 callers: a page for each filter. worst-ms is the longest page.
func BenchmarkFind(b *testing.B) {
	s := unsynced(b, b.TempDir())
	defer s.Close()
	writers := fill(b, s, 100, 10_000, true)
	for range 12 {
		w := writers[7]
		ch := w.accept()
		end := w.finish(*ch.Job)
		end.Job.State = fairfactor.Failed
		mustApply(b, s, ch)
		mustApply(b, s, end)
		refill(b, s, writers, 57_500, true)
	}
	middle := epochTime.Add(3500 * time.Microsecond)
	refill(b, s, writers, 10_000, false)
	for name, q := range map[string]fairfactor.Query{
		"failed":           {States: fairfactor.In(fairfactor.Failed)},
		"failed+caller":    {States: fairfactor.In(fairfactor.Failed), Caller: writers[7].name},
		"failed+since":     {States: fairfactor.In(fairfactor.Failed), Since: middle},
		"failed+cancelled": {States: fairfactor.In(fairfactor.Failed, fairfactor.Cancelled)},
		"pending":          {States: fairfactor.In(fairfactor.Pending)},
		"completed":        {States: fairfactor.In(fairfactor.Completed)},
		"number":           {Number: "1000000007"},
		"since+until":      {Since: middle, Until: middle.Add(100 * time.Microsecond)},
		"caller+until":     {Caller: writers[3].name, Until: middle},
	} {
		b.Run(name, func(b *testing.B) {
			q.Limit = 100
			worst, found := time.Duration(0), 0
			for b.Loop() {
				start := time.Now()
				page, err := s.List(b.Context(), q)
				if err != nil || len(page.Jobs) == 0 {
					b.Fatal(len(page.Jobs), err)
				}
				worst, found = max(worst, time.Since(start)), len(page.Jobs)
			}
			b.ReportMetric(float64(worst.Microseconds())/1000, "worst-ms")
			b.ReportMetric(float64(found), "jobs")
		})
	}
}
