package caller

import (
	"cmp"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"fairfactor"
	"fairfactor/actors/backlog"
	"fairfactor/actors/share"
)

// Config is what a caller is told once.
type Config struct {
	Name     string
	MaxQueue uint64        // unfinished jobs
	MaxCPU   time.Duration // of a job; zero is no limit
	Idle     func() time.Duration
	Retry    time.Duration // pause before something that failed is tried again
	Hold     time.Duration // that an acceptance may wait for the end of its job, so that both are one write
	Learns   bool          // what took long is made known to all callers
	// MaxDeaths is how many processes may die with a job before it is quarantined, zero for
	// no limit; Died are deaths that are known before the activation begins.
	MaxDeaths int
	Died      []Died
	Deadly    *Deadlies            // nil for no such numbers
	Grace     func() time.Duration // that a job waits after a death
	Counters  *Counters
	Room      *Room
	// Ended is told of each job with a trace whose end has become durable, nil for nothing.
	Ended func(job *fairfactor.Job, durable time.Time)
	// Memory returns what the jobs of a group or caller hold, nil for no limit.
	Memory func(share string) Memory
}

// Memory is what long jobs hold, until it is closed.
type Memory interface {
	backlog.Memory
	Close()
}

// Room bounds the jobs of all callers of a node that are on their way to the store.
type Room struct {
	Limit int64
	taken atomic.Int64
}

// Bounds.
const (
	maxStash   = 10_000 // messages that wait for the claim
	MaxWaiters = 10_000 // long polls on the caller's jobs
	// checkpointEvery is how often the progress of long jobs is saved: what a crash
	// costs at most.
	checkpointEvery = 10 * time.Second
	// progressEvery is how often the host is shown what long jobs are doing.
	progressEvery = 250 * time.Millisecond
)

// Caller is one activation. It is not safe for concurrent use.
type Caller struct {
	host  Host
	cfg   Config
	steps Steps

	claiming  bool
	claim     fairfactor.Claim
	claimedAt time.Time
	backlog   *backlog.Backlog // nil until the claim is there
	stash     []stashed        // messages that came before
	stopped   bool             // nothing may be written any more
	parted    bool             // Stop has counted what CPU was not on its way to the store

	last    uint64 // highest sequence or order number given
	visits  int    // submissions that came
	queued  uint64 // unfinished jobs, those on their way to the store included
	load    load   // these, by size
	weight  int
	group   string
	paused  bool              // it gets no turns
	wary    bool              // a job killed its process before it was durable: none begins before that
	graces  []grace           // jobs that wait after a death, the first one first
	aside   []*numberShare    // those of a caller that is paused
	accepts []*step           // acceptances without a result, by sequence number
	keys    map[string]*keyed // idempotency keys whose jobs are not durable
	repeats repeats
	waiters map[uint64][]waiter // long polls, by sequence number
	waiting int                 // of them
	reads   int                 // under way
	// overtaken are those who wanted to cancel a job that has ended, by sequence
	// number: they hear of that when it is durable.
	overtaken map[uint64][]Asker
	again     []*step   // ends of jobs that the store could not take yet
	failure   error     // why the last of them
	retryAt   time.Time // when that, or a read that failed, is tried again
	results   []*step   // likewise, see Steps.results
	settled   int       // of these, how many Written has come to
	offers    offers
	turns     []backlog.Turn // room for those of an offer
	unpaged   bool           // a page could not be read
	unloaded  bool           // a piece of a checkpoint could not be read
	idle      time.Time      // since when there was nothing to do
	saved     time.Time      // last checkpoint
	savers    []Asker        // those who wait until everything is saved
	leaving   bool           // it is about to move: no more turns are offered
	hurried   bool           // saving waits for no turns
	shown     time.Time      // last Progress
	showing   bool           // it was not empty
	advanced  bool           // long jobs have moved since
	deadline  time.Time      // not after the first of the jobs in memory, zero if none has one
	// What the caller owes the scheduler for jobs that no turn was run for: each of
	// those that ended with what was known a quantum, and its part in what others ran.
	recalled  int
	charge    time.Duration
	shares    map[string]*numberShare // by number
	parked    []backlog.ParkedJob     // in no share yet
	divisors  divisors
	activated time.Time
	left      map[string]*leftWork // by number

	memory Memory // nil for no limit

	bounding // what the caller has left of its own bounds
}

