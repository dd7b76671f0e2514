package actors

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"

	"fairfactor"
	"fairfactor/actors/actorspb"
)

// Kinds of virtual actors, and the one scheduler's identity.
const (
	CallerKind    = "caller"
	SchedulerKind = "scheduler"
	SchedulerID   = "main"
	workerName    = "worker" // of the plain actor on each member
)

// Network carries messages to actors wherever they are. Tell and TellMember
// never block and may lose a message; Ask retries until ctx ends. AskOnce is
// Ask for what must not be done twice: it doesn't ask again, but fails with
// ErrUnanswered, when the receiver may have got the message and its answer is
// lost or late. Await is Ask for an answer that may take long.
type Network interface {
	ID() string // of this member
	System() *actor.ActorSystem
	Tell(kind, identity string, m proto.Message)
	Ask(ctx context.Context, kind, identity string, m proto.Message) (proto.Message, error)
	AskOnce(ctx context.Context, kind, identity string, m proto.Message) (proto.Message, error)
	Await(ctx context.Context, kind, identity string, m proto.Message) (proto.Message, error)
	TellMember(member, name string, m proto.Message)
	AskMember(ctx context.Context, member, name string, m proto.Message) (proto.Message, error)
}

// Committer makes changes durable, in the order in which it gets them, together
// with those of all other actors of the node. done is called once, from another
// goroutine, and must be quick.
type Committer interface {
	Submit(changes []fairfactor.Change, done func(errs []error, err error))
}

// Config is what a [System] needs.
type Config struct {
	Store     fairfactor.Store
	Committer Committer
	Members   func() []fairfactor.Node // of the cluster as this node sees it
	Logger    *slog.Logger
	Now       func() time.Time // default time.Now

	Workers   int           // compute threads, at least 1
	Quantum   time.Duration // see package dispatch
	MaxQueue  uint64        // unfinished jobs of a caller; default [DefaultMaxQueue]
	MaxCPU    time.Duration // of a job; zero is no limit
	Passivate time.Duration // idle time after which a caller actor stops; default 2 min
	Tick      time.Duration // of housekeeping; default 1 s
}

// Bounds and defaults.
const (
	DefaultMaxQueue = 5_000_000
	maxUncommitted  = 10_000 // jobs of one caller on their way to the disk
	maxStash        = 10_000 // messages for an actor that is still loading
	maxWaiters      = 10_000 // long polls on one caller's jobs
)

// System is the actors of one node. Make it, start the cluster node with its
// [System.Kinds], then [System.Start] it on that node.
type System struct {
	cfg    Config
	log    *slog.Logger
	now    func() time.Time
	net    Network
	bound  chan struct{} // closed when net is set
	tick   sync.Map      // *actor.PID -> nothing: actors that want housekeeping
	worker *worker
	// workerPID is where the worker's actor runs.
	workerPID *actor.PID
	// schedulerHere is the *actor.PID of the scheduler while it runs on this node.
	schedulerHere atomic.Value

	running context.Context // until Stop
	halt    context.CancelFunc
	mu      sync.Mutex
	stopped bool           // guarded by mu: no new tasks
	tasks   sync.WaitGroup // what runs beside the actors

	Counters Counters
}

// New returns a system that is not connected yet.
func New(cfg Config) *System {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	cfg.Workers = max(cfg.Workers, 1)
	setDefault(&cfg.MaxQueue, DefaultMaxQueue)
	setDefault(&cfg.Passivate, 2*time.Minute)
	setDefault(&cfg.Tick, time.Second)
	s := &System{cfg: cfg, log: cfg.Logger, now: cfg.Now, bound: make(chan struct{})}
	s.running, s.halt = context.WithCancel(context.Background())
	return s
}

func setDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

// Kinds returns the virtual actors, by kind. identity tells an actor its own
// identity.
func (s *System) Kinds(identity func(actor.Context) string) map[string]*actor.Props {
	return map[string]*actor.Props{
		CallerKind:    actor.PropsFromProducer(func() actor.Actor { return &caller{sys: s, identity: identity} }),
		SchedulerKind: actor.PropsFromProducer(func() actor.Actor { return &scheduler{sys: s} }),
	}
}

// Start connects the actors, starts this node's worker and sees that there is a
// scheduler somewhere.
func (s *System) Start(net Network) error {
	s.net = net
	close(s.bound)
	s.worker = newWorker(s)
	props := actor.PropsFromProducer(func() actor.Actor { return s.worker })
	pid, err := net.System().Root.SpawnNamed(props, workerName)
	if err != nil {
		return fairfactor.Wrap(fairfactor.Internal, err, "the worker actor did not start")
	}
	s.workerPID = pid
	s.worker.start()
	s.background(s.housekeeping)
	return nil
}

// storeLimit bounds one read or claim of the store.
const storeLimit = 10 * time.Second

// background runs f beside the actors; [System.Stop] ends its context and waits
// for it. After that it is not run at all.
func (s *System) background(f func(context.Context)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.stopped {
		s.tasks.Go(func() { f(s.running) })
	}
}

// Drain stops this node's compute threads after the turns that they run and
// tells the scheduler so. It returns when they have stopped or ctx ends.
func (s *System) Drain(ctx context.Context) {
	if s.workerPID != nil {
		s.worker.drain(ctx, func() { s.net.System().Root.Send(s.workerPID, tick{}) })
	}
}

// Stop ends the threads, the housekeeping and all that the actors have begun in
// the store; the store is left alone from then on. The actors stop with the
// cluster node, before this.
func (s *System) Stop() {
	s.mu.Lock()
	s.stopped = true
	s.mu.Unlock()
	s.halt()
	if s.worker != nil {
		s.worker.close()
	}
	s.tasks.Wait()
}

// housekeeping ticks all actors that asked for it.
func (s *System) housekeeping(ctx context.Context) {
	ticker := time.NewTicker(s.cfg.Tick)
	defer ticker.Stop()
	root := s.net.System().Root
	for {
		s.tick.Range(func(pid, _ any) bool {
			root.Send(pid.(*actor.PID), tick{})
			return true
		})
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// tick is sent to actors now and then; flush by an actor to itself, behind all
// messages that arrived meanwhile.
type (
	tick  struct{}
	flush struct{}
)

func (s *System) tellScheduler(m *actorspb.Envelope) { s.net.Tell(SchedulerKind, SchedulerID, m) }

func (s *System) tellCaller(name string, m *actorspb.Envelope) { s.net.Tell(CallerKind, name, m) }

// MembersAre tells the scheduler, if it runs on this node, which members live:
// the turns of all others are handed out again.
func (s *System) MembersAre(ids []string) {
	select {
	case <-s.bound:
	default:
		return
	}
	if pid, ok := s.schedulerHere.Load().(*actor.PID); ok && pid != nil {
		s.net.System().Root.Send(pid, membersAre{ids})
	}
}
