package caller

import (
	"math/bits"
	"sync/atomic"
	"time"

	"fairfactor"
)

// Times count how long jobs took that were completed or failed, by the size of
// their numbers.
type Times [TimeClasses]struct {
	Wait  Histogram // from the acceptance to the first turn
	Run   Histogram // from there to the end
	Total Histogram // its Sum stays zero: it is those of Wait and Run together
}

// Sizes of numbers that Times tell apart: up to 20, 40, 60 and 80 digits, and above.
const (
	TimeClasses = 5
	timeDigits  = 20
)

// Histogram counts durations in buckets: up to 1 ms, 2 ms, 4 ms and so on, the last
// one for all above 4.7 hours.
type Histogram struct {
	Buckets [TimeBuckets]atomic.Uint64
	Sum     atomic.Int64 // nanoseconds
}

// TimeBuckets is how many buckets a [Histogram] has.
const TimeBuckets = 26

// bucketOf is the bucket of a duration.
func bucketOf(d time.Duration) int {
	if d <= 0 {
		return 0
	}
	return min(bits.Len64(uint64((d-1)/time.Millisecond)), TimeBuckets-1)
}

func (h *Histogram) count(d time.Duration) { h.Buckets[bucketOf(d)].Add(1) }

// observe takes in a job that has ended.
func (t *Times) observe(j *fairfactor.Job) {
	if j.Started.IsZero() || j.State == fairfactor.Cancelled {
		return
	}
	wait, run := max(0, j.Started.Sub(j.Submitted)), max(0, j.Finished.Sub(j.Started))
	of := &t[min((len(j.Number)-1)/timeDigits, TimeClasses-1)]
	of.Wait.count(wait)
	of.Wait.Sum.Add(int64(wait))
	of.Run.count(run)
	of.Run.Sum.Add(int64(run))
	of.Total.count(wait + run)
}
