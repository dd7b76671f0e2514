// Package dispatch is the scheduler as a pure state machine: offers, heartbeats
// and ended turns go in, turns for workers and questions to callers come out.
//
// It keeps, for each caller, a small window of turns that were offered; which
// caller is next is up to package fair. It keeps, for each worker, how much it
// has in hand, and gives it no more than a few milliseconds in advance: so short
// turns hide the network and long ones never queue behind one another. A turn
// that a worker lost goes back to the front of its own caller.
//
// A caller with work that has no turns here is dormant: it has its place in the
// line, costs about 200 bytes, and is asked for turns shortly before they are
// due. So a million callers may have work, but only those that are due need an
// active actor.
//
// The machine has no I/O, clock, goroutine or lock: time comes in with each
// event. It is owned by the scheduler actor. What it holds is a cache: callers
// and workers can tell it everything again. Start reading at [Machine.Dispatch].
package dispatch

import (
	"time"

	"fairfactor/actors/fair"
)

// Defaults of [Config].
const (
	DefaultQuantum = 100 * time.Microsecond
	// Credit is predicted work that a worker's slot may hold beyond the turn it
	// runs: some 30 times a network round trip on one machine.
	Credit = 3 * time.Millisecond
	// Express is the part of Credit that a long turn, one above Credit, leaves for others: a
	// worker runs these next to the long turns of its slots, so they need not wait for one to end.
	// That of two slots has room for any short turn.
	Express = Credit / 2
	// Prefetch is the most turns that a slot may hold.
	Prefetch = 64
	// Window is the most turns of one caller that are held here.
	Window = 256
	// Cache is the number of turns that all windows together aim for.
	Cache = 16384
	// Crowd is the number of turns for each one of a caller above which it
	// becomes dormant when its window is empty, instead of being asked for more at
	// once: its share of Cache is less than 16 turns. Without groups and weights it
	// is the number of callers in line.
	Crowd = Cache / 16
	// LongestTurn is the bound on a turn's CPU that callers promise.
	LongestTurn = 100 * time.Millisecond
	// Slack is how far ahead callers still go round robin with the others, see
	// [fair.New]: two turns of a usual long job. Measured with jobs of 1.6 ms, on
	// two busy cores: 359 of 7,526 turns out of the round with 10 ms, none with 40.
	Slack = 40 * time.Millisecond
	// Ahead is the predicted work for each slot that a window aims for, so that
	// long turns of one job do not queue here before short ones of another: five
	// turns of a usual long job, some ten times the round trip of a busy machine.
	Ahead = 100 * time.Millisecond
	// Silence is how long an offer that was asked for may take before the caller
	// loses its place. After half of it the caller is asked again, and once it
	// is silent every two of it, for as long as it said that it has more.
	Silence = 2 * time.Second
	// Lost is how long a worker may be silent, or not know of a turn that it was
	// given, before the turn is handed out again.
	Lost = 3 * time.Second
	// Shy is how long a scheduler that took over gives its own worker nothing while there
	// are others. The scheduler before it may have died of a turn on its own member, and nothing
	// is known of that: if it happens again, this one lives to tell.
	Shy = 5 * time.Second
	// Gap is what each later activation leaves free in the dispatch order, for
	// turns that those before it handed out and that no stored job tells of. A
	// job's dispatch number is stored with its end, so what counts is how many
	// turns long jobs may take while none ends: some days of a big cluster.
	Gap = 100_000_000
)

// Config sets up a machine.
type Config struct {
	Quantum    time.Duration // least that a turn is charged; zero is the default
	Epoch      uint64        // of this activation of the scheduler, from 1
	Dispatched uint64        // the last dispatch number that is known to be given
	Self       string        // the worker of the scheduler's own member, empty if it has none
	Members    int           // that live, as far as is known
	// Number returns the number of the job that a turn with such a body is of. Nil, or an empty
	// number, is one that is never in doubt, see [Machine.Doubt].
	Number func(body any) string
	// Deadly reports whether jobs for a number are known to be quarantined. Nil says that no number is.
	Deadly func(number string) bool
}

// Key names a turn.
type Key struct {
	Caller string
	Epoch  uint64 // of the caller's activation that offered it
	Seq    uint64 // of the job
	Turn   uint64 // within the job
}

// Turn is one turn as the machine sees it.
type Turn struct {
	Key
	Nonce      uint64 // of the job's id
	Predict    time.Duration
	Suspect    bool   // the job may have killed a worker: a caller offers one turn of it at a time
	Mourned    string // the worker whose death with the job its caller counted, and was told of last; empty for none
	Dispatched uint64 // its number in the dispatch order, set when it is handed out
	Body       any    // the shell's, not looked at
	Waits      int64  // since when the job waits, in microseconds since 1970; zero once it has begun
}

