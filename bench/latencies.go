package main

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// latencies gathers answer times from many goroutines. Percentiles are exact to
// three digits; mean, minimum and maximum are exact.
type latencies struct {
	mu            sync.Mutex // guards all below
	histogram     *hdrhistogram.Histogram
	sum, min, max time.Duration
}

// longestLatency is the longest time that percentiles tell from longer ones.
const longestLatency = 10 * time.Minute

func newLatencies() *latencies {
	return &latencies{histogram: hdrhistogram.New(int64(time.Microsecond), int64(longestLatency), 3)}
}

// add counts one answer.
func (l *latencies) add(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := l.histogram.TotalCount(); n == 0 || d < l.min {
		l.min = d
	}
	l.max = max(l.max, d)
	l.sum += d
	// The only error is a value out of range, and it is clamped.
	_ = l.histogram.RecordValue(int64(min(max(d, 0), longestLatency)))
}

func (l *latencies) count() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.histogram.TotalCount()
}

// mean is zero if nothing was counted.
func (l *latencies) mean() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := l.histogram.TotalCount(); n > 0 {
		return l.sum / time.Duration(n)
	}
	return 0
}

// at returns the time within which that percentage of the answers came, never
// more than the maximum; zero if nothing was counted.
func (l *latencies) at(percent float64) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return min(time.Duration(l.histogram.ValueAtPercentile(percent)), l.max)
}

// extremes returns the shortest and the longest time.
func (l *latencies) extremes() (shortest, longest time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.min, l.max
}
