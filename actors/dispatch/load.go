package dispatch

import "math"

// load is how much a caller has to do, in few bytes. Callers say it; nothing is
// decided by it here.
type load struct {
	jobs   uint32
	work   float32 // seconds of CPU
	oldest uint32  // seconds since 1970, of the first job that was not offered; zero for none
}

// totals are the loads of all callers.
type totals struct {
	jobs uint64
	work float64 // seconds of CPU
}

// say takes in what a caller has to do; oldest is in microseconds since 1970.
func (m *Machine) say(c *caller, jobs uint64, work float64, oldest int64) {
	m.unload(c)
	c.load = load{uint32(min(jobs, math.MaxUint32)), float32(max(work, 0)), uint32(oldest / 1e6)}
	m.load.jobs += uint64(c.load.jobs)
	m.load.work += float64(c.load.work)
}

// unload forgets what a caller has to do.
func (m *Machine) unload(c *caller) {
	m.load.jobs -= uint64(c.load.jobs)
	m.load.work = max(0, m.load.work-float64(c.load.work))
	if m.load.jobs == 0 {
		m.load.work = 0
	}
	c.load = load{}
}

// oldestSample is the number of callers that [Machine.oldest] looks at: 0.2 ms.
const oldestSample = 4096

// oldest is since when the job waits that waits longest, of a sample of callers if
// there are many: they take turns, so that none waits much longer than the others.
func (m *Machine) oldest() (first int64) {
	left := oldestSample
	for _, c := range m.callers {
		if at := c.waits(); at != 0 && (first == 0 || at < first) {
			first = at
		}
		if left--; left == 0 {
			break
		}
	}
	return first
}

// waits is since when the caller's next job waits, zero if none does.
func (c *caller) waits() int64 {
	if c.waiting() > 0 {
		if at := c.work.window.first().Waits; at != 0 {
			return at
		}
	}
	return int64(c.load.oldest) * 1e6
}
