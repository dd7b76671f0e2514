// Package backlog is a caller's queue of jobs as a pure state machine.
//
// Jobs come in order, and most of them before they are durable: work need not wait
// for the disk, only what is said of it must. Only a bounded window of them is in
// memory; the rest stays in the store and is read page by page as the window
// empties. A job becomes
// open when its first turn is offered; a number that one turn does not finish
// gets a factor.Machine, which says which turns may run next. Long jobs and the
// head of the queue take turns, so a big number does not hold up the small ones
// behind it.
//
// A job that has come to its end is kept, ending, until its final state is
// durable: only then is it forgotten.
//
// The machine has no I/O, clock, goroutine or lock. It is owned by the
// caller actor, which reads pages, commits and talks to the scheduler for it. Start
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
	// MaxLong is the number of long jobs of a class, hard or light, at which no further
	// job of it is begun. First turns that were offered by then may still add some.
	MaxLong = 16
	// HardDigits is the length from which a number is hard: one of 50 digits may take 0.1 s
	// of CPU, and of every ten digits more ten times as much. What is shorter is light.
	HardDigits = 50
	// MaxFailures is how often a job's turns may fail before the job does.
	MaxFailures = 3
	// roomy is the number of jobs for which an empty window keeps its room.
	roomy = 4
)

// Config is what a backlog is told once.
type Config struct {
	Caller string
	MaxCPU time.Duration // of a job; zero is no limit
	// Share is the length from which jobs are parked when they would begin, see
	// [Backlog.Parked]; zero parks none.
	Share int
	// MaxDeaths is how many processes may die with a job before it is quarantined; zero is
	// no limit.
	MaxDeaths int
	// Deadly returns what is known of a number that is deadly, nil for all others. It is
	// asked before a job begins; nil for no such numbers.
	Deadly func(number string) *fairfactor.Deadly
	// Memory is asked before a job begins to sieve, nil for no limit.
	Memory Memory
	// Places has those of jobs that have ended, for jobs that begin, of any caller; nil for
	// new ones.
	Places Pool
}

// Memory grants what long jobs hold, see package memory.
type Memory interface {
	// Reserve asks for memory for a job, in bytes, and reports whether the job has it. If
	// not it is worth asking again when the caller is told so.
	Reserve(seq uint64, bytes int64) bool
	// Release gives back what a job has, or waits for.
	Release(seq uint64)
	// Most is the most that a job can get.
	Most() int64
}

// Turn is a turn as it is offered to the scheduler.
type Turn struct {
	ID      fairfactor.ID
	Turn    uint64
	Number  string
	Payload []byte // nil for turn 0, which follows from the number
	Predict time.Duration
	// Waits is since when the job waits, in microseconds since 1970; zero once it has
	// begun.
	Waits   int64
	Suspect bool   // the job may be what killed a process
	Mourned string // the process whose death with the job was counted, and told of last; empty for none

	nth uint64 // of all that were offered, from 1
}

// Outcome is what came of a turn.
type Outcome struct {
	Seq, Turn  uint64
	Nonce      uint64 // of the job's id
	Dispatched uint64 // number in the global dispatch order
	Started    time.Time
	CPU        time.Duration
	Data       []byte
	Failure    string // why there is no data
}

// entry is a waiting job, small because there may be many.
type entry struct {
	seq, order, nonce uint64
	number, key       string
	submitted         int64 // microseconds since 1970
	attempts          int32
	saved             *saved // nil for a job that was never begun
	deadline          int64  // microseconds since 1970, zero for none
	wants             *wants // nil for most
	deaths            *fairfactor.Deaths
	mourning          int  // deaths on their way to the store
	again             bool // it was taken out of the window for that
}

// wants is what the submitter of a job wants besides its factors, of the little that few do.
type wants struct {
	callback *fairfactor.Callback
	trace    *fairfactor.Trace
}

func wantsOf(j *fairfactor.Job) *wants {
	if j.Callback == nil && j.Trace == nil {
		return nil
	}
	return &wants{j.Callback, j.Trace}
}

// saved is what the store kept of a job's progress.
type saved struct {
	job        fairfactor.Job
	checkpoint []byte
	from       string // the caller whose job left the checkpoint, empty for its own
	left       *Left  // in place of a checkpoint
}

