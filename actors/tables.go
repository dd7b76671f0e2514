package actors

import (
	"fmt"

	"fairfactor/actors/memory"
)

// What compute threads hold is bounded too, see package memory: a turn begins when what it
// needs fits next to what other threads hold, or when no other turn runs. Turns begin in the
// order of the queue, so one that does not fit waits for those that run, 100 ms or so, and
// those behind it wait no longer than that. Threads that idle give up their tables first.

// tables is what the threads hold, by estimate. Its worker's mu guards it.
type tables struct {
	held    []int64 // by thread: what its turn needs, or what it keeps while it idles
	drop    []bool  // by thread: it is to give up what it keeps
	blocked bool    // a thread waits for memory
}

func newTables(threads int) tables {
	return tables{held: make([]int64, threads), drop: make([]bool, threads)}
}

// wake has threads look again that wait for memory.
func (t *tables) wake(ready Cond) {
	if t.blocked {
		t.blocked = false
		ready.Broadcast()
	}
}

// needs is what a thread holds while it runs a turn.
func needs(thread Thread, t *turn) int64 { return thread.Needs(t.payload) }

// mayTake reports whether a thread may take the first turn of the queue now. The caller
// holds mu.
func (w *worker) mayTake(i int, thread Thread) bool {
	ledger := w.sys.memory
	if ledger == nil {
		return len(w.queue) > 0 && !w.crowded()
	}
	if w.tables.drop[i] {
		w.forgetTables(i, thread)
	}
	if len(w.queue) == 0 || w.crowded() {
		return false
	}
	need, others, alone := needs(thread, w.queue[0]), int64(0), true
	for j, held := range w.tables.held {
		if j != i {
			others += held
			alone = alone && w.running[j].turn == nil
		}
	}
	if need+others <= ledger.Turns() {
		w.tables.held[i] = need
		return true
	}
	w.tables.blocked = true
	for j, held := range w.tables.held {
		if j != i && held > 0 && w.running[j].turn == nil {
			w.tables.drop[j] = true
			w.ready.Broadcast()
		}
	}
	if w.tables.held[i] > 0 {
		w.forgetTables(i, thread)
		return w.mayTake(i, thread)
	}
	if alone && others == 0 {
		w.tables.held[i] = need
		return true
	}
	return false
}

// forgetTables gives up what a thread keeps. The caller holds mu.
func (w *worker) forgetTables(i int, thread Thread) {
	thread.Forget()
	w.tables.drop[i], w.tables.held[i] = false, 0
	w.tables.wake(w.ready)
}

// leaveTables notes what a thread keeps after a turn. The caller holds mu.
func (w *worker) leaveTables(i int, thread Thread) {
	if w.sys.memory != nil {
		w.tables.held[i] = thread.Tables()
		w.tables.wake(w.ready)
	}
}

// tooLarge says why a turn can't run on this node, however much waits for it.
func (w *worker) tooLarge(thread Thread, t *turn) string {
	ledger := w.sys.memory
	if ledger == nil || len(t.payload) == 0 {
		return ""
	}
	if need := needs(thread, t); need > ledger.Whole() {
		return fmt.Sprintf("a turn would take some %d MiB of memory, and --work-memory is %d MiB", need>>20, ledger.Whole()>>20)
	}
	return ""
}

// memoryFreed has threads look again that wait for memory: jobs hold less.
func (s *System) memoryFreed() {
	if w := s.worker; w != nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.tables.wake(w.ready)
	}
}

// Memory is what jobs hold of --work-memory.
func (s *System) Memory() memory.Stats { return s.memory.Stats() }
