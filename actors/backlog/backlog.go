// Package backlog is a caller's queue of jobs as a pure state machine.
//
// Jobs come in order. Only a bounded window of them is in memory; the rest stays
// in the store and is read page by page as the window empties. A job becomes
// open when its first turn is offered; a number that one turn does not finish
// gets a factor.Machine, which says which turns may run next. Long jobs and the
// head of the queue take turns, so a big number does not hold up the small ones
// behind it.
//
// A job that has come to its end is kept, ending, until its final state is
// durable: only then is it forgotten.
//
// The machine has no I/O, clock, goroutine or lock. It is owned by the caller
// actor, which reads pages, commits and talks to the scheduler for it. Start
// reading at [Backlog.Next] and [Backlog.Outcome].
package backlog

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"fairfactor"
	"fairfactor/factor"
)

// Bounds, each per caller.
const (
	// Page is the number of jobs read from the store at a time; the window holds
	// up to two pages.
	Page = 512
	// MaxLong is the number of long jobs at which no further job is begun. First
	// turns that were offered by then may still add some.
	MaxLong = 16
	// MaxFailures is how often a job's turns may fail before the job does.
	MaxFailures = 3
)

// Config is what a backlog is told once.
type Config struct {
	Caller string
	MaxCPU time.Duration // of a job; zero is no limit
}

// Turn is a turn as it is offered to the scheduler.
type Turn struct {
	ID      fairfactor.ID
	Turn    uint64
	Number  string
	Payload []byte // nil for turn 0, which follows from the number
	Predict time.Duration

	nth uint64 // of all that were offered, from 1
}

// Outcome is what came of a turn.
type Outcome struct {
	Seq, Turn uint64
	Place     uint64 // in the global dispatch order
	Started   time.Time
	CPU       time.Duration
	Data      []byte
	Failure   string // why there is no data
}

// entry is a waiting job, small because there may be many.
type entry struct {
	seq, order, nonce uint64
	number, key       string
	submitted         int64 // microseconds since 1970
	attempts          int32
	saved             *saved // nil for a job that was never begun
}

// saved is what the store kept of a job's progress.
type saved struct {
	job        fairfactor.Job
	checkpoint []byte
}

// open is a job that was begun.
type open struct {
	job      fairfactor.Job
	machine  *factor.Machine // nil until one turn was not enough
	offered  map[uint64]Turn // not ended
	again    []Turn          // to be offered once more
	failures int
	dirty    bool // progress since the last checkpoint
	saving   bool // a checkpoint is on its way
	kept     int  // pieces of the checkpoint that are durable
	sent     int  // those that will be with the one on its way
	booked   spent
}

// spent is what a job's finished turns used, as far as its caller's stored
// account has it.
type spent struct {
	cpu   time.Duration
	turns uint64
}

// ending is a job that has come to its end, which is not durable yet.
type ending struct {
	job    *fairfactor.Job
	was    fairfactor.State // before it ended, as everybody sees it until then
	booked spent
}

// Backlog is one caller's queue. It is not safe for concurrent use.
type Backlog struct {
	cfg    Config
	number uint64 // of the caller

	window []entry // ascending order
	tail   uint64  // order of the last job that was in the window
	more   bool    // the store has jobs beyond the window
	paging bool    // a page was asked for
	missed bool    // a job was accepted behind the window since then
	// expelled are the orders beyond tail of jobs that were cancelled while they
	// were in the store only: a page that was read before that was durable still
	// has them, and the news that they were accepted may be on its way.
	expelled map[uint64]bool

	open        map[uint64]*open // by sequence number
	ending      map[uint64]*ending
	long        []*open // those with a machine, in rotation
	outstanding int     // offered turns of open jobs
	offers      uint64  // turns that were ever offered
	flip        bool    // whose turn it is: long jobs or the queue
	loading     bool    // a piece of a checkpoint was asked for
}

// New returns the backlog of a caller as its claim says it is.
func New(cfg Config, claim fairfactor.Claim) *Backlog {
	return &Backlog{
		cfg: cfg, number: claim.Number, more: claim.Caller.Queued > 0,
		open: map[uint64]*open{}, ending: map[uint64]*ending{}, expelled: map[uint64]bool{},
	}
}

// Accept adds a job that has just become durable. Jobs come in order.
func (b *Backlog) Accept(j *fairfactor.Job) {
	switch {
	case j.Order <= b.tail || b.expelled[j.Order]: // a page brought it already, or it was cancelled
	case b.more || b.paging || len(b.window) >= 2*Page:
		b.more, b.missed = true, true
	default:
		b.push(entryOf(j))
	}
}

func (b *Backlog) push(e entry) {
	b.window = append(b.window, e)
	b.tail = e.order
	maps.DeleteFunc(b.expelled, func(order uint64, _ bool) bool { return order <= b.tail })
}

func entryOf(j *fairfactor.Job) entry {
	return entry{
		seq: j.ID.Seq, order: j.Order, nonce: j.ID.Nonce, number: j.Number, key: j.Key,
		submitted: j.Submitted.UnixMicro(), attempts: int32(j.Attempts),
	}
}

// NeedPage says which page to read next, if any; [Backlog.Paged] answers.
func (b *Backlog) NeedPage() (after uint64, ok bool) {
	if !b.more || b.paging || len(b.window) > Page/2 {
		return 0, false
	}
	b.paging, b.missed = true, false
	return b.tail, true
}

