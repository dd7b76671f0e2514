package stats

import (
	"math"
	"testing"
	"time"
)

func TestPercentiles(t *testing.T) {
	l := NewLatencies()
	if l.Mean() != 0 || l.At(99) != 0 || l.Count() != 0 {
		t.Errorf("without answers: mean %v, p99 %v", l.Mean(), l.At(99))
	}
	for ms := 1000; ms >= 1; ms-- {
		l.Add(time.Duration(ms) * time.Millisecond)
	}
	for _, c := range []struct {
		percent float64
		ms      float64
	}{{50, 500}, {90, 900}, {99, 990}, {99.9, 999}, {100, 1000}} {
		if got := Millis(l.At(c.percent)); math.Abs(got-c.ms) > c.ms/500 {
			t.Errorf("p%g is %g ms, want %g", c.percent, got, c.ms)
		}
	}
	shortest, longest := l.Extremes()
	if shortest != time.Millisecond || longest != time.Second || l.Mean() != 500*time.Millisecond+500*time.Microsecond || l.Count() != 1000 {
		t.Errorf("shortest %v, longest %v, mean %v, count %d", shortest, longest, l.Mean(), l.Count())
	}
	l.Add(2 * longestLatency)
	if _, longest := l.Extremes(); longest != 2*longestLatency || l.Count() != 1001 || l.At(100) < longestLatency {
		t.Errorf("beyond the range: longest %v, p100 %v, count %d", longest, l.At(100), l.Count())
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{9, 1, 5}, 5}, {[]float64{4, 1, 2, 9}, 3}} {
		if got := Median(c.values); got != c.want {
			t.Errorf("median of %v is %v", c.values, got)
		}
	}
}
