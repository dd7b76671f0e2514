package actors

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"fairfactor"
	"fairfactor/actors/backlog"
	"fairfactor/actors/caller"
	"fairfactor/actors/dispatch"
	"fairfactor/factor"
)

// longTurn is the predicted CPU from which a caller is told that a turn began,
// rather than with its outcome.
const longTurn = 2 * time.Millisecond

// worker runs the turns that the scheduler hands this node. Its actor owns the
// epoch; the queue between the actor and the compute threads is guarded by mu.
type worker struct {
	sys   *System
	self  *actor.PID
	epoch uint64 // highest scheduler epoch seen

	greeted atomic.Bool // a scheduler that hands out work knows of this worker

	mu       sync.Mutex
	ready    Cond
	queue    []*turn
	running  []slot        // by thread
	stops    []atomic.Bool // by thread: stop the turn that runs; not guarded
	news     []news
	notified bool // the actor will look at news
	closed   bool
	draining bool
	threads  sync.WaitGroup
	tables   tables

	// These belong to the actor: outcomes by caller, empty between two flushes, and
	// news that was sent, to be used again.
	outcomes map[string]*outcomes
	spare    []news
}

// slot is one compute thread.
type slot struct {
	turn  *turn // nil while idle
	since time.Time
}

// news is what a compute thread tells the actor.
type news struct {
	turn    *turn
	began   bool
	halted  bool
	started time.Time
	cpu     time.Duration
	data    []byte
	failure string
}

func newWorker(s *System) *worker {
	threads := s.threads()
	w := &worker{sys: s, running: make([]slot, threads), stops: make([]atomic.Bool, threads), tables: newTables(threads), outcomes: map[string]*outcomes{}}
	w.ready = s.run.Cond(&w.mu)
	return w
}

// start starts the compute threads.
func (w *worker) start() {
	for i := range w.running {
		w.threads.Add(1)
		w.sys.run.Go(func() {
			defer w.threads.Done()
			w.compute(i)
		})
	}
}

func (w *worker) Receive(ctx actor.Context) {
	switch m := opened(ctx.Message()).(type) {
	case *actor.Started:
		w.self = ctx.Self()
		w.beat()
	case tick:
		w.beat()
	case flush:
		w.flush()
	case *run:
		w.run(m)
		m.free()
	case halt:
		w.halt(m.dispatched)
	case askStatus:
		if ctx.Sender() != nil {
			w.sys.answer(ctx.Sender(), w.status())
		}
	case askLive:
		if ctx.Sender() != nil {
			w.sys.answer(ctx.Sender(), live{w.sys.live.all()})
		}
	}
}

