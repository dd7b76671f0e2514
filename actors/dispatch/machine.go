// Package dispatch is the scheduler as a pure state machine: offers, heartbeats
// and ended turns go in, hand-outs come out.
//
// It keeps, for each caller, a small window of turns that were offered; which
// caller is next is up to package fair. It keeps, for each worker, how much it
// has in hand, and gives it no more than a few milliseconds in advance: so short
// turns hide the network and long ones never queue behind one another. A turn
// that a worker lost goes back to the front of its own caller.
//
// The machine has no I/O, clock, goroutine or lock: time comes in with each
// event. It is owned by the scheduler actor. What it holds is a cache: callers
// and workers can tell it everything again. Start reading at [Machine.Dispatch].
package dispatch

import (
	"slices"
	"time"

	"fairfactor/actors/fair"
)

// Defaults of [Config].
const (
	DefaultQuantum = 100 * time.Microsecond
	// Credit is predicted work that a worker's slot may hold beyond the turn it
	// runs: some 30 times a network round trip on one machine.
	Credit = 3 * time.Millisecond
	// Prefetch is the most turns that a slot may hold.
	Prefetch = 64
	// Window is the most turns of one caller that are held here.
	Window = 256
	// Cache is the number of turns that all windows together aim for.
	Cache = 16384
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
	// Gap is what each later activation leaves free in the dispatch order, for
	// turns that those before it handed out and that no stored job tells of. A
	// job's place is stored with its end, so what counts is how many turns long
	// jobs may take while none ends: some days of a big cluster.
	Gap = 100_000_000
)

// Config sets up a machine.
type Config struct {
	Quantum time.Duration // least that a turn is charged; zero is the default
	Epoch   uint64        // of this activation of the scheduler, from 1
	Place   uint64        // the last place in the dispatch order that is known to be given
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
	Predict time.Duration
	Place   uint64 // set at the hand-out
	Body    any    // the shell's, not looked at
}

// Offer is what a caller says of its work.
type Offer struct {
	Caller string
	Epoch  uint64 // of the caller's activation; offers of an older one are ignored
	Weight int
	Turns  []Turn // behind those offered before
	More   bool   // there are others
	Again  bool   // some turns may be here already: these are left out
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
}

// Halt asks a worker to stop a turn.
type Halt struct {
	Worker string
	Place  uint64
}

// caller is what the machine knows of one caller.
type caller struct {
	fair     fair.Caller
	epoch    uint64        // of its newest activation
	window   []Turn        // offered, oldest first
	mean     time.Duration // predicted cost of the turns it offers, lately
	more     bool          // has turns beyond the window
	pulled   time.Duration
	asked    bool // an offer was asked for and has not arrived
	repeated bool // and was asked for again
	silent   bool // did not answer in time; until it offers again it counts as empty
	due      bool // in Machine.due
	watched  bool // in Machine.watched
	open     []*handed
}

// worker is what the machine knows of one worker.
type worker struct {
	name  string
	slots int
	open  []*handed
	load  time.Duration // predicted, each turn at most [Credit]
	heard time.Duration
	run   int // place in the runs of a Dispatch, from 1
}

// handed is a turn in a worker's hands.
type handed struct {
	Turn
	worker   *worker
	caller   *caller
	ofWorker int // place in worker.open
	ofCaller int // place in caller.open
	bill     fair.Bill
	load     time.Duration
	at       time.Duration
	dropped  bool // nobody waits for it
}

// Machine is the scheduler. It is not safe for concurrent use.
type Machine struct {
	quantum  time.Duration
	epoch    uint64
	place    uint64
	ring     *fair.Ring
	callers  map[string]*caller
	workers  []*worker          // by name
	slots    int                // of all workers
	open     map[uint64]*handed // by place
	estimate estimates
	waiting  int       // turns in all windows
	due      []*caller // to be asked for turns
	watched  []*caller // those to whom time does something
	account  account
}

// New returns a machine that knows nobody yet.
func New(cfg Config) *Machine {
	if cfg.Quantum <= 0 {
		cfg.Quantum = DefaultQuantum
	}
	return &Machine{
		quantum:  cfg.Quantum,
		epoch:    cfg.Epoch,
		place:    cfg.Place + (max(cfg.Epoch, 1)-1)*Gap,
		ring:     fair.New(cfg.Quantum, Slack),
		callers:  map[string]*caller{},
		open:     map[uint64]*handed{},
		estimate: estimates{},
	}
}

// Offer adds turns of a caller behind those it offered before; more says that
// it has others.
func (m *Machine) Offer(now time.Duration, o Offer) {
	c := m.caller(o.Caller)
	if o.Epoch < c.epoch {
		return
	}
	if o.Epoch > c.epoch {
		m.supersede(c, o.Epoch)
	}
	c.fair.Weight = max(o.Weight, 1)
	c.asked, c.silent, c.more = false, false, o.More
	var known map[Key]*handed
	if o.Again {
		known = c.known()
	}
	for _, t := range o.Turns {
		h, ok := known[t.Key]
		switch {
		case !ok:
			c.window = append(c.window, t)
			c.learn(t.Predict)
			m.waiting++
		case h != nil && h.Body == nil: // adopted: now it can be handed out again
			h.Body = t.Body
		}
	}
	if len(c.window) > 0 {
		m.ring.Join(&c.fair)
	}
	m.settleWindow(now, c)
}

// learn takes in what a caller predicts of its turns.
func (c *caller) learn(predict time.Duration) {
	predict = min(max(predict, 0), LongestTurn)
	if c.mean == 0 {
		c.mean = predict
	}
	c.mean += (predict - c.mean) / 8
}

// caller returns a caller, new if it has to be.
func (m *Machine) caller(name string) *caller {
	c := m.callers[name]
	if c == nil {
		c = &caller{fair: fair.Caller{Name: name, Weight: 1}}
		m.callers[name] = c
		m.watch(c)
	}
	return c
}

// supersede drops what earlier activations of a caller offered: the outcomes
// would be ignored.
func (m *Machine) supersede(c *caller, epoch uint64) {
	c.epoch = epoch
	m.keep(c, func(t Turn) bool { return t.Epoch >= epoch })
	for _, h := range c.open {
		h.dropped = h.dropped || h.Epoch < epoch
	}
}

// known lists the turns of a caller that the machine holds; those in its window
// have no entry of their own.
func (c *caller) known() map[Key]*handed {
	known := make(map[Key]*handed, len(c.window)+len(c.open))
	for _, t := range c.window {
		known[t.Key] = nil
	}
	for _, h := range c.open {
		if !h.dropped {
			known[h.Key] = h
		}
	}
	return known
}

// Withdraw forgets a job's turns and returns those that workers should stop.
func (m *Machine) Withdraw(now time.Duration, name string, seq uint64) (halts []Halt) {
	c := m.callers[name]
	if c == nil {
		return nil
	}
	m.keep(c, func(t Turn) bool { return t.Seq != seq })
	for _, h := range c.open {
		if h.Seq == seq && !h.dropped {
			h.dropped = true
			halts = append(halts, Halt{Worker: h.worker.name, Place: h.Place})
		}
	}
	m.settleWindow(now, c)
	return halts
}

// keep drops the turns of a window that are not wanted.
func (m *Machine) keep(c *caller, wanted func(Turn) bool) {
	before := len(c.window)
	c.window = slices.DeleteFunc(c.window, func(t Turn) bool { return !wanted(t) })
	m.waiting -= before - len(c.window)
}
