package cluster

import (
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"
	clustering "github.com/asynkron/protoactor-go/cluster"
)

// Identity returns which virtual actor ctx belongs to; empty for an actor that
// isn't virtual.
func Identity(ctx actor.Context) string {
	var id *clustering.ClusterIdentity
	id, _ = ctx.Get(id.ExtensionID()).(*clustering.ClusterIdentity)
	return id.GetIdentity()
}

// activation is one virtual actor of this node, from before it is spawned until
// after it has stopped. It is the actor's mailbox, and also stands between the
// mailbox and the actor: protoactor silently drops the messages in the mailbox of
// an actor that stops, and those posted a moment later. Here every message is
// either given to the actor or returned to the router.
type activation struct {
	key
	hash   uint64
	router *router
	inner  actor.Mailbox
	next   actor.MessageInvoker // the actor
	pid    *actor.PID           // set before the actor runs
	done   chan struct{}        // closed when the actor has stopped

	ready    atomic.Bool // the mailbox works
	mu       sync.Mutex
	early    []any // guarded by mu: posted before the mailbox worked
	stopping bool  // guarded by mu: stop was called
	broken   bool  // guarded by mu: there will never be an actor

	stopped bool // owned by the goroutine that runs the mailbox
}

func newActivation(r *router, k key, h uint64) *activation {
	return &activation{
		key:    k,
		hash:   h,
		router: r,
		inner:  newMailbox(),
		done:   make(chan struct{}),
	}
}

// newMailbox is the default mailbox of protoactor.
var newMailbox = actor.Unbounded()

// spawn starts the actor. It is called once.
func (a *activation) spawn(system *actor.ActorSystem, kind *actor.Props) {
	if err := a.start(system, kind); err != nil {
		a.failed(err)
	}
}

func (a *activation) start(system *actor.ActorSystem, kind *actor.Props) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	props := *kind // Clone would add an empty middleware, that is an allocation for each message
	props.Configure(actor.WithMailbox(func() actor.Mailbox { return a }))
	name := a.kind + "/" + a.identity + system.ProcessRegistry.NextId()
	if _, err := system.Root.SpawnNamed(&props, name); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, m := range a.early {
		a.inner.PostUserMessage(m)
	}
	a.early = nil
	a.ready.Store(true)
	if a.stopping {
		system.Root.Stop(a.pid)
	}
	return nil
}

// failed ends an activation that was never spawned.
func (a *activation) failed(err error) {
	a.router.table.remove(a)
	a.mu.Lock()
	early := a.early
	a.early, a.broken = nil, true
	a.mu.Unlock()
	close(a.done)
	a.router.log.Error("virtual actor not started", "kind", a.kind, "identity", a.identity, "err", err)
	for _, m := range early {
		a.router.fail(actor.UnwrapEnvelopeSender(m), "the actor could not be started")
	}
}

// post gives m to the actor, now or once it is spawned. It returns false for an
// activation that failed.
func (a *activation) post(m any) bool {
	if a.ready.Load() {
		a.inner.PostUserMessage(m)
		return true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.ready.Load():
		a.inner.PostUserMessage(m)
	case a.broken:
		return false
	default:
		a.early = append(a.early, m)
	}
	return true
}

// stop asks the actor to stop after its current message. a.done is closed when it
// has.
func (a *activation) stop() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stopping {
		return
	}
	a.stopping = true
	if a.ready.Load() {
		a.router.system.Root.Stop(a.pid)
	}
}

// retire asks the actor to stop when what it is at has come to an end, at once if it is of
// a kind that does not ask for more.
func (a *activation) retire() {
	m := a.router.retire[a.kind]
	if m == nil || !a.post(m) {
		a.stop()
	}
}

// PostUserMessage implements [actor.Mailbox] for senders that have the PID.
func (a *activation) PostUserMessage(m any) { a.inner.PostUserMessage(m) }

// PostSystemMessage implements [actor.Mailbox].
func (a *activation) PostSystemMessage(m any) { a.inner.PostSystemMessage(m) }

// RegisterHandlers implements [actor.Mailbox]: it steps between the mailbox and
// the actor, and tells the actor its identity.
func (a *activation) RegisterHandlers(next actor.MessageInvoker, d actor.Dispatcher) {
	a.next = next
	ctx := next.(actor.Context) // the only invoker there is
	a.pid = ctx.Self()
	clustering.SetClusterIdentity(ctx, clustering.NewClusterIdentity(a.identity, a.kind))
	a.inner.RegisterHandlers(a, d)
}

// Start implements [actor.Mailbox].
func (a *activation) Start() { a.inner.Start() }

// UserMessageCount implements [actor.Mailbox].
func (a *activation) UserMessageCount() int { return a.inner.UserMessageCount() }

// bounced marks a message that came back from an activation that had stopped.
type bounced struct{ message any }

// InvokeUserMessage implements [actor.MessageInvoker].
func (a *activation) InvokeUserMessage(m any) {
	if a.stopped || a.router.lease.lapsed() {
		a.router.bounce(a, m)
		return
	}
	if back, ok := m.(bounced); ok {
		m = back.message
	}
	a.next.InvokeUserMessage(m)
}

// InvokeSystemMessage implements [actor.MessageInvoker].
func (a *activation) InvokeSystemMessage(m any) {
	a.next.InvokeSystemMessage(m)
	switch m.(type) {
	case *actor.Stop, *actor.Terminated: // the only ones after which an actor may have stopped
		if _, alive := a.router.system.ProcessRegistry.GetLocal(a.pid.Id); !alive {
			a.finish()
		}
	}
}

// finish ends an activation whose actor has seen Stopped.
func (a *activation) finish() {
	if a.stopped {
		return
	}
	a.stopped = true
	a.router.table.remove(a)
	close(a.done)
}

// EscalateFailure implements [actor.MessageInvoker]: the actor panicked at m. It
// answers the sender of m, and restarts the actor unless that was stopping.
func (a *activation) EscalateFailure(reason, m any) {
	a.router.log.Error("virtual actor panicked", "kind", a.kind, "identity", a.identity,
		"err", fmt.Sprint(reason), "stack", string(debug.Stack()))
	if back, ok := m.(bounced); ok {
		m = back.message
	}
	a.router.fail(actor.UnwrapEnvelopeSender(m), "the actor panicked")
	if _, stop := m.(*actor.Stop); stop {
		a.router.system.ProcessRegistry.Remove(a.pid)
		a.finish()
		return
	}
	a.next.EscalateFailure(reason, m)
}