// open is a job that was begun.
type open struct {
	job      fairfactor.Job
	machine  *factor.Machine // nil until one turn was not enough
	offered  []Turn          // not ended; few, so that looking through them is quick
	first    [1]Turn         // where offered begins: most jobs have one turn
	again    []Turn          // to be offered once more
	failures int
	dirty    bool          // progress since the last checkpoint
	saving   bool          // a checkpoint is on its way
	mourning int           // deaths on their way to the store
	kept     int           // pieces of the checkpoint that are durable
	sent     int           // those that will be with the one on its way
	sending  time.Duration // the job's CPU as the checkpoint on its way has it
	booked   spent
	found    []fairfactor.Factor // room for those of the first turn, from a job before
	given    *given              // nil unless primes of the number were known before
	divisors []string            // of the number that were known before and are not proven to be prime
	was      fairfactor.State    // before it ended, as everybody sees it until that is durable
	from     string              // the caller that has the missing pieces of the checkpoint, empty for the store
	left     *Left               // of a job that is ending
	memory   int64               // bytes that were granted
	starved  bool                // it waits for memory
	deadly   *fairfactor.Deadly  // its number, so it is about to end; nil for nearly all
}

// spent is what a job's finished turns used, as far as its caller's stored
// account has it.
type spent struct {
	cpu   time.Duration
	turns uint64
}

// Backlog is one caller's queue. It is not safe for concurrent use.
type Backlog struct {
	cfg    Config
	number uint64 // of the caller

	window []entry // ascending order
	room   []entry // that the window is a part of, to its end
	burst  int     // least entries of the next room
	tail   uint64  // order of the last job that was in the window
	more   bool    // the store has jobs beyond the window
	paging bool    // a page was asked for
	missed bool    // a job was accepted behind the window since then
	// durable is the order up to which the store has all jobs that it accepted;
	// late are those beyond the window that it does not have yet.
	durable uint64
	late    int
	// expelled are the orders beyond tail of jobs that were cancelled while they
	// were in the store only: a page that was read before that was durable still
	// has them, and the news that they were accepted may be on its way.
	expelled map[uint64]bool

	open        map[uint64]*open // by sequence number
	parking     parking
	ending      map[uint64]*open // those that have come to their end, which is not durable yet
	over        []*open          // whose end is durable, see [Backlog.Reuse]
	decoder     decoder
	light, hard []*open           // those with a machine, by class, each in rotation
	outstanding int               // offered turns of open jobs
	offers      uint64            // turns that were ever offered
	flip        bool              // whose turn it is: long jobs or the queue
	flop        bool              // of the long jobs: the hard or the light ones
	loading     bool              // a piece of a checkpoint was asked for
	died        map[uint64][]Died // of jobs that are not in memory, by sequence number
	found       []Died            // of jobs that are by now
	doomed      []uint64          // jobs whose numbers are deadly, see [Backlog.Condemned]
	vain        Vain              // not taken yet
}

// New returns the backlog of a caller as its claim says it is.
func New(cfg Config, claim fairfactor.Claim) *Backlog {
	return &Backlog{
		cfg: cfg, number: claim.Number, more: claim.Caller.Queued > 0, durable: claim.Last,
		open: map[uint64]*open{}, ending: map[uint64]*open{},
	}
}

// Admit takes a job that is on its way to the store, and reports whether its place
// is in the window, so that it can begin at once. One that is refused comes in with
// [Backlog.Accept] when it is durable, and until then those that follow it are
// refused too: jobs come in order. Each job that was admitted or refused ends up in
// either Accept or [Backlog.Drop].
func (b *Backlog) Admit(j *fairfactor.Job) bool {
	if b.late > 0 || b.more || b.paging || len(b.window) >= 2*Page {
		b.Defer()
		return false
	}
	b.push(entryOf(j))
	return true
}

// Defer is Admit for a job that must not begin before it is durable: it is refused.
func (b *Backlog) Defer() { b.late++ }

// Accept says that a job is durable. Jobs become durable in order.
func (b *Backlog) Accept(j *fairfactor.Job, admitted bool) {
	b.durable = max(b.durable, j.Order)
	if admitted {
		return
	}
	b.late--
	switch {
	case j.Order <= b.tail || b.isExpelled(j.Order): // a page brought it already, or it was cancelled
	case b.more || b.paging || len(b.window) >= 2*Page:
		b.more, b.missed = true, true
	default:
		b.push(entryOf(j))
	}
}

// Drop forgets a job that did not become durable, whatever became of its turns.
// withdraw says that the scheduler holds some of them.
func (b *Backlog) Drop(j *fairfactor.Job, admitted bool) (withdraw bool) {
	if !admitted {
		b.late--
		return false
	}
	seq := j.ID.Seq
	delete(b.ending, seq)
	delete(b.parking.jobs, seq)
	if o := b.open[seq]; o != nil {
		withdraw = len(o.offered) > 0
		b.outstanding -= len(o.offered)
		b.dropLong(o)
		b.releaseMemory(o)
		delete(b.open, seq)
		return withdraw
	}
	b.window = slices.DeleteFunc(b.window, func(e entry) bool { return e.seq == seq })
	return false
}

func (b *Backlog) push(e entry) {
	if len(b.window) == cap(b.window) {
		b.makeRoom()
	}
	b.window = append(b.window, e)
	b.tail = e.order
	if b.died != nil {
		b.find(e.seq)
	}
	if len(b.expelled) > 0 {
		maps.DeleteFunc(b.expelled, func(order uint64, _ bool) bool { return order <= b.tail })
	}
}

