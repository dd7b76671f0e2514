package actors

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"fairfactor/actors/actorspb"
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

	mu       sync.Mutex
	ready    *sync.Cond
	queue    []*actorspb.Turn
	running  []slot        // by thread
	stops    []atomic.Bool // by thread: stop the turn that runs; not guarded
	reports  []report
	notified bool // the actor will look at reports
	closed   bool
	draining bool
	threads  sync.WaitGroup
}

// slot is one compute thread.
type slot struct {
	turn  *actorspb.Turn // nil while idle
	since time.Time
}

// report is news from a compute thread.
type report struct {
	turn    *actorspb.Turn
	began   bool
	halted  bool
	started time.Time
	cpu     time.Duration
	data    []byte
	failure string
}

func newWorker(s *System) *worker {
	w := &worker{sys: s, running: make([]slot, s.cfg.Workers), stops: make([]atomic.Bool, s.cfg.Workers)}
	w.ready = sync.NewCond(&w.mu)
	return w
}

// start starts the compute threads.
func (w *worker) start() {
	for i := range w.running {
		w.threads.Go(func() { w.compute(i) })
	}
}

func (w *worker) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		w.self = ctx.Self()
		w.sys.tick.Store(w.self, nil)
		w.beat()
	case *actor.Stopping, *actor.Restarting:
		w.sys.tick.Delete(w.self)
	case tick:
		w.beat()
	case flush:
		w.flush()
	case *actorspb.Envelope:
		switch m := m.Body.(type) {
		case *actorspb.Envelope_Run:
			w.run(m.Run)
		case *actorspb.Envelope_Halt:
			w.halt(m.Halt.Places)
		case *actorspb.Envelope_Status:
			ctx.Respond(w.status())
		}
	}
}

// run queues turns, unless a newer scheduler has taken over.
func (w *worker) run(m *actorspb.Run) {
	if m.Epoch < w.epoch {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.epoch = m.Epoch
	if w.draining {
		return // the scheduler was told, and hands them out again
	}
	w.queue = append(w.queue, m.Turns...)
	if len(m.Turns) == 1 {
		w.ready.Signal()
	} else {
		w.ready.Broadcast()
	}
}

// halt drops turns that wait and stops those that run.
func (w *worker) halt(places []uint64) {
	unwanted := map[uint64]bool{}
	for _, p := range places {
		unwanted[p] = true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.running {
		if t := w.running[i].turn; t != nil && unwanted[t.Place] {
			w.stops[i].Store(true)
		}
	}
	kept := w.queue[:0]
	for _, t := range w.queue {
		if unwanted[t.Place] {
			w.reportLocked(report{turn: t, halted: true})
		} else {
			kept = append(kept, t)
		}
	}
	clear(w.queue[len(kept):])
	w.queue = kept
}

// beat tells the scheduler what this node has in hand. Turns whose end has not
// been reported yet count as in hand.
func (w *worker) beat() {
	w.mu.Lock()
	beat := &actorspb.Beat{Member: w.sys.net.ID(), Slots: int32(len(w.running)), Epoch: w.epoch}
	if w.draining {
		beat.Slots = 0
	} else {
		for i := range w.running {
			if t := w.running[i].turn; t != nil {
				beat.Open = append(beat.Open, bare(t))
			}
		}
		for _, t := range w.queue {
			beat.Open = append(beat.Open, bare(t))
		}
		for _, r := range w.reports {
			if !r.began {
				beat.Open = append(beat.Open, bare(r.turn))
			}
		}
	}
	w.mu.Unlock()
	w.sys.tellScheduler(&actorspb.Envelope{Body: &actorspb.Envelope_Beat{Beat: beat}})
}

func bare(t *actorspb.Turn) *actorspb.Turn {
	return &actorspb.Turn{Caller: t.Caller, Epoch: t.Epoch, Seq: t.Seq, Turn: t.Turn, PredictNs: t.PredictNs, Place: t.Place}
}

// status tells what each thread is doing.
func (w *worker) status() *actorspb.Envelope {
	w.mu.Lock()
	defer w.mu.Unlock()
	state := &actorspb.StatusState{}
	for i := range w.running {
		slot := &actorspb.Slot{}
		if t := w.running[i].turn; t != nil {
			slot.SinceUs = micros(w.running[i].since)
			slot.Turn = &actorspb.Turn{Caller: t.Caller, Seq: t.Seq, Nonce: t.Nonce, CallerNumber: t.CallerNumber, Number: t.Number, Turn: t.Turn}
		}
		state.Slots = append(state.Slots, slot)
	}
	return &actorspb.Envelope{Body: &actorspb.Envelope_StatusState{StatusState: state}}
}

// reportLocked hands news to the actor, which takes all there is at once.
func (w *worker) reportLocked(r report) {
	w.reports = append(w.reports, r)
	if !w.notified {
		w.notified = true
		w.sys.net.System().Root.Send(w.self, flush{})
	}
}

// flush sends outcomes to their callers and credit to the scheduler.
func (w *worker) flush() {
	w.mu.Lock()
	reports := w.reports
	w.reports, w.notified = nil, false
	w.mu.Unlock()
	outcomes := map[string]*actorspb.Outcomes{}
	ended := &actorspb.Ended{Member: w.sys.net.ID()}
	for i := range reports {
		r := &reports[i]
		if r.began {
			w.sys.tellCaller(r.turn.Caller, &actorspb.Envelope{Body: &actorspb.Envelope_Began{Began: &actorspb.Began{
				Epoch: r.turn.Epoch, Seq: r.turn.Seq, Place: r.turn.Place, StartedUs: micros(r.started),
			}}})
			continue
		}
		ended.Ends = append(ended.Ends, &actorspb.End{Place: r.turn.Place, CpuNs: int64(r.cpu)})
		if r.halted {
			continue
		}
		o := outcomes[r.turn.Caller]
		if o == nil {
			o = &actorspb.Outcomes{}
			outcomes[r.turn.Caller] = o
		}
		o.Outcomes = append(o.Outcomes, &actorspb.Outcome{
			Epoch: r.turn.Epoch, Seq: r.turn.Seq, Turn: r.turn.Turn, Place: r.turn.Place,
			StartedUs: micros(r.started), CpuNs: int64(r.cpu), Data: r.data, Failure: r.failure,
		})
	}
	if len(ended.Ends) > 0 {
		w.sys.tellScheduler(&actorspb.Envelope{Body: &actorspb.Envelope_Ended{Ended: ended}})
	}
	for caller, o := range outcomes {
		w.sys.tellCaller(caller, &actorspb.Envelope{Body: &actorspb.Envelope_Outcomes{Outcomes: o}})
	}
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

// firstOr returns the turn as the engine knows it.
func firstOr(t *actorspb.Turn) factor.Turn {
	if t.Turn == 0 && len(t.Payload) == 0 {
		return factor.First(t.Number)
	}
	return factor.Turn{ID: t.Turn, Payload: t.Payload, Predict: time.Duration(t.PredictNs)}
}
