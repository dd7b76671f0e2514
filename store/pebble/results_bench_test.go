package pebble

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"fairfactor"
)

// BenchmarkKnown is a lookup among 100,000 results of 60 digits: of one that is there
// and of one that is not. The bytes are those on the disk for each result.
func BenchmarkKnown(b *testing.B) {
	dir := filepath.Join(b.TempDir(), "data")
	s := mustOpen(b, dir, vfs.Default, 0)
	defer s.Close()
	const results = 100_000
	number := func(i int) string { return fmt.Sprintf("1%059d", i) }
	for i := 0; i < results; i += 1000 {
		var some []fairfactor.Known
		for j := i; j < i+1000; j++ {
			some = append(some, fairfactor.Known{
				Number: number(j), Complete: true, CPU: time.Duration(j) * time.Microsecond, Used: epochTime,
				Factors: []fairfactor.Factor{{Prime: strings.Repeat("7", 30), Exponent: 1}, {Prime: strings.Repeat("9", 30), Exponent: 1}},
			})
		}
		if err := s.Learn(b.Context(), some); err != nil {
			b.Fatal(err)
		}
	}
	if err := s.db.Flush(); err != nil {
		b.Fatal(err)
	}
	for name, from := range map[string]int{"there": 0, "missing": results} {
		b.Run(name, func(b *testing.B) {
			i := 0
			for b.Loop() {
				i = (i + 7919) % results
				if got, err := s.Known(b.Context(), []string{number(from + i)}); err != nil || len(got) != 1-from/results {
					b.Fatal(got, err)
				}
			}
			b.ReportMetric(float64(s.db.Metrics().DiskSpaceUsage())/results, "disk-B/result")
		})
	}
}
