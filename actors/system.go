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
	"fairfactor/actors/caller"
	"fairfactor/actors/commit"
	"fairfactor/actors/memory"
)

// Kinds of virtual actors, and the one scheduler's identity.
const (
	CallerKind    = "caller"
	SchedulerKind = "scheduler"
	NumberKind    = "number" // by the key of a number, see numberActor
	SchedulerID   = "main"
	workerName    = "worker" // of the plain actor on each member
)

// Network carries messages to actors wherever they are. A message is a
// proto.Message, or has a method Proto that makes one: on its own node it is handed
// over as it is. Tell and TellMember never block and may lose a message; Ask retries
// until ctx ends. AskOnce is Ask for what must not be done twice: it doesn't ask
// again, but fails with ErrUnanswered, when the receiver may have got the message and
// its answer is lost or late. Await is Ask for an answer that may take long. Peek is
// Ask that activates no actor: without one it fails with not_found.
type Network interface {
	ID() string // of this member
	System() *actor.ActorSystem
	Tell(kind, identity string, m any)
	Ask(ctx context.Context, kind, identity string, m any) (any, error)
	AskOnce(ctx context.Context, kind, identity string, m any) (any, error)
	Await(ctx context.Context, kind, identity string, m any) (any, error)
	Peek(ctx context.Context, kind, identity string, m any) (any, error)
	TellMember(member, name string, m any)
	AskMember(ctx context.Context, member, name string, m any) (any, error)
}

// Committer makes the steps of callers durable, see package commit.
type Committer interface {
	Ready(commit.Source)
}

// Config is what a [System] needs.
type Config struct {
	Store fairfactor.Store
	// LocalStore says that the store answers from memory or a disk of this machine, so
	// that a new actor claims its caller at once, without others that do it for it.
	LocalStore bool
	Committer  Committer
	Members    func() []fairfactor.Node // of the cluster as this node sees it
	Logger     *slog.Logger
	Now        func() time.Time // default time.Now
	Runtime    Runtime          // default the machine's, with Now

	Workers  int           // slots: long turns that run at a time, at least 1
	Quantum  time.Duration // see package dispatch
	MaxQueue uint64        // unfinished jobs of a caller; default [DefaultMaxQueue]
	// MaxUncommitted is how many jobs of all callers may be on their way to the store;
	// default 65,536.
	MaxUncommitted int64
	MaxCPU         time.Duration // of a job; zero is no limit
	WorkMemory     int64         // bytes that jobs and turns of this node may take, by estimate; zero is no limit
	MaxDeaths      int           // of processes with a job until it is quarantined; zero is no limit
	// Ended is told of each job with a trace when its end has become durable, and when that
	// was; nil for nothing. It must not keep the job, nor wait.
	Ended func(job *fairfactor.Job, durable time.Time)
	// Record begins the notes of what the threads of this process run, nil for none.
	// Obituaries are what processes before it were at when they died.
	Record     func(process string, threads int) (Recorder, error)
	Obituaries []Obituary
	KnownSize  int           // numbers whose factors are remembered for all callers; zero for no numbers
	Passivate  time.Duration // idle time after which a caller's actor stops; default 10 s
	// Crowd is the number of actors of callers above which that of a caller that has come
	// once, and never before, stops as soon as its work is done; default 1,000, and negative for none.
	Crowd int64
	// Hold is how long an acceptance may wait for the end of its job, so that a store
	// whose writes are dear has one for both; default none.
	Hold time.Duration
	Tick time.Duration // of workers and the scheduler, and of the alarms of callers; default 1 s
}

// Bounds and defaults.
const (
	DefaultMaxQueue = 5_000_000
	maxStash        = 10_000 // messages for a scheduler that is still loading
	// manyCallers is the number of actors of callers above which those that are idle
	// stop sooner: an actor takes some 4 KB.
	manyCallers = 10_000
)

// System is the actors of one node. Make it, start the cluster node with its
// [System.Kinds], then [System.Start] it on that node.
type System struct {
	cfg    Config
	log    *slog.Logger
	now    func() time.Time
	run    Runtime
	net    Network
	actors Actors
	bound  chan struct{} // closed when net is set
	alarms *alarms
	live   liveJobs
	ranked rankings
	room   caller.Room
	memory *memory.Ledger // nil for no limit
	died   obituaries
	deadly caller.Deadlies
	notes  Recorder // nil for none
	worker *worker
	// workerPID is where the worker's actor runs.
	workerPID *actor.PID
	// schedulerHere is the *actor.PID of the scheduler while it runs on this node.
	schedulerHere atomic.Value

	running context.Context // until Stop
	halt    context.CancelFunc
	mu      sync.Mutex
	stopped bool           // guarded by mu: no new tasks
	tasks   sync.WaitGroup // what runs next to the actors

	Counters Counters
}

