package actors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"fairfactor/factor"
)

// compute is one compute thread: it runs turns until the worker closes or
// drains.
func (w *worker) compute(i int) {
	thread := w.sys.run.Thread()
	defer thread.Close()
	stop := w.stops[i].Load
	notes := w.sys.notes
	for {
		t := w.take(i, thread)
		if t == nil {
			return
		}
		if notes != nil {
			notes.Begin(i, t.caller, t.id, t.number)
		}
		used := thread.CPU()
		r := w.runTurn(thread, i, stop, t)
		r.cpu = thread.CPU() - used
		if notes != nil {
			notes.End(i)
		}
		w.logTurn(&r)
		w.finish(i, thread, r)
	}
}

// take waits for a turn; nil means that there will be none.
func (w *worker) take(i int, thread Thread) *turn {
	w.mu.Lock()
	defer w.mu.Unlock()
	for !w.closed && !w.draining && !w.mayTake(i, thread) {
		w.ready.Wait()
	}
	if w.closed || len(w.queue) == 0 {
		return nil
	}
	t := w.queue[0]
	w.queue[0] = nil
	w.queue = w.queue[1:]
	w.running[i] = slot{turn: t, since: w.sys.now()}
	w.stops[i].Store(false)
	if len(w.queue) > 0 && !w.crowded() {
		w.ready.Signal() // if this was the last slot, and its turn is long
	}
	if time.Duration(t.predict) >= longTurn {
		w.tellLocked(news{turn: t, began: true, started: w.running[i].since})
	}
	return t
}

// finish reports a turn that has ended.
func (w *worker) finish(i int, thread Thread, r news) {
	w.sys.Counters.Turns.Add(1)
	w.sys.Counters.CPU.Add(int64(r.cpu))
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case r.halted && w.closed:
		w.sys.Counters.Broken.Add(int64(r.cpu))
	case r.halted:
		w.sys.Counters.Unwanted.Add(int64(r.cpu))
	}
	w.running[i] = slot{}
	w.leaveTables(i, thread)
	w.tellLocked(r)
}

// runTurn runs one turn. A panic in the engine is the job's misfortune, not the
// node's.
func (w *worker) runTurn(thread Thread, i int, stop func() bool, t *turn) (r news) {
	r = news{turn: t}
	defer func() {
		if p := recover(); p != nil {
			w.sys.log.Error("a turn panicked", "caller", t.caller, "turn", t.dispatched, "number", t.number, "err", p, "stack", string(debug.Stack()))
			r.failure = fmt.Sprintf("internal error in the factoring engine: %v", p)
		}
	}()
	r.started = w.running[i].since // set by this thread, in take
	if r.failure = w.tooLarge(thread, t); r.failure != "" {
		return r
	}
	result, err := execute(thread, t, stop)
	switch {
	case errors.Is(err, factor.ErrStopped):
		r.halted = true
	case err != nil:
		r.failure = err.Error()
	default:
		r.data = result.Data
	}
	return r
}

// logTurn lets anybody watch the round robin.
func (w *worker) logTurn(r *news) {
	if !w.sys.log.Enabled(context.Background(), slog.LevelDebug) {
		return
	}
	w.sys.log.Debug("turn", slog.String("caller", r.turn.caller), slog.String("number", r.turn.number),
		slog.Uint64("job", r.turn.id.Seq), slog.Uint64("turn", r.turn.dispatched), slog.Duration("took", r.cpu.Round(time.Microsecond)))
}
