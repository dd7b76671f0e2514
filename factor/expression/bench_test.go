package expression_test

import (
	"strings"
	"testing"

	"fairfactor/factor/expression"
)

// BenchmarkEvaluate has what people type, and what takes longest: texts that use up
// the work that one expression may take.
func BenchmarkEvaluate(b *testing.B) {
	for _, row := range []struct{ name, text string }{
		{"typed", "2^67-1"},
		{"digits", strings.Repeat("1234567890", 20)},
		{"refused", "10^10^10"},
		{"factorials", strings.Repeat("3000!*0+", 500) + "1"},
		{"primorials", strings.Repeat("20000#*0+", 400) + "1"},
		{"fibonacci", strings.Repeat("F(40000)*0+", 300) + "1"},
		{"repunits", strings.Repeat("R(9999)%7+", 400) + "1"},
		{"powers", strings.Repeat("3^20000%7+", 400) + "1"},
		{"literals", strings.Repeat("1e9999%7+", 400) + "1"},
		{"divisions", "3^20000" + strings.Repeat("%3^9999*3^9999", 300)},
		{"long", strings.Repeat("1+", 2000) + "1"},
	} {
		b.Run(row.name, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				if _, err := expression.Evaluate(row.text, digits); err == nil && row.name == "refused" {
					b.Fatal("a value that is too large")
				}
			}
		})
	}
}
