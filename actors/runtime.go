package actors

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"fairfactor/factor"
)

// Runtime is what the actors of a node run on: protoactor, goroutines and the clock
// of the machine, or a simulation of them, see package sim.
type Runtime interface {
	// Now is the time; differences of two times must not follow a clock that is set.
	Now() time.Time
	// After calls f after a time, once, from anywhere.
	After(d time.Duration, f func())
	// Pause waits; it is false if ctx has ended.
	Pause(ctx context.Context, d time.Duration) bool
	// Within is [context.WithTimeout].
	Within(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc)
	// Go runs f next to what calls it.
	Go(f func())
	// Each calls f for each number below n, at once, and returns when all have
	// returned.
	Each(n int, f func(i int))
	// Nonce returns a random number.
	Nonce() uint64
	// Cond is what goroutines wait at that were begun with Go.
	Cond(l sync.Locker) Cond
	// Thread returns a thread for turns, which its goroutine closes.
	Thread() Thread
	// Actors runs the actors of the node that net connects.
	Actors(net Network) Actors
}

// Actors runs the actors of one node.
type Actors interface {
	Address() string // of this node in PIDs
	// Send sends a message to an actor, wherever it is. It does not block.
	Send(to *actor.PID, m any)
	// Spawn starts the actor of this name.
	Spawn(name string, a actor.Actor) (*actor.PID, error)
}

// Cond is a [sync.Cond].
type Cond interface {
	Wait()
	Signal()
	Broadcast()
}

// Thread runs turns, one after the other.
type Thread interface {
	// Run runs a turn. It is [factor.ErrStopped] if stop became true.
	Run(t factor.Turn, stop func() bool) (factor.Result, error)
	// RunFirst runs the first turn of a number, which is predicted to take so long.
	RunFirst(number string, predict time.Duration, stop func() bool) (factor.Result, error)
	// CPU is what the turns have used so far.
	CPU() time.Duration
	// Needs estimates what the thread holds while it runs a turn, and Tables what it keeps
	// between turns, in bytes, until Forget.
	Needs(payload []byte) int64
	Tables() int64
	Forget()
	Close()
}

// Machine is the runtime of a node that is given none.
func Machine() Runtime { return machine{time.Now} }

// machine is the [Runtime] of the machine that we are on.
type machine struct{ now func() time.Time }

var _ Runtime = machine{}

func (m machine) Now() time.Time { return m.now() }

func (machine) After(d time.Duration, f func()) { time.AfterFunc(d, f) }

func (machine) Pause(ctx context.Context, d time.Duration) bool {
	if d == 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

func (machine) Within(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, d)
}

func (machine) Go(f func()) { shared.Schedule(f) }

func (machine) Each(n int, f func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { f(i) })
	}
	all.Wait()
}

func (machine) Nonce() uint64 { return rand.Uint64() }

func (machine) Cond(l sync.Locker) Cond { return sync.NewCond(l) }

func (machine) Thread() Thread { return newThread() }

func (machine) Actors(net Network) Actors { return protoactors{net.System()} }

// protoactors are the [Actors] of protoactor.
type protoactors struct{ system *actor.ActorSystem }

func (p protoactors) Address() string { return p.system.Address() }

func (p protoactors) Send(to *actor.PID, m any) { p.system.Root.Send(to, m) }

func (p protoactors) Spawn(name string, a actor.Actor) (*actor.PID, error) {
	return p.system.Root.SpawnNamed(actor.PropsFromProducer(func() actor.Actor { return a }, actor.WithDispatcher(shared)), name)
}
