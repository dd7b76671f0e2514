package actors_test

import (
	"context"
	"errors"
	"hash/fnv"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"

	"fairfactor"
	"fairfactor/actors"
	"fairfactor/actors/actorspb"
)

// exchange is a cluster in one process: the same promises as package cluster
// gives, and everything that goes wrong under the test's command. (A process
// can't hold two of cluster's nodes under the race detector, because protoactor
// sets a global variable of gRPC at each start; package cluster itself is in
// real_test.go.)
type exchange struct {
	mu      sync.Mutex
	members []*member                                  // in the order of their start
	pinned  map[string]*member                         // by kind/identity: who owns it whatever the hash says
	asks    map[string]*question                       // open ones, by the name of their process
	lose    func(to string, m *actorspb.Envelope) bool // messages to virtual actors that get lost; nil for none
	deaf    bool                                       // answers to other members get lost
	names   int
}

// member is one node's place in an exchange.
type member struct {
	ex     *exchange
	id     string
	system *actor.ActorSystem
	kinds  map[string]*actor.Props
	down   bool                  // guarded by ex.mu: nothing gets in or out
	closed bool                  // guarded by ex.mu: no new activations
	alive  sync.WaitGroup        // activations that have not stopped
	live   map[string]*actor.PID // guarded by ex.mu: activations by kind/identity
}

// question is a request on its way. It is sent again when its receiver goes
// without having seen it, and when the receiver's member goes down.
type question struct {
	send func() // once more
	to   *member
	pid  *actor.PID // the activation that got it
	seen bool       // by the actor

	await bool   // a long poll
	lost  func() // for one that must not be sent twice: its answer is lost
}

func newExchange() *exchange {
	return &exchange{pinned: map[string]*member{}, asks: map[string]*question{}}
}

// join adds a member that runs the given kinds.
func (x *exchange) join(id string, kinds func(identity func(actor.Context) string) map[string]*actor.Props) *member {
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	m := &member{ex: x, id: id, live: map[string]*actor.PID{}}
	m.system = actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return quiet }))
	m.system.ProcessRegistry.Address = id
	m.system.ProcessRegistry.RegisterAddressResolver(func(pid *actor.PID) (actor.Process, bool) { return &wire{m, pid.Address}, true })
	m.kinds = kinds(identityOf)
	x.mu.Lock()
	x.members = append(x.members, m)
	for _, other := range x.members { // what the newcomer owns has to go to it
		for k, pid := range other.live {
			if x.owner(k) != other {
				other.system.Root.Stop(pid)
			}
		}
	}
	x.mu.Unlock()
	return m
}

// identityOf reads the identity from the name of an activation.
func identityOf(ctx actor.Context) string {
	_, name, _ := strings.Cut(ctx.Self().Id, "/")
	return name[:strings.LastIndexByte(name, '#')]
}

// owner is the member that should run an identity. x.mu is held.
func (x *exchange) owner(k string) (best *member) {
	if m := x.pinned[k]; m != nil && !m.down && !m.closed {
		return m
	}
	var most uint64
	for _, m := range x.members {
		h := fnv.New64a()
		_, _ = h.Write([]byte(m.id + "|" + k))
		if score := h.Sum64(); !m.down && !m.closed && (best == nil || score > most) {
			best, most = m, score
		}
	}
	return best
}

// deliver brings a message to an activation. x.mu is held.
func (x *exchange) deliver(from *member, k string, msg proto.Message, sender *actor.PID) (to *member, pid *actor.PID) {
	to = x.owner(k)
	if to == nil || from.down || x.lose != nil && x.lose(k, msg.(*actorspb.Envelope)) {
		return to, nil
	}
	if pid = to.live[k]; pid == nil {
		pid = to.activate(k)
	}
	to.system.Root.RequestWithCustomSender(pid, proto.Clone(msg), fresh(sender))
	return to, pid
}

// fresh returns pid as it comes off the wire. A PID keeps the way to its process
// once it was used, and the way from one member leads nowhere for another.
func fresh(pid *actor.PID) *actor.PID {
	if pid == nil {
		return nil
	}
	return actor.NewPID(pid.Address, pid.Id)
}

// activate spawns a virtual actor. ex.mu is held.
func (m *member) activate(k string) *actor.PID {
	kind, _, _ := strings.Cut(k, "/")
	m.ex.names++
	props := *m.kinds[kind]
	props.Configure(actor.WithReceiverMiddleware(func(next actor.ReceiverFunc) actor.ReceiverFunc {
		return func(ctx actor.ReceiverContext, e *actor.MessageEnvelope) {
			m.ex.before(m, k, ctx.Self(), e)
			next(ctx, e)
			if _, stopped := e.Message.(*actor.Stopped); stopped {
				m.ex.stopped(ctx.Self())
				m.alive.Done()
			}
		}
	}))
	pid, err := m.system.Root.SpawnNamed(&props, k+"#"+strconv.Itoa(m.ex.names))
	if err != nil {
		panic(err)
	}
	m.live[k] = pid
	m.alive.Add(1)
	return pid
}