// New returns a system that is not connected yet.
func New(cfg Config) *System {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	cfg.Workers = max(cfg.Workers, 1)
	setDefault(&cfg.MaxQueue, DefaultMaxQueue)
	setDefault(&cfg.Passivate, 10*time.Second)
	setDefault(&cfg.Tick, time.Second)
	setDefault(&cfg.Crowd, 1000)
	setDefault(&cfg.MaxUncommitted, 1<<16)
	if cfg.Runtime == nil {
		cfg.Runtime = machine{cfg.Now}
	}
	s := &System{cfg: cfg, log: cfg.Logger, now: cfg.Runtime.Now, run: cfg.Runtime, bound: make(chan struct{})}
	s.room.Limit = cfg.MaxUncommitted
	s.memory = memory.New(cfg.WorkMemory, s.memoryFreed)
	s.died.add(cfg.Obituaries)
	s.alarms = newAlarms(cfg.Tick, s.now(), func(pid *actor.PID) { s.send(pid, tick{}) })
	s.running, s.halt = context.WithCancel(context.Background())
	return s
}

// crowded reports whether callers that came once should leave at once.
func (s *System) crowded() bool { return s.Counters.Callers.Load() > s.cfg.Crowd }

// idleTime is how long an actor without anything to do stays.
func (s *System) idleTime() time.Duration {
	if s.Counters.Callers.Load() > manyCallers {
		return s.cfg.Passivate / 10
	}
	return s.cfg.Passivate
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
	kinds := map[string]*actor.Props{}
	for kind, produce := range s.Producers(identity) {
		kinds[kind] = actor.PropsFromProducer(produce, actor.WithDispatcher(shared))
	}
	return kinds
}

// Producers are the Kinds for another [Runtime] than protoactor.
func (s *System) Producers(identity func(actor.Context) string) map[string]actor.Producer {
	return map[string]actor.Producer{
		CallerKind:    func() actor.Actor { return &callerActor{sys: s, identity: identity} },
		SchedulerKind: func() actor.Actor { return &scheduler{sys: s} },
		NumberKind:    func() actor.Actor { return &numberActor{sys: s} },
	}
}

// Start connects the actors, starts this node's worker and sees that there is a
// scheduler somewhere.
func (s *System) Start(net Network) error {
	s.net, s.actors = net, s.run.Actors(net)
	s.worker = newWorker(s)
	s.readDeadly(s.running) // before any job begins
	close(s.bound)
	if s.cfg.Record != nil {
		notes, err := s.cfg.Record(net.ID(), s.threads())
		if err != nil {
			s.log.Warn("what this process runs is not noted: if it dies alone, the job that killed it runs again", "err", err)
		} else {
			s.notes = notes
		}
	}
	pid, err := s.actors.Spawn(workerName, s.worker)
	if err != nil {
		return fairfactor.Wrap(fairfactor.Internal, err, "the worker actor did not start")
	}
	s.workerPID = pid
	s.worker.start()
	s.background(s.housekeeping)
	s.background(s.keepDeadlines)
	s.background(s.keepDeadly)
	if len(s.cfg.Obituaries) > 0 {
		s.background(s.tellDeaths)
	}
	return nil
}

// Working says why no work is handed out to this node yet, nil if it is: a scheduler
// has read the store's index and knows of this node's worker.
func (s *System) Working() error {
	if s.worker == nil || !s.worker.greeted.Load() {
		return fairfactor.Errorf(fairfactor.Unavailable, "the scheduler does not hand out work to this node yet")
	}
	return nil
}

// background runs f next to the actors; [System.Stop] ends its context and waits
// for it. After that it is not run at all.
func (s *System) background(f func(context.Context)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.stopped {
		s.tasks.Add(1)
		s.run.Go(func() {
			defer s.tasks.Done()
			f(s.running)
		})
	}
}

// threads is how many compute threads there are: one for each slot, and one for short turns
// next to long ones in all of them.
func (s *System) threads() int { return s.cfg.Workers + 1 }

// Drain stops this node's compute threads after the turns that they run and
// tells the scheduler so. It returns when they have stopped or ctx ends.
func (s *System) Drain(ctx context.Context) {
	if s.workerPID != nil {
		s.worker.drain(ctx, func() { s.send(s.workerPID, tick{}) })
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

// housekeeping has the worker and the scheduler, if it runs here, look after what
// time does, and rings the alarms of callers.
func (s *System) housekeeping(ctx context.Context) {
	for {
		s.send(s.workerPID, tick{})
		if pid, ok := s.schedulerHere.Load().(*actor.PID); ok && pid != nil {
			s.send(pid, tick{})
		}
		s.alarms.due(s.now())
		if !s.run.Pause(ctx, s.cfg.Tick) {
			return
		}
	}
}

// send sends a message to an actor of this node.
func (s *System) send(to *actor.PID, m any) { s.actors.Send(to, m) }

// portable is a message that has a form between nodes.
type portable interface{ Proto() proto.Message }

// answer brings those who asked an answer, wherever they are.
func (s *System) answer(to *actor.PID, m portable) {
	if to.Address == s.actors.Address() {
		s.send(to, m)
		return
	}
	s.send(to, m.Proto())
}

func (s *System) tellScheduler(m any) { s.net.Tell(SchedulerKind, SchedulerID, m) }

func (s *System) tellCaller(name string, m any) { s.net.Tell(CallerKind, name, m) }

// MembersAre tells the scheduler, if it runs on this node, which members live:
// the turns of all others are handed out again.
func (s *System) MembersAre(ids []string) {
	select {
	case <-s.bound:
	default:
		return
	}
	if pid, ok := s.schedulerHere.Load().(*actor.PID); ok && pid != nil {
		s.send(pid, membersAre{ids})
	}
}