// Paged brings the page asked for, full or the last one there is.
func (b *Backlog) Paged(page []fairfactor.Waiting) {
	b.paging = false
	b.more = len(page) >= Page || b.missed
	for i := range page {
		w := &page[i]
		if w.Job.Order <= b.tail || b.expelled[w.Job.Order] {
			continue
		}
		e := entryOf(&w.Job)
		if w.Job.Turns > 0 || len(w.Checkpoint) > 0 {
			e.saved = &saved{job: w.Job, checkpoint: w.Checkpoint}
		}
		b.push(e)
	}
}

// Unpaged says that the page could not be read; it will be asked for again.
func (b *Backlog) Unpaged() { b.paging = false }

// Next returns up to max turns to offer.
func (b *Backlog) Next(max int) (turns []Turn) {
	for len(turns) < max {
		b.flip = !b.flip
		t, ok := b.nextOf(b.flip)
		if !ok {
			t, ok = b.nextOf(!b.flip)
		}
		if !ok {
			break
		}
		turns = append(turns, t)
	}
	return turns
}

func (b *Backlog) nextOf(long bool) (Turn, bool) {
	if long {
		return b.nextLong()
	}
	return b.nextWaiting()
}

// nextWaiting begins the job at the head of the queue.
func (b *Backlog) nextWaiting() (Turn, bool) {
	for len(b.window) > 0 && len(b.long) < MaxLong {
		e := b.window[0]
		b.window[0] = entry{}
		b.window = b.window[1:]
		if len(b.window) == 0 {
			b.window = nil
		}
		if b.ending[e.seq] != nil || b.open[e.seq] != nil {
			continue
		}
		o := b.begin(&e)
		if o.machine == nil {
			return b.offer(o, Turn{ID: o.job.ID, Number: o.job.Number, Predict: factor.Predict(len(o.job.Number))}), true
		}
		if t, ok := b.nextLong(); ok {
			return t, true
		}
	}
	return Turn{}, false
}

func (b *Backlog) begin(e *entry) *open {
	o := opened(b.job(e))
	if e.saved != nil {
		// A checkpoint that can't be read, or has nothing left to do, costs the
		// work in it, not the job.
		if m, err := factor.Restore(e.number, e.saved.checkpoint); err == nil && !m.Done() {
			o.machine = m
			_, o.kept = m.Cut()
			b.long = append(b.long, o)
		}
	}
	o.job.Attempts++
	b.open[e.seq] = o
	return o
}

// opened returns a job as its caller's account has it.
func opened(job fairfactor.Job) *open {
	return &open{job: job, offered: map[uint64]Turn{}, booked: spent{job.CPU, job.Turns}}
}

func (b *Backlog) job(e *entry) fairfactor.Job {
	if e.saved != nil {
		return e.saved.job
	}
	return fairfactor.Job{
		ID:     fairfactor.ID{Nonce: e.nonce, Caller: b.number, Seq: e.seq},
		Caller: b.cfg.Caller, Number: e.number, Key: e.key, Order: e.order, State: fairfactor.Pending,
		Submitted: time.UnixMicro(e.submitted).UTC(), Attempts: int(e.attempts),
	}
}

// nextLong asks the long jobs for a turn, each in turn. First turns that have
// to be offered again come first.
func (b *Backlog) nextLong() (Turn, bool) {
	for range b.long {
		o := b.long[0]
		b.long = append(b.long[1:], o)
		if t, ok := o.next(); ok {
			return b.offer(o, t), true
		}
	}
	return Turn{}, false
}

func (o *open) next() (Turn, bool) {
	if n := len(o.again); n > 0 {
		t := o.again[n-1]
		o.again = o.again[:n-1]
		return t, true
	}
	if o.machine == nil {
		return Turn{}, false
	}
	for _, t := range o.machine.Next(1) {
		return Turn{ID: o.job.ID, Turn: t.ID, Number: o.job.Number, Payload: t.Payload, Predict: t.Predict}, true
	}
	return Turn{}, false
}

func (b *Backlog) offer(o *open, t Turn) Turn {
	b.offers++
	t.nth = b.offers
	o.offered[t.Turn] = t
	b.outstanding++
	return t
}

// More reports whether [Backlog.Next] may have turns to give, now or after a
// page was read.
func (b *Backlog) More() bool {
	if len(b.window) > 0 || b.more || b.paging {
		return true
	}
	for _, o := range b.long {
		if len(o.again) > 0 || o.machine != nil && !o.machine.Done() {
			return true
		}
	}
	return false
}

// Offered returns all turns that were offered and have not ended, in the order
// of their jobs, for a scheduler that may not know of them.
func (b *Backlog) Offered() (turns []Turn) {
	jobs := slices.SortedFunc(maps.Values(b.open), func(a, o *open) int { return cmp.Compare(a.job.Order, o.job.Order) })
	for _, o := range jobs {
		for _, id := range slices.Sorted(maps.Keys(o.offered)) {
			turns = append(turns, o.offered[id])
		}
	}
	return turns
}

// Outstanding is the number of turns that were offered and have not ended.
func (b *Backlog) Outstanding() int { return b.outstanding }

// Offers is the number of turns that were offered so far.
func (b *Backlog) Offers() uint64 { return b.offers }

// Oldest says which of all turns that were offered, counted from 1, is the first
// that has not ended; zero if all have.
func (b *Backlog) Oldest() (nth uint64) {
	for _, o := range b.open {
		for _, t := range o.offered {
			if nth == 0 || t.nth < nth {
				nth = t.nth
			}
		}
	}
	return nth
}

// Empty reports whether there is nothing left to do or to make durable.
func (b *Backlog) Empty() bool {
	return len(b.window) == 0 && !b.more && !b.paging && len(b.open) == 0 && len(b.ending) == 0
}