// stashed is a message that waits for the claim.
type stashed struct {
	asker   Asker
	message any
}

// waiter is who waits for a job to end.
type waiter struct {
	asker    Asker
	deadline time.Time
}

// New returns an activation that has not claimed its epoch.
func New(host Host, cfg Config) *Caller {
	now := host.Now()
	return &Caller{host: host, cfg: cfg, idle: now, activated: now}
}

// Name is the caller's.
func (c *Caller) Name() string { return c.cfg.Name }

// Number is the number that the store gave the caller, zero before the claim.
func (c *Caller) Number() uint64 { return c.claim.Number }

// Epoch is that of the activation, zero before the claim.
func (c *Caller) Epoch() uint64 { return c.claim.Epoch }

// Stopped reports whether the activation was fenced, or stopped.
func (c *Caller) Stopped() bool { return c.stopped }

// Pending prints what is on its way to the store, a line for each step.
func (c *Caller) Pending() []string { return c.steps.Pending() }

// start claims an epoch; group is that of a caller that is new.
func (c *Caller) start(group string, wait time.Duration) {
	c.claiming = true
	c.read(Read{Kind: ReadClaim, Group: group, Wait: wait})
}

// Done brings the results of a read, which is used again.
func (c *Caller) Done(r *Read) {
	c.reads--
	switch r.Kind {
	case ReadClaim:
		c.claimed(r)
	case ReadPage:
		c.paged(r)
	case ReadPiece:
		c.pieceRead(r)
	case ReadKeys:
		c.keysRead(r)
	case ReadJob:
		c.jobRead(r)
	case ReadJobs:
		c.manyRead(r)
	case ReadEarlier:
		c.earlierRead(r)
	case ReadKnown:
		c.knownRead(r)
	case ReadLeft:
		c.leftRead(r)
	}
	*r = Read{}
	spareReads.Put(r)
}

func (c *Caller) claimed(r *Read) {
	c.claiming = false
	if c.stopped {
		return
	}
	stash := c.stash
	c.stash = nil
	if fairfactor.CodeOf(r.Err) == fairfactor.Limit { // there is no room for a new caller
		c.cfg.Counters.Refused.Add(uint64(len(stash)))
		for _, s := range stash {
			c.answer(s.asker, r.Err)
		}
		c.stopped = true // with nothing to wait for: the next message may find room
		return
	}
	if r.Err != nil {
		c.host.Log().Error("a caller's epoch can't be claimed, trying again", "err", r.Err)
		for _, s := range stash {
			c.answer(s.asker, r.Err)
		}
		c.start(r.Group, c.cfg.Retry)
		return
	}
	now := c.host.Now()
	c.claim, c.claimedAt = r.Claim, now
	c.last, c.queued = r.Claim.Last, r.Claim.Caller.Queued
	c.weight, c.group, c.paused = max(r.Claim.Caller.Weight, 1), r.Claim.Caller.Group, r.Claim.Caller.Paused
	c.allow(r.Claim.Caller.Bounds)
	c.steps.host, c.steps.caller, c.steps.number, c.steps.epoch = c.host, c.cfg.Name, r.Claim.Number, r.Claim.Epoch
	c.steps.hold, c.steps.learns = c.cfg.Hold, c.cfg.Learns
	cfg := backlog.Config{Caller: c.cfg.Name, MaxCPU: c.cfg.MaxCPU, MaxDeaths: c.cfg.MaxDeaths, Places: &sparePlaces}
	if c.cfg.Learns {
		cfg.Share = ShareDigits
	}
	if c.cfg.Deadly != nil {
		cfg.Deadly = c.deadly
	}
	if c.cfg.Memory != nil {
		c.memory = c.cfg.Memory(cmp.Or(c.group, c.cfg.Name))
		cfg.Memory = c.memory
	}
	c.backlog = backlog.New(cfg, r.Claim)
	c.load.begin(r.Claim)
	for _, d := range c.cfg.Died {
		c.wary = true
		c.backlog.Remember(backlog.Died{Seq: d.ID.Seq, Nonce: d.ID.Nonce, Process: d.Process})
	}
	c.idle, c.saved = now, now
	c.offers.heard = now
	for _, s := range stash {
		c.Receive(s.asker, s.message)
	}
}