// Offer is what a caller says of its work.
type Offer struct {
	Caller string
	Group  string // the caller is its own group if empty; another one than before moves it
	Home   string // the member on which the caller's actor runs; may be empty
	Epoch  uint64 // of the caller's activation; offers of an older one are ignored
	Weight int
	Turns  []Turn // behind those offered before; not kept
	More   bool   // there are others
	Again  bool   // some turns may be here already: these are left out
	// Charge is what the caller owes for work that no turn of it was run for, and Known
	// how many jobs ended without a turn: each costs a quantum.
	Charge time.Duration
	Known  int
	// Jobs, Work and Oldest say how much the caller has to do, see [Report]. Oldest is that of a
	// job that was not offered yet, zero if all were.
	Jobs   uint64
	Work   time.Duration
	Oldest int64
}

// Run gives turns to a worker, in order.
type Run struct {
	Worker string
	Turns  []Turn
}

// Pull asks a caller for turns.
type Pull struct {
	Caller string
	Want   int
	Claim  uint64 // the latest epoch of its activations that has offered turns
}

// Halt asks a worker to stop a turn.
type Halt struct {
	Worker     string
	Dispatched uint64 // the turn's number
}

// worker is what the machine knows of one worker.
type worker struct {
	name     string
	slots    int
	open     []*handed
	load     time.Duration // predicted, see [loadOf]
	heard    time.Duration
	suspects int  // turns of suspects among those open
	long     int  // long turns among those open
	atFull   int  // index in Machine.full, from 1; zero if it is not there
	shy      bool // it gets no turns, see [Shy]
	joined   bool // it is, or was, among the living
	run      int  // index in the runs of a Dispatch, from 1

	room    float64 // see [worker.hasRoom]; of the last change
	atRoom  int     // index in the heap of [rooms]
	inRooms bool
}

// handed is a turn in a worker's hands.
type handed struct {
	Turn
	worker   *worker
	caller   *caller
	ofWorker int // index in worker.open
	ofCaller int // index in work.open
	bill     fair.Bill
	load     time.Duration // see [loadOf]
	long     bool          // predicted to take more than [Credit]
	at       time.Duration
	dropped  bool // its outcome would be ignored
}

// Machine is the scheduler. It is not safe for concurrent use.
type Machine struct {
	quantum    time.Duration
	epoch      uint64
	dispatched uint64 // the last number given
	ring       *fair.Ring
	callers    map[string]*caller
	groups     map[string]*fair.Group
	weights    map[string]int     // of groups that have another than 1
	workers    []*worker          // by name
	rooms      rooms              // of the workers
	slots      int                // of all workers
	open       map[uint64]*handed // by dispatch number
	estimate   estimates
	mean       float64 // CPU of a turn lately, in nanoseconds, exponentially weighted
	waiting    int     // turns in all windows
	crowd      int     // see [Crowd]
	unread     uint64  // jobs of callers that were not told of yet
	unheard    int     // callers known from the store that were never asked
	idle       int     // callers without work, not forgotten yet

	pulling   []*caller      // to be asked for turns
	unanswer  queue[asked]   // to be asked again after half of Silence
	unheeded  queue[asked]   // to be taken for silent
	silent    queue[asked]   // to be asked again once silent
	retired   queue[*caller] // to be forgotten when they would come back like new ones
	abandoned queue[*fair.Group]
	lags      lags
	load      totals
	debts     map[*caller]time.Duration // that were not charged yet, see [Machine.pay]

	self    string           // the scheduler's own worker
	members int              // that live
	living  []string         // their names, nil until they are known
	shy     bool             // until Shy is over: the scheduler's own worker gets no turns
	deaths  []Death          // that callers are to be told
	mourned map[jobKey]Death // that their callers have not said to be counted
	asides  []*caller        // that have suspects set aside
	blocked []*caller        // whose turns wait for a slot while others go by, see [Machine.block]
	full    []*worker        // that have long turns in all slots
	probe   int              // index in full where [Machine.passing] looks first

	numberOf func(body any) string
	deadly   func(number string) bool
	doubts   map[string]*doubt // by number

	runs        []Run     // the last Dispatch's, reused
	running     []*worker // of the runs
	pulls       []Pull
	spareWork   []*work
	spareHanded []*handed
	spareHas    map[uint64]bool
	spareKnown  map[Key]*handed
}

// New returns a machine that knows no caller yet.
func New(cfg Config) *Machine {
	if cfg.Quantum <= 0 {
		cfg.Quantum = DefaultQuantum
	}
	return &Machine{
		quantum:    cfg.Quantum,
		epoch:      cfg.Epoch,
		dispatched: cfg.Dispatched + (max(cfg.Epoch, 1)-1)*Gap,
		ring:       fair.New(cfg.Quantum, Slack),
		callers:    map[string]*caller{},
		groups:     map[string]*fair.Group{},
		weights:    map[string]int{},
		open:       map[uint64]*handed{},
		estimate:   estimates{},
		mean:       float64(firstMean),
		crowd:      Crowd,
		debts:      map[*caller]time.Duration{},
		self:       cfg.Self,
		members:    cfg.Members,
		mourned:    map[jobKey]Death{},
		numberOf:   cfg.Number,
		deadly:     cfg.Deadly,
		doubts:     map[string]*doubt{},
		spareHas:   map[uint64]bool{},
		spareKnown: map[Key]*handed{},
	}
}