// before notes that an actor sees a message.
func (x *exchange) before(m *member, k string, self *actor.PID, e *actor.MessageEnvelope) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if e.Sender != nil {
		if q := x.asks[e.Sender.Id]; q != nil {
			q.seen = true
		}
	}
	if _, stopping := e.Message.(*actor.Stopping); stopping && m.live[k] == self {
		delete(m.live, k)
	}
}

// breaks closes the connections to a member: what it answers is lost.
func (x *exchange) breaks(to *member) {
	x.again(func(q *question) bool { return q.to == to })
}

// deafen has the answers to other members get lost.
func (x *exchange) deafen(deaf bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.deaf = deaf
}

// stopped sends what an actor has not seen to the next activation.
func (x *exchange) stopped(pid *actor.PID) {
	x.again(func(q *question) bool { return q.pid == pid && !q.seen })
}

func (x *exchange) again(lost func(*question) bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, q := range x.asks {
		switch {
		case !lost(q):
		case q.lost != nil && q.seen:
			q.lost()
		default:
			q.send()
		}
	}
}

// kill cuts a member off and moves what it owned. What it runs goes on without
// anybody noticing.
func (x *exchange) kill(dead *member) {
	x.mu.Lock()
	dead.down = true
	x.mu.Unlock()
	x.again(func(q *question) bool { return q.to == dead })
}

// pin gives an identity to a member. An activation elsewhere goes on if zombie
// says so, as that of a member that was paused; if not it is stopped.
func (x *exchange) pin(kind, identity string, to *member, zombie bool) {
	k := kind + "/" + identity
	x.mu.Lock()
	defer x.mu.Unlock()
	x.pinned[k] = to
	for _, m := range x.members {
		if pid := m.live[k]; pid != nil && m != to && !zombie {
			m.system.Root.Stop(pid)
		}
	}
}

// stop ends the activation of an identity, wherever it is.
func (x *exchange) stop(kind, identity string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, m := range x.members {
		if pid := m.live[kind+"/"+identity]; pid != nil {
			m.system.Root.Stop(pid)
		}
	}
}

// active says whether an identity has an activation that takes messages.
func (x *exchange) active(kind, identity string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.ContainsFunc(x.members, func(m *member) bool { return m.live[kind+"/"+identity] != nil })
}

// losing has messages for virtual actors get lost for which lose holds; it may
// change others.
func (x *exchange) losing(lose func(to string, m *actorspb.Envelope) bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.lose = lose
}

// close stops all activations of a member and waits for them, as a node that
// leaves does.
func (m *member) close() {
	m.ex.mu.Lock()
	m.closed = true
	for _, pid := range m.live {
		m.system.Root.Stop(pid)
	}
	m.ex.mu.Unlock()
	m.alive.Wait()
}

// The methods below are actors.Network.

func (m *member) ID() string                 { return m.id }
func (m *member) System() *actor.ActorSystem { return m.system }

func (m *member) Tell(kind, identity string, msg any) {
	m.ex.mu.Lock()
	defer m.ex.mu.Unlock()
	m.ex.deliver(m, kind+"/"+identity, between(msg), nil)
}

func (m *member) Ask(ctx context.Context, kind, identity string, msg any) (any, error) {
	return m.ask(ctx, false, m.sending(kind, identity, msg))
}

func (m *member) AskOnce(ctx context.Context, kind, identity string, msg any) (any, error) {
	return m.ask(ctx, true, m.sending(kind, identity, msg))
}

func (m *member) Await(ctx context.Context, kind, identity string, msg any) (any, error) {
	return m.ask(ctx, false, m.sending(kind, identity, msg))
}

// Peek finds an activation, or nothing.
func (m *member) Peek(ctx context.Context, kind, identity string, msg any) (any, error) {
	k := kind + "/" + identity
	m.ex.mu.Lock()
	to := m.ex.owner(k)
	active := to != nil && to.live[k] != nil
	m.ex.mu.Unlock()
	if !active {
		return nil, fairfactor.Errorf(fairfactor.NotFound, "the actor is not active")
	}
	return m.Ask(ctx, kind, identity, msg)
}

// between is a message as it is between nodes: a test's messages all are, so that
// both forms are tried.
func between(m any) proto.Message {
	if portable, ok := m.(interface{ Proto() proto.Message }); ok {
		return portable.Proto()
	}
	return m.(proto.Message)
}