// Receive handles a message: [*Submit], [Look], [Await], [Cancel], [Expire], [Retry], [*Many], [Died], [Save],
// [Weigh], [Regroup], [Pause], [AskAccount], [AskLeft], [Pull], [*Outcomes], which it does not keep, [Began] or
// [share.Shared]. It reports whether it knows the message.
func (c *Caller) Receive(asker Asker, message any) bool {
	if c.backlog == nil {
		c.keep(asker, message)
		return true
	}
	switch m := message.(type) {
	case *Submit:
		c.Submit(asker, m)
	case *Outcomes:
		c.outcomes(m)
	case Began:
		c.began(m)
	case share.Shared:
		c.shared(m)
	case Pull:
		c.pulled(m)
	case Look:
		c.look(asker, m)
	case Await:
		c.await(asker, m)
	case Cancel:
		c.cancel(asker, m.ID)
	case Retry:
		c.retry(asker, m.ID)
	case Expire:
		c.expire(asker, m.ID)
	case Died:
		c.died(asker, m)
	case Save:
		c.save(asker)
	case Weigh:
		c.change(asker, step{op: fairfactor.Weigh, weight: m.Weight})
	case Regroup:
		c.change(asker, step{op: fairfactor.Regroup, group: m.Group})
	case *Many:
		c.read(Read{Kind: ReadJobs, Many: m, asker: asker})
	case Pause:
		c.change(asker, step{op: fairfactor.Pause, paused: m.Paused})
	case Bound:
		c.bound(asker, m)
	case AskAccount:
		c.account(asker)
	case AskLeft:
		c.askLeft(asker, m)
	default:
		return false
	}
	return true
}

// keep puts a message aside until the claim is there, which the first one asks for.
func (c *Caller) keep(asker Asker, message any) {
	if c.stopped {
		c.answer(asker, ErrMoved)
		return
	}
	if !c.claiming {
		group := ""
		if m, ok := message.(*Submit); ok {
			group = m.Group
		}
		c.start(group, 0)
	}
	if _, ok := message.(*Outcomes); ok {
		return // of turns that an earlier activation offered
	}
	if len(c.stash) >= maxStash {
		c.answer(asker, fairfactor.Errorf(fairfactor.Unavailable, "the caller's queue is being loaded: try again"))
		return
	}
	c.stash = append(c.stash, stashed{asker, message})
}

func (c *Caller) answer(to Asker, answer any) {
	switch to := to.(type) {
	case nil:
	case *tally:
		c.count(to, answer)
	default:
		c.host.Answer(to, answer)
	}
}

// Flush looks after steps, offers and pages once all waiting messages are in.
func (c *Caller) Flush() {
	if c.backlog == nil || c.stopped {
		return
	}
	c.expireDue()
	c.readPage()
	c.mourn()
	c.offer()
	c.refuseLarge()
	c.park()
	c.steps.ready()
	c.readPage()
	if w, ok := c.backlog.NeedPiece(); ok {
		c.read(Read{Kind: ReadPiece, Order: w.Order, Number: w.Piece, From: w.From, Digits: w.Number})
	}
	c.show(false)
}

// refuseLarge ends jobs that need more memory than there is for one.
func (c *Caller) refuseLarge() {
	for c.backlog.Long() {
		job, withdraw := c.backlog.TooLarge(c.host.Now().UTC().Truncate(time.Microsecond))
		if job == nil {
			return
		}
		if withdraw {
			c.host.Withdraw(job.ID.Seq)
		}
		c.end(job, nil)
	}
}

