package sim

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// Options say what happens in a run. All of them follow from the seed; a run that
// failed is made smaller by leaving some of it out.
type Options struct {
	Seed      uint64
	Embedded  bool // one node with a disk of its own
	Nodes     int
	Workers   int // compute threads of a node
	Callers   int
	Clients   int
	Requests  int // of a client
	Queue     uint64
	Passivate time.Duration
	Hold      time.Duration
	Spoil     float64 // how often a turn goes wrong
	Long      float64 // how many numbers take many turns
	Hurry     bool    // clients do not think between requests
	Slow      int     // how many times longer turns take than they use the processor
	Changes   int     // how many requests of 100 are cancels, and as many retries
	Keyed     float64 // how many submissions have a key
	Sweeps    int     // how many requests of 100 are for all jobs of a caller
	Followers int     // who read what happens
	Visits    int     // submissions of a caller that is forgotten again and again
	Copies    int     // callers that submit a number which kills each process that runs it
	Faults    []Fault
}

// Fault is something that goes wrong, for a while.
type Fault struct {
	Kind     FaultKind
	At, For  time.Duration
	Node     int
	Other    int           // Cut: the second node
	OneWay   bool          // Cut: only from the first one to the second
	Jump     time.Duration // Clock: how far it is set
	Fraction float64       // Failing: of what the store is asked
}

// FaultKind is what goes wrong.
type FaultKind int

// Kinds of faults.
const (
	Crash   FaultKind = iota // the process is killed, and started again
	Pause                    // the process is stopped, and goes on
	Cut                      // two nodes can't reach each other
	Loose                    // a node can't reach the store
	Down                     // no node can
	Slow                     // the store is slow for a node
	Failing                  // the store refuses some of what it is asked
	Rough                    // messages are lost, doubled and reordered
	Clock                    // the clock of a node is set
	Busy                     // the processors of a node are taken by others
	Leave                    // the process ends in good order, and is started again
	Back                     // the store loses what it acknowledged in the last while
	kinds
)

var kindNames = [kinds]string{"crash", "pause", "cut", "loose", "down", "slow", "failing", "rough", "clock", "busy", "leave", "back"}

func (k FaultKind) String() string { return kindNames[k] }

func (f Fault) String() string {
	text := fmt.Sprintf("%v at %v for %v on node %d", f.Kind, f.At.Round(time.Millisecond), f.For.Round(time.Millisecond), f.Node)
	switch f.Kind {
	case Cut:
		text += fmt.Sprintf(" and %d, one way %v", f.Other, f.OneWay)
	case Clock:
		text += fmt.Sprintf(" by %v", f.Jump.Round(time.Millisecond))
	}
	return text
}

// plenty is a limit for queues that no run reaches.
const plenty = 1000

// faultsUntil is when the last fault has ended.
const faultsUntil = 25 * time.Second

// OptionsOf returns what happens in the run of a seed.
func OptionsOf(seed uint64) Options {
	rng := rand.New(rand.NewPCG(seed, 0x0b7))
	pick := func(of ...int) int { return of[rng.IntN(len(of))] }
	o := Options{
		Seed: seed, Nodes: pick(1, 2, 3, 3, 3, 4), Workers: pick(1, 2), Callers: pick(1, 2, 3), Clients: pick(2, 3, 4),
		Requests: pick(6, 8, 12), Queue: uint64(pick(3, plenty, plenty, plenty)), Passivate: time.Duration(pick(1, 10)) * time.Second,
		Hold: time.Duration(pick(0, 0, 2, 20)) * time.Millisecond, Hurry: rng.IntN(3) == 0,
	}
	if rng.IntN(4) == 0 {
		o.Embedded, o.Nodes = true, 1
	}
	if rng.IntN(3) == 0 {
		o.Spoil = 0.4
	}
	o.Long = []float64{0, 0, 0, 0, 0, 0, 0.1, 0.3}[rng.IntN(8)]
	o.Slow = pick(1, 1, 300, 20_000)
	o.Changes, o.Keyed = pick(6, 6, 18), []float64{0.1, 0.4, 0.4, 0.9}[rng.IntN(4)]
	o.Sweeps, o.Followers = pick(0, 0, 4, 12), pick(0, 1, 2)
	at, span := time.Duration(0), faultsUntil*3/5
	if rng.IntN(2) == 0 { // all at once
		at, span = time.Duration(rng.Int64N(int64(span-2*time.Second))), 2*time.Second
	}
	for range rng.IntN(9) {
		o.Faults = append(o.Faults, randomFault(rng, &o, at, span))
	}
	if o.Nodes > 1 && rng.IntN(5) == 0 {
		o.press(rng)
	}
	o.Visits = pick(0, 0, 8, 16)
	o.Copies = pick(0, 0, 0, 0, 0, 0, 0, 6)
	return o
}

