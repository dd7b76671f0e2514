package caller

import (
	"sync/atomic"
	"time"

	"fairfactor"
	"fairfactor/actors/backlog"
)

// Classes is how many classes jobs are put in by the digits of their numbers: 5
// digits each up to 100, within which the CPU of a hard number grows threefold, and
// one for all above.
const (
	Classes     = 21
	classDigits = 5
)

// classOf is the class of a number.
func classOf(number string) int { return min((len(number)-1)/classDigits, Classes-1) }

// costs is what a job of each class takes on this node, lately: nanoseconds of CPU,
// zero before the first one.
type costs [Classes]atomic.Int64

// costWeight is the weight of a job in the mean of its class.
const costWeight = 16

// learn takes in what a job took that was factored to the end. Of two that come at
// once one may get lost, which a mean does not mind.
func (c *costs) learn(job *fairfactor.Job) {
	if job.State != fairfactor.Completed || job.Known || job.CPU <= 0 {
		return
	}
	cost := &c[classOf(job.Number)]
	mean := cost.Load()
	if mean == 0 {
		mean = int64(job.CPU)
	}
	cost.Store(mean + (int64(job.CPU)-mean)/costWeight)
}

// of is what a job of a class probably takes: the mean of those seen here, or what
// a hard number of the class's length takes.
func (c *costs) of(class int) time.Duration {
	if mean := c[class].Load(); mean > 0 {
		return time.Duration(mean)
	}
	return backlog.PredictHard(class*classDigits + classDigits/2 + 1)
}

// load is the unfinished jobs of a caller, for those who ask how much there is to
// do. It is an estimate: nothing is decided by it.
type load struct {
	jobs   [Classes]uint32 // whose numbers were seen
	unread uint64          // jobs of earlier activations that no page has brought yet
	before uint64          // highest order of those
	read   uint64          // highest order that a page has brought
	told   uint64          // how many jobs the scheduler was told of last
}

// begin takes in the jobs of earlier activations.
func (l *load) begin(claim fairfactor.Claim) {
	l.unread, l.before = claim.Caller.Queued, claim.Last
}

// page takes in the numbers of jobs that were read.
func (l *load) page(page []fairfactor.Waiting) {
	for i := range page {
		if j := &page[i].Job; j.Order > l.read && j.Order <= l.before && l.unread > 0 {
			l.read = j.Order
			l.unread--
			l.add(j)
		}
	}
}

func (l *load) add(j *fairfactor.Job) { l.jobs[classOf(j.Number)]++ }

// remove takes out a job that has ended.
func (l *load) remove(j *fairfactor.Job) {
	if j.Order <= l.before && j.Order > l.read {
		l.unread -= min(l.unread, 1)
		return
	}
	if n := &l.jobs[classOf(j.Number)]; *n > 0 {
		*n--
	}
}

// work is the CPU that all jobs together probably take, as if none had begun.
func (l *load) work(c *costs) time.Duration {
	seen, total := uint64(0), time.Duration(0)
	for class, n := range l.jobs {
		if n > 0 {
			seen += uint64(n)
			total += time.Duration(n) * c.of(class)
		}
	}
	if l.unread > 0 && seen > 0 {
		total += time.Duration(float64(total) / float64(seen) * float64(l.unread))
	}
	return total
}

// news reports whether the number of jobs has become so different from what the
// scheduler was told that it should hear of it without a turn.
func (l *load) news(jobs uint64) bool {
	return jobs > 2*l.told+minNews || jobs < l.told/2 && l.told > minNews
}

// minNews is a number of jobs that is no news: a caller with a few offers them all.
const minNews = 64