// readPage reads the next page of the queue if the backlog wants it.
func (c *Caller) readPage() {
	if after, ok := c.backlog.NeedPage(); ok {
		c.read(Read{Kind: ReadPage, After: after})
	}
}

func (c *Caller) read(what Read) {
	r := spareReads.Get().(*Read)
	*r = what
	c.reads++
	c.host.Read(r)
}

// spareReads are reads whose results were taken in.
var spareReads = sync.Pool{New: func() any { return new(Read) }}

// sparePages are pages that were taken in, sparePlaces those of jobs that have ended.
var sparePages, sparePlaces sync.Pool

// SparePage is room for [Read.Page], or nil.
func SparePage() []fairfactor.Waiting {
	if page, ok := sparePages.Get().(*[]fairfactor.Waiting); ok {
		return *page
	}
	return nil
}

func freePage(page []fairfactor.Waiting) {
	clear(page)
	page = page[:0]
	sparePages.Put(&page)
}

func (c *Caller) paged(r *Read) {
	switch {
	case r.Err == nil:
		c.load.page(r.Page)
		c.backlog.Paged(r.Page)
		for i := range r.Page {
			c.expect(r.Page[i].Job.Deadline)
		}
		freePage(r.Page)
	case !c.stopped:
		c.host.Log().Error("a page of the backlog can't be read, trying again", "err", r.Err)
		c.unpaged = true
		c.retryLater()
	}
}

// retryLater has what failed tried again soon.
func (c *Caller) retryLater() { c.retryAt = c.host.Now().Add(c.cfg.Retry) }

func (c *Caller) pieceRead(r *Read) {
	switch {
	case c.stopped:
	case r.From != "" && r.Err != nil:
		c.backlog.Forsaken(r.Order)
	case fairfactor.CodeOf(r.Err) == fairfactor.Unavailable:
		c.host.Log().Error("a piece of a checkpoint can't be read, trying again", "err", r.Err)
		c.unloaded = true
		c.retryLater()
	default: // one that is lost or damaged costs the work in it
		if lost := c.backlog.Loaded(r.Order, r.Number, r.Piece); lost != nil || r.Err != nil {
			c.host.Log().Error("a piece of a checkpoint is lost", "order", r.Order, "piece", r.Number, "err", errors.Join(r.Err, lost))
		}
	}
}

// Stop answers all that wait. What a group has is answered when its results are
// there: Done and Written are to be called until then.
func (c *Caller) Stop() {
	if !c.stopped && c.backlog != nil && c.queued > 0 && !c.paused && !c.offers.more {
		// The scheduler asks for the rest, which activates the caller again.
		c.tell(Offer{Group: c.group, Epoch: c.claim.Epoch, Weight: c.weight, More: true, Oldest: c.backlog.Waits()})
	}
	c.stopped = true
	c.accepts = nil // no end joins an acceptance any more
	for _, s := range c.stash {
		c.answer(s.asker, ErrMoved)
	}
	c.stash = nil
	if c.settled < len(c.results) { // one of them panicked
		c.Written()
	}
	for _, p := range append(c.steps.close(), c.again...) {
		p.err = ErrMoved
		c.settle(p)
	}
	c.again = nil
	if c.backlog != nil { // nil before the caller is claimed
		c.cfg.Counters.Unsaved.Add(int64(c.backlog.Unsent()))
		c.parted = true
	}
	for seq := range c.overtaken {
		c.overtake(seq, ErrMoved)
	}
	c.sendWaitersAway()
	c.sendSaversAway()
	if c.memory != nil {
		c.memory.Close()
	}
	if c.showing {
		c.host.Progress(nil, 0, 0)
	}
}

// fenced ends this activation: a newer one owns the caller.
func (c *Caller) fenced() {
	if !c.stopped {
		c.stopped = true
		c.cfg.Counters.Fenced.Add(1)
		c.host.Log().Warn("a newer activation of this caller exists, stopping", "epoch", c.claim.Epoch)
	}
}