func (m *member) sending(kind, identity string, message any) func(*question, *actor.PID) {
	msg := between(message)
	return func(q *question, sender *actor.PID) {
		q.seen, q.await = false, msg.(*actorspb.Envelope).GetAwait() != nil
		q.to, q.pid = m.ex.deliver(m, kind+"/"+identity, msg, sender)
	}
}

func (m *member) TellMember(id, name string, msg any) {
	m.ex.mu.Lock()
	defer m.ex.mu.Unlock()
	m.ex.toMember(m, id, name, between(msg), nil)
}

func (m *member) AskMember(ctx context.Context, id, name string, msg any) (any, error) {
	return m.ask(ctx, false, func(_ *question, sender *actor.PID) { m.ex.toMember(m, id, name, between(msg), sender) })
}

// toMember brings a message to a plain actor. x.mu is held.
func (x *exchange) toMember(from *member, id, name string, msg proto.Message, sender *actor.PID) {
	for _, to := range x.members {
		if to.id == id && !to.down && !from.down {
			to.system.Root.RequestWithCustomSender(actor.NewPID(id, name), proto.Clone(msg), fresh(sender))
		}
	}
}

func (m *member) ask(ctx context.Context, once bool, send func(*question, *actor.PID)) (any, error) {
	if _, bounded := ctx.Deadline(); !bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, longest/2)
		defer cancel()
	}
	box := answers(make(chan any, 1))
	m.ex.mu.Lock()
	m.ex.names++
	pid, _ := m.system.ProcessRegistry.Add(box, "ask-"+m.id+"-"+strconv.Itoa(m.ex.names))
	q := &question{}
	q.send = func() { send(q, pid) }
	gone := make(chan struct{})
	if once {
		q.lost = sync.OnceFunc(func() { close(gone) })
	}
	m.ex.asks[pid.Id] = q
	q.send()
	m.ex.mu.Unlock()
	defer func() {
		m.ex.mu.Lock()
		delete(m.ex.asks, pid.Id)
		m.ex.mu.Unlock()
		m.system.ProcessRegistry.Remove(pid)
	}()
	select {
	case answer := <-box:
		if _, dead := answer.(*actor.DeadLetterResponse); dead {
			return nil, fairfactor.Errorf(fairfactor.Unavailable, "the answer was %T", answer)
		}
		return answer, nil
	case <-gone:
		return nil, fairfactor.ErrUnanswered
	case <-ctx.Done():
		err := context.Cause(ctx)
		if once {
			err = errors.Join(fairfactor.ErrUnanswered, err)
		}
		return nil, fairfactor.Wrap(fairfactor.Unavailable, err, "no member answered in time")
	}
}

// answers is the process that takes the answer to a question.
type answers chan any

func (b answers) SendUserMessage(_ *actor.PID, m any) {
	select {
	case b <- actor.UnwrapEnvelopeMessage(m):
	default: // answered twice
	}
}
func (b answers) SendSystemMessage(*actor.PID, any) {}
func (b answers) Stop(*actor.PID)                   {}

// wire leads to the processes of another member.
type wire struct {
	from *member
	to   string
}

func (w *wire) SendUserMessage(pid *actor.PID, m any) {
	_, inner, sender := actor.UnwrapEnvelope(m)
	msg, ok := inner.(proto.Message)
	if !ok {
		return // such as a dead letter's answer
	}
	w.from.ex.mu.Lock()
	defer w.from.ex.mu.Unlock()
	if w.from.ex.deaf && strings.HasPrefix(pid.Id, "ask-") {
		return
	}
	w.from.ex.toMember(w.from, w.to, pid.Id, msg, sender)
}
func (w *wire) SendSystemMessage(*actor.PID, any) {}
func (w *wire) Stop(*actor.PID)                   {}

// waiting is how many long polls wait at an actor.
func (x *exchange) waiting() (n int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, q := range x.asks {
		if q.seen && q.await {
			n++
		}
	}
	return n
}

// awaitMessage asks a caller for the end of a job.
func awaitMessage(id fairfactor.ID, deadline time.Time) proto.Message {
	return &actorspb.Envelope{Body: &actorspb.Envelope_Await{Await: &actorspb.Await{
		Id: &actorspb.Id{Nonce: id.Nonce, Caller: id.Caller, Seq: id.Seq}, DeadlineUs: deadline.UnixMicro(),
	}}}
}

// spoil damages the outcomes of a caller's turns.
func spoil(caller string) func(string, *actorspb.Envelope) bool {
	return func(to string, m *actorspb.Envelope) bool {
		for _, o := range m.GetOutcomes().GetOutcomes() {
			if to == actors.CallerKind+"/"+caller {
				o.Data = []byte{0xff}
			}
		}
		return false
	}
}

// seen is how many requests an actor has got and not answered yet.
func (x *exchange) seen() (n int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, q := range x.asks {
		if q.seen {
			n++
		}
	}
	return n
}
