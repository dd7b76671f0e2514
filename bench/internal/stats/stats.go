// Package stats summarises what was measured: rates, ratios, medians and answer
// times.
package stats

import (
	"slices"
	"time"
)

// RatioOf is a divided by b, or 0 if b is 0.
func RatioOf(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// Median returns the middle one, or the mean of the middle two; 0 of none.
func Median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	if n == 0 {
		return 0
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// Millis is a time in milliseconds.
func Millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// PerSecond is a rate; 0 if no time has passed.
func PerSecond(n int, took time.Duration) float64 {
	if took <= 0 {
		return 0
	}
	return float64(n) / took.Seconds()
}