// fullRoom is the room of a full window: a part of it is free, so that the window moves
// through it and is not copied for each job that comes.
const fullRoom = 2*Page + Page/2

// makeRoom gives the window more room behind its end: what became free before it if that
// is enough, or twice as much.
func (b *Backlog) makeRoom() {
	old, free := b.room, len(b.room)-len(b.window)
	enough := len(b.window)
	if len(old) >= fullRoom {
		enough = Page / 4
	}
	if free > 0 && free >= enough {
		n := copy(b.room, b.window)
		clear(b.room[n:])
		b.window = b.room[:n]
		return
	}
	size := max(1, 2*len(old), b.burst)
	if len(b.window) < fullRoom {
		size = min(size, fullRoom)
	}
	b.room = make([]entry, size)
	b.window = b.room[:copy(b.room, b.window)]
}

// leaveRoom drops the room of an empty window, unless it is small. The next burst of
// jobs begins with half of it.
func (b *Backlog) leaveRoom() {
	if len(b.room) > roomy {
		b.burst = len(b.room) / 2
		b.window, b.room = nil, nil
	}
}

func entryOf(j *fairfactor.Job) entry {
	e := entry{
		seq: j.ID.Seq, order: j.Order, nonce: j.ID.Nonce, number: j.Number, key: j.Key,
		submitted: j.Submitted.UnixMicro(), attempts: int32(j.Attempts), deadline: microsOf(j.Deadline), wants: wantsOf(j), deaths: j.Deaths,
	}
	if len(j.Factors) > 0 || len(j.Curves) > 0 { // what is known already
		e.saved = &saved{job: *j}
	}
	return e
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
		if w.Job.Order <= b.tail || b.isExpelled(w.Job.Order) {
			continue
		}
		e := entryOf(&w.Job)
		if w.Job.Turns > 0 || len(w.Checkpoint) > 0 || len(w.Job.Factors) > 0 || len(w.Job.Curves) > 0 {
			e.saved = &saved{job: w.Job, checkpoint: w.Checkpoint}
		}
		b.push(e)
	}
	b.forgetExpelled()
}

// Paging reports whether a page was asked for and has not arrived.
func (b *Backlog) Paging() bool { return b.paging }

// Unpaged says that the page could not be read; it will be asked for again.
func (b *Backlog) Unpaged() { b.paging = false }

// More reports whether [Backlog.Next] may have turns to give, now or after a
// page was read.
func (b *Backlog) More() bool {
	if len(b.window) > 0 || b.more || b.paging || len(b.parking.ready)+len(b.parking.stalled) > 0 {
		return true
	}
	for o := range b.longs() {
		if o.mourning == 0 && (len(o.again) > 0 || o.machine != nil && !o.machine.Done() && b.afford(o)) {
			return true
		}
	}
	return false
}

// Offered appends all turns that were offered and have not ended, in the order
// of their jobs, for a scheduler that may not know of them. Jobs whose numbers have become
// deadly are left out, and end with [Backlog.Condemned].
func (b *Backlog) Offered(turns []Turn) []Turn {
	first := len(turns)
	for seq, o := range b.open {
		if len(o.offered) == 0 || o.deadly != nil {
			continue
		}
		if d := b.deadly(o.job.Number, seq, o.job.Order); d != nil {
			b.condemn(o, d)
			continue
		}
		turns = append(turns, o.offered...)
	}
	slices.Sort(b.doomed)
	order := func(t *Turn) uint64 { return b.open[t.ID.Seq].job.Order }
	slices.SortFunc(turns[first:], func(s, t Turn) int {
		return cmp.Or(cmp.Compare(order(&s), order(&t)), cmp.Compare(s.Turn, t.Turn))
	})
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

// Waits is since when the job at the head of the queue waits, zero if none does.
func (b *Backlog) Waits() time.Time {
	if len(b.window) == 0 {
		return time.Time{}
	}
	return time.UnixMicro(b.window[0].submitted)
}

// Long reports whether jobs are open that more than one turn works on.
func (b *Backlog) Long() bool { return len(b.light)+len(b.hard) > 0 }

// Resting reports whether all that is in memory is in the store too. That jobs were
// expelled need not be remembered then: their ends are durable, and no page is on its
// way that still has them.
func (b *Backlog) Resting() bool {
	return len(b.open) == 0 && len(b.ending) == 0 && len(b.parking.jobs) == 0 && b.late == 0 && !b.paging && !b.loading
}

// Empty reports whether there is nothing left to do or to make durable.
func (b *Backlog) Empty() bool {
	return len(b.window) == 0 && !b.more && !b.paging && len(b.open) == 0 && len(b.ending) == 0 && len(b.parking.jobs) == 0
}
