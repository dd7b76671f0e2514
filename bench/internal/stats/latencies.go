package stats

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Latencies gathers answer times from many goroutines. Percentiles are exact to
// three digits; mean, minimum and maximum are exact.
type Latencies struct {
	mu            sync.Mutex // guards all below
	histogram     *hdrhistogram.Histogram
	sum, min, max time.Duration
}

// longestLatency is the longest time that percentiles tell from longer ones.
const longestLatency = 10 * time.Minute

// NewLatencies returns an empty set.
func NewLatencies() *Latencies {
	return &Latencies{histogram: hdrhistogram.New(int64(time.Microsecond), int64(longestLatency), 3)}
}

// Add counts one answer.
func (l *Latencies) Add(d time.Duration) {
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

// Count is how many answers were counted.
func (l *Latencies) Count() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.histogram.TotalCount()
}

// Mean is zero if nothing was counted.
func (l *Latencies) Mean() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := l.histogram.TotalCount(); n > 0 {
		return l.sum / time.Duration(n)
	}
	return 0
}

// At returns the time within which that percentage of the answers came, never
// more than the maximum; zero if nothing was counted.
func (l *Latencies) At(percent float64) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return min(time.Duration(l.histogram.ValueAtPercentile(percent)), l.max)
}

// Extremes returns the shortest and the longest time.
func (l *Latencies) Extremes() (shortest, longest time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.min, l.max
}
