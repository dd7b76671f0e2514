package main

import (
	"io"
	"strconv"
	"strings"
	"testing"
)

// BenchmarkFactorStream is what a number of a long stream of small ones costs, from input
// to output: numbers of 7 digits, and of 12.
func BenchmarkFactorStream(b *testing.B) {
	for _, digits := range []int{7, 12} {
		b.Run(strconv.Itoa(digits)+"digits", func(b *testing.B) {
			first := int(1e6)
			for range digits - 7 {
				first *= 10
			}
			var in strings.Builder
			for i := range b.N {
				in.WriteString(strconv.Itoa(first+i) + "\n")
			}
			b.ReportAllocs()
			b.ResetTimer()
			if status := run(b.Context(), []string{"factor", "--workers", "1"}, streams{in: strings.NewReader(in.String()), out: io.Discard, err: io.Discard}); status != 0 {
				b.Fatal(status)
			}
		})
	}
}
