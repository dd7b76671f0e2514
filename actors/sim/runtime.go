package sim

import (
	"context"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"fairfactor/actors"
	"fairfactor/factor"
)

// Now implements [actors.Runtime], as all that follow.
func (p *process) Now() time.Time {
	return at(p.w.now, p.w.now+p.place.ahead)
}

// After implements [actors.Runtime].
func (p *process) After(d time.Duration, f func()) { p.w.after(d, p, f) }

// Pause implements [actors.Runtime].
func (p *process) Pause(ctx context.Context, d time.Duration) bool {
	limit := p.w.limit(ctx)
	if d > 0 {
		p.w.sleep(min(d, limit-p.w.now))
	}
	return ctx.Err() == nil
}

// Within implements [actors.Runtime].
func (p *process) Within(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return p.w.within(ctx, d)
}

// Go implements [actors.Runtime].
func (p *process) Go(f func()) { p.w.start(0, p, f) }

// Each implements [actors.Runtime], one after the other.
func (p *process) Each(n int, f func(i int)) {
	for i := range n {
		f(i)
	}
}

// Nonce implements [actors.Runtime].
func (p *process) Nonce() uint64 { return p.w.rng.Uint64() }

// Cond implements [actors.Runtime].
func (p *process) Cond(l sync.Locker) actors.Cond { return &cond{p: p, l: l} }

// cond is a [sync.Cond] of tasks.
type cond struct {
	p       *process
	l       sync.Locker
	waiting []func()
}

func (c *cond) Wait() {
	c.l.Unlock()
	defer c.l.Lock()
	c.p.w.wait(-1, func(wake func()) { c.waiting = append(c.waiting, wake) })
}

func (c *cond) Signal() {
	if len(c.waiting) > 0 {
		wake := c.waiting[0]
		c.waiting = c.waiting[1:]
		wake()
	}
}

func (c *cond) Broadcast() {
	for len(c.waiting) > 0 {
		c.Signal()
	}
}

// Thread implements [actors.Runtime].
func (p *process) Thread() actors.Thread { return &thread{p: p} }

// thread runs turns in the time of the world. What comes of a turn is computed once,
// for all runs.
type thread struct {
	p   *process
	cpu time.Duration
}

// Run implements [actors.Thread].
func (t *thread) Run(turn factor.Turn, stop func() bool) (factor.Result, error) {
	w := t.p.w
	if t.p.run.strikes(t.p, turn) {
		w.sleep(time.Hour) // it does not come to that
	}
	cpu := t.p.cost(turn)
	took := min(cpu*time.Duration(t.p.place.slow*t.p.run.opts.Slow), t.p.run.opts.longest())
	for end := w.now + took; w.now < end; {
		w.sleep(min(end-w.now, 5*time.Millisecond*time.Duration(max(1, t.p.place.slow))))
		if stop() {
			return factor.Result{}, factor.ErrStopped
		}
	}
	t.cpu += cpu
	t.p.run.ran(t.p, cpu)
	if t.p.run.spoils() {
		return factor.Result{}, errSpoiled
	}
	return solve(turn)
}

// RunFirst implements [actors.Thread].
func (t *thread) RunFirst(number string, _ time.Duration, stop func() bool) (factor.Result, error) {
	return t.Run(factor.First(number), stop)
}

// CPU implements [actors.Thread].
func (t *thread) CPU() time.Duration { return t.cpu }

// Needs implements [actors.Thread].
func (t *thread) Needs(payload []byte) int64 { return factor.TurnMemory(payload) }

// Tables implements [actors.Thread].
func (t *thread) Tables() int64 { return 0 }

// Forget implements [actors.Thread].
func (t *thread) Forget() {}

// Close implements [actors.Thread].
func (t *thread) Close() {}

// runners are what computes turns; solved is what came of them.
var (
	runners = sync.Pool{New: func() any { return factor.NewRunner() }}
	solved  sync.Map // payload -> []byte
)

// solve runs a turn, or remembers what came of it.
func solve(turn factor.Turn) (factor.Result, error) {
	key := string(turn.Payload)
	if data, ok := solved.Load(key); ok {
		return factor.Result{ID: turn.ID, Data: data.([]byte)}, nil
	}
	r := runners.Get().(*factor.Runner)
	defer runners.Put(r)
	result, err := r.Run(turn, nil)
	if err == nil && len(key) > quick {
		solved.Store(key, result.Data)
	}
	return result, err
}

// quick is the length of a payload up to which a turn takes no time.
const quick = 12

// Actors implements [actors.Runtime].
func (p *process) Actors(actors.Network) actors.Actors { return p }

// Address implements [actors.Actors].
func (p *process) Address() string { return p.id }

// Spawn implements [actors.Actors].
func (p *process) Spawn(name string, a actor.Actor) (*actor.PID, error) {
	act := p.newActivation("", name, a)
	act.begin()
	return act.pid, nil
}
