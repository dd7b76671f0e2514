package backlog

import (
	"slices"
	"time"

	"fairfactor"
)

// MaxParked is how many jobs may be parked; the queue stands still behind one more.
const MaxParked = 1024

// ParkedJob is a job that is not to begin yet.
type ParkedJob struct {
	Seq    uint64
	Number string
}

// parking are the jobs whose turn to begin has come, but which wait for someone to
// say so, because another job may be at the same number.
type parking struct {
	jobs  map[uint64]*entry // by sequence number
	fresh []ParkedJob       // not handed out by Parked yet
	ready []uint64          // may begin now, in order
	// stalled are hard ones that were overtaken by light ones while too many hard ones are
	// open, in order.
	stalled []uint64
}

// vacancy says which jobs may begin: none of a class that has enough long ones.
type vacancy struct{ hard, light bool }

func (b *Backlog) vacancy() vacancy { return vacancy{len(b.hard) < MaxLong, len(b.light) < MaxLong} }

func (r vacancy) has(number string) bool {
	if isHard(number) {
		return r.hard
	}
	return r.light
}

func isHard(number string) bool { return len(number) >= HardDigits }

// head takes the next entry that may begin. Jobs for large numbers are parked on the
// way, and hard ones that may not begin are overtaken by light ones.
func (b *Backlog) head(r vacancy) (entry, bool) {
	if e, ok := b.takeReady(r); ok {
		return e, true
	}
	for r.hard && len(b.parking.stalled) > 0 {
		e := b.parking.jobs[b.parking.stalled[0]]
		b.parking.stalled = b.parking.stalled[1:]
		switch {
		case e == nil: // it was cancelled
		case e.mourning > 0:
			e.again = true // it begins, or is parked, when its death is durable
		case b.shares(e.number):
			b.parking.fresh = append(b.parking.fresh, ParkedJob{e.seq, e.number})
		default:
			delete(b.parking.jobs, e.seq)
			return *e, true
		}
	}
	for len(b.window) > 0 {
		first := &b.window[0]
		hard, shared := isHard(first.number), b.shares(first.number)
		if !hard && !r.light || (shared || hard && !r.hard) && len(b.parking.jobs) >= MaxParked {
			return entry{}, false
		}
		e := b.shift()
		switch {
		case b.ending[e.seq] != nil || b.open[e.seq] != nil:
		case hard && !r.hard:
			b.setAside(e)
			b.parking.stalled = append(b.parking.stalled, e.seq)
		case shared:
			b.setAside(e)
			b.parking.fresh = append(b.parking.fresh, ParkedJob{e.seq, e.number})
		default:
			return e, true
		}
	}
	return entry{}, false
}

// takeReady takes the first parked entry that may begin.
func (b *Backlog) takeReady(r vacancy) (entry, bool) {
	for i := 0; i < len(b.parking.ready); {
		seq := b.parking.ready[i]
		e := b.parking.jobs[seq]
		if e != nil && (e.mourning > 0 || !r.has(e.number)) {
			i++
			continue
		}
		b.parking.ready = slices.Delete(b.parking.ready, i, i+1)
		if e != nil {
			delete(b.parking.jobs, seq)
			return *e, true
		}
	}
	return entry{}, false
}

// shares reports whether jobs for a number are parked when they would begin.
func (b *Backlog) shares(number string) bool { return b.cfg.Share > 0 && len(number) >= b.cfg.Share }

// setAside keeps an entry of the window among the parked ones.
func (b *Backlog) setAside(e entry) *entry {
	if b.parking.jobs == nil {
		b.parking.jobs = map[uint64]*entry{}
	}
	b.parking.jobs[e.seq] = &e
	return &e
}

// Parked returns the jobs that were parked since it was called last. For each of them
// [Backlog.Unpark] or [Backlog.Recall] must be called, unless it is cancelled.
func (b *Backlog) Parked() []ParkedJob {
	fresh := b.parking.fresh
	b.parking.fresh = nil
	return fresh
}

// Unpark lets a parked job begin, with the primes that are known of its number; known
// may be nil. One that has a checkpoint goes on from there. It is false if the job is not
// parked.
func (b *Backlog) Unpark(seq uint64, known *fairfactor.Known) bool {
	if known == nil || len(known.Factors) == 0 {
		return b.unpark(seq, nil)
	}
	return b.unpark(seq, func(s *saved) {
		if len(s.checkpoint) == 0 {
			s.job.Factors = Union(s.job.Factors, known.Factors)
		}
	})
}

// Recall ends a job, parked or begun, with the factors of its number, which were found
// by another job. It returns nil if the job is neither.
func (b *Backlog) Recall(seq uint64, factors []fairfactor.Factor, now time.Time) (ended *fairfactor.Job, withdraw bool) {
	o := b.open[seq]
	if e := b.parking.jobs[seq]; e != nil {
		delete(b.parking.jobs, seq)
		o = b.opened(b.job(e))
	}
	if o == nil {
		return nil, false
	}
	if o.job.Started.IsZero() {
		o.job.Started = now
	}
	o.job.Factors, o.job.Known = factors, true
	return b.end(o, fairfactor.Completed, "", now)
}

// CPU is what a job that was begun has used.
func (b *Backlog) CPU(seq uint64) time.Duration {
	if o := b.open[seq]; o != nil {
		return o.job.CPU
	}
	return 0
}