// run queues turns, unless a newer scheduler has taken over.
func (w *worker) run(m *run) {
	if m.epoch < w.epoch {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.epoch = m.epoch
	w.greeted.Store(true)
	if w.draining {
		return // the scheduler was told, and hands them out again
	}
	w.queue = append(w.queue, m.turns...)
	if len(m.turns) == 1 {
		w.ready.Signal()
	} else {
		w.ready.Broadcast()
	}
}

// halt drops turns that wait and stops those that run.
func (w *worker) halt(dispatched []uint64) {
	unwanted := map[uint64]bool{}
	for _, p := range dispatched {
		unwanted[p] = true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.running {
		if t := w.running[i].turn; t != nil && unwanted[t.dispatched] {
			w.stops[i].Store(true)
		}
	}
	kept := w.queue[:0]
	for _, t := range w.queue {
		if unwanted[t.dispatched] {
			w.tellLocked(news{turn: t, halted: true})
		} else {
			kept = append(kept, t)
		}
	}
	clear(w.queue[len(kept):])
	w.queue = kept
	w.tables.wake(w.ready)
}

// beat tells the scheduler what this node has in hand. Turns whose end has not
// been reported yet count as in hand.
func (w *worker) beat() {
	w.mu.Lock()
	b := &beat{member: w.sys.net.ID(), slots: w.sys.cfg.Workers, epoch: w.epoch}
	if w.draining {
		b.slots = 0
	} else {
		for i := range w.running {
			if t := w.running[i].turn; t != nil {
				b.open = append(b.open, held(t))
			}
		}
		for _, t := range w.queue {
			b.open = append(b.open, held(t))
		}
		for _, n := range w.news {
			if !n.began {
				b.open = append(b.open, held(n.turn))
			}
		}
	}
	w.mu.Unlock()
	w.sys.tellScheduler(b)
}

// held is a turn in a worker's hands, as the scheduler hears of it.
func held(t *turn) dispatch.Turn {
	d := t.offered()
	d.Body = nil
	return d
}

// status tells what each slot is doing. A short turn that runs next to long ones in all slots
// is not shown: it is over before anyone has read of it.
func (w *worker) status() (m status) {
	m.counts = w.sys.Counters.counts()
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.running {
		if t := w.running[i].turn; t != nil && len(m.workers) < w.sys.cfg.Workers {
			m.workers = append(m.workers, fairfactor.Worker{Caller: t.caller, Job: t.id.String(), Number: t.number, Since: w.running[i].since})
		}
	}
	for len(m.workers) < w.sys.cfg.Workers {
		m.workers = append(m.workers, fairfactor.Worker{})
	}
	return m
}

// busy is how many threads run a turn. The caller holds mu.
func (w *worker) busy() (n int) {
	for i := range w.running {
		if w.running[i].turn != nil {
			n++
		}
	}
	return n
}

// crowded reports whether as many turns run as there are slots, and one of them is short: then
// the thread that there is beyond them waits, because a short turn does not hold up the next
// one. The caller holds mu.
func (w *worker) crowded() bool {
	n, short := 0, false
	for i := range w.running {
		if t := w.running[i].turn; t != nil {
			n++
			short = short || time.Duration(t.predict) <= dispatch.Credit
		}
	}
	return n >= w.sys.cfg.Workers && short
}

// Threads is how many compute slots run a turn, and how many there are.
func (s *System) Threads() (busy, all int) {
	w := s.worker
	if w == nil {
		return 0, 0
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return min(w.busy(), s.cfg.Workers), s.cfg.Workers
}

// tellLocked hands news to the actor, which takes all there is at once.
func (w *worker) tellLocked(n news) {
	w.news = append(w.news, n)
	if !w.notified {
		w.notified = true
		w.sys.send(w.self, flush{})
	}
}

// flush sends outcomes to their callers and credit to the scheduler, which uses turns that
// have ended again: from then on they are not looked at.
func (w *worker) flush() {
	w.mu.Lock()
	list := w.news
	w.news, w.notified = w.spare[:0], false
	w.mu.Unlock()
	back := spareEnded.Get().(*ended)
	back.member = w.sys.net.ID()
	for i := range list {
		n := &list[i]
		t := n.turn
		if n.began {
			w.sys.tellCaller(t.caller, toCaller{caller.Began{Epoch: t.epoch, Seq: t.id.Seq, Nonce: t.id.Nonce, Dispatched: t.dispatched, Started: n.started}})
			continue
		}
		back.ends = append(back.ends, end{t.dispatched, int64(n.cpu)})
		if !n.halted {
			w.gather(t.caller, caller.Outcome{Epoch: t.epoch, Outcome: backlog.Outcome{
				Seq: t.id.Seq, Nonce: t.id.Nonce, Turn: t.turn, Dispatched: t.dispatched, Started: n.started, CPU: n.cpu, Data: n.data, Failure: n.failure,
			}})
		}
	}
	clear(list)
	w.spare = list
	if len(back.ends) > 0 {
		w.sys.tellScheduler(back)
	} else {
		back.free()
	}
	for name, m := range w.outcomes {
		w.sys.tellCaller(name, m)
	}
	clear(w.outcomes)
}

// gather puts an outcome with those that go to the same caller.
func (w *worker) gather(name string, o caller.Outcome) {
	m := w.outcomes[name]
	if m == nil {
		m = spareOutcomes.Get().(*outcomes)
		w.outcomes[name] = m
	}
	m.Outcomes.Outcomes = append(m.Outcomes.Outcomes, o)
}

// drain refuses new turns and waits for those that run. tell has the actor say
// so to the scheduler.
func (w *worker) drain(ctx context.Context, tell func()) {
	w.mu.Lock()
	w.draining = true
	w.queue = nil
	w.ready.Broadcast()
	w.mu.Unlock()
	tell()
	idle := make(chan struct{})
	go func() {
		w.threads.Wait()
		close(idle)
	}()
	select {
	case <-idle:
	case <-ctx.Done():
	}
}

// close stops the threads, also in the middle of a turn.
func (w *worker) close() {
	w.mu.Lock()
	w.closed, w.draining = true, true
	for i := range w.running {
		w.stops[i].Store(true)
	}
	w.ready.Broadcast()
	w.mu.Unlock()
	w.threads.Wait()
}

// execute has the engine run a turn.
func execute(thread Thread, t *turn, stop func() bool) (factor.Result, error) {
	if t.turn == 0 && len(t.payload) == 0 {
		return thread.RunFirst(t.number, time.Duration(t.predict), stop)
	}
	return thread.Run(factor.Turn{ID: t.turn, Payload: t.payload, Predict: time.Duration(t.predict)}, stop)
}