// press has all clients want more than there is room for while nodes are paused, one after
// the other: for longer than gossip waits, and mostly for less than a lease.
func (o *Options) press(rng *rand.Rand) {
	o.Queue, o.Hurry, o.Callers, o.Clients, o.Slow = 3, true, 1, 4, 20_000
	for len(o.Faults) < 4 {
		o.Faults = append(o.Faults, randomFault(rng, o, 0, faultsUntil*3/5))
	}
	for i := range o.Faults {
		if f := &o.Faults[i]; f.Kind != Clock {
			f.Kind = Pause
			f.For = min(unheard-time.Second+time.Duration(rng.Int64N(int64(leaseTime)*3/5)), faultsUntil-f.At)
		}
	}
}

// randomFault is a fault that begins within a span.
func randomFault(rng *rand.Rand, o *Options, at, span time.Duration) Fault {
	f := Fault{Kind: FaultKind(rng.IntN(int(kinds))), At: at + time.Duration(rng.Int64N(int64(span))), Node: rng.IntN(o.Nodes)}
	if rng.IntN(2) == 0 {
		f.Kind = []FaultKind{Crash, Pause, Cut, Leave}[rng.IntN(4)]
	}
	longest := []time.Duration{100 * time.Millisecond, 3 * time.Second, 14 * time.Second}[rng.IntN(3)]
	f.For = min(time.Duration(rng.Int64N(int64(longest))), faultsUntil-f.At)
	if f.Other = f.Node; o.Nodes > 1 {
		f.Other = (f.Node + 1 + rng.IntN(o.Nodes-1)) % o.Nodes
	}
	f.OneWay = rng.IntN(4) == 0
	f.Jump = []time.Duration{time.Second, time.Minute, 25 * time.Hour}[rng.IntN(3)]
	if rng.IntN(2) == 0 {
		f.Jump = -f.Jump
	}
	if f.Kind == Back && (o.Embedded || rng.IntN(2) == 0) {
		f.Kind = Crash
	}
	f.Fraction = []float64{0.05, 0.5, 1}[rng.IntN(3)]
	return f
}

func (o *Options) groups() int {
	if o.Embedded {
		return 1
	}
	return 2
}

// crowd has callers that came once leave at once in runs where all leave early.
func (o *Options) crowd() int64 {
	if o.Passivate > time.Second {
		return 0
	}
	return -1
}

func (o *Options) maxQueue() uint64 { return o.Queue }

// longest is how long a turn may take: less if there are jobs with many of them, which
// must end in time too.
func (o *Options) longest() time.Duration {
	if o.Long > 0 {
		return 200 * time.Millisecond
	}
	return 2 * time.Second
}

// String tells what happens, a line for each fault.
func (o Options) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d: %d nodes with %d threads", o.Seed, o.Nodes, o.Workers)
	if o.Embedded {
		b.WriteString(" and a disk of its own")
	}
	fmt.Fprintf(&b, ", %d callers, %d clients with %d requests, queue %d, passivate %v, hold %v, spoil %v, long %v, hurry %v, slow %d, changes %d, keyed %v, sweeps %d, followers %d, visits %d, copies %d\n",
		o.Callers, o.Clients, o.Requests, o.Queue, o.Passivate, o.Hold, o.Spoil, o.Long, o.Hurry, o.Slow, o.Changes, o.Keyed, o.Sweeps, o.Followers, o.Visits, o.Copies)
	for i, f := range o.Faults {
		fmt.Fprintf(&b, "  fault %d: %v\n", i, f)
	}
	return b.String()
}
