package pebble

import (
	"fmt"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"fairfactor"
)

// BenchmarkForemost finds the first 1,000 of 100,000 callers that have unfinished jobs: one
// each, and one in a hundred up to 200.
func BenchmarkForemost(b *testing.B) {
	s := mustOpen(b, b.TempDir(), vfs.Default, 0)
	defer s.Close()
	for from := 0; from < 100_000; from += 1000 {
		var group []fairfactor.Change
		for i := from; i < from+1000; i++ {
			w, n := activate(b, s, fmt.Sprint("caller-", i)), 1
			if i%100 == 0 {
				n = 1 + i/500
			}
			for range n {
				group = append(group, w.accept())
			}
		}
		mustApply(b, s, group...)
	}
	for _, order := range []fairfactor.CallerOrder{fairfactor.ByQueued, fairfactor.ByCPU} {
		b.Run(order.String(), func(b *testing.B) {
			for b.Loop() {
				if all, err := s.Foremost(b.Context(), order, fairfactor.MaxRanked); err != nil || order == fairfactor.ByQueued && (len(all) != fairfactor.MaxRanked || all[0].Queued != 200) {
					b.Fatal(len(all), err)
				}
			}
		})
	}
}
