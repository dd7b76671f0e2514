package actors

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"time"

	"fairfactor/factor"
)

// niceness of the threads that run long turns: answering comes first. Measured with three
// busy nodes on two cores: 2,300 answered requests/s each with it, 18 without.
const niceness = 15

// quickTurn is the predicted CPU up to which a turn runs at the priority of all else. A
// quick job that had to wait until no request wants a processor would cost more than it
// takes: its end is written apart from its acceptance then, and its caller is kept until
// the burst is over.
const quickTurn = 250 * time.Microsecond

// thread is the [Thread] of the machine. Quick turns run where they are asked for, others
// on a thread of low priority that is there from the first of them on.
type thread struct {
	runner *factor.Runner
	low    *lowThread    // nil until a long turn came
	spent  time.Duration // CPU of all turns
}

func newThread() *thread { return new(thread) }

// Run implements [Thread]. A runner that panicked is not used again.
func (t *thread) Run(turn factor.Turn, stop func() bool) (factor.Result, error) {
	if turn.Predict <= quickTurn { // the function of the other branch is on the heap
		return t.here(func(r *factor.Runner) (factor.Result, error) { return r.Run(turn, stop) })
	}
	return t.apart(func(r *factor.Runner) (factor.Result, error) { return r.Run(turn, stop) })
}

// RunFirst implements [Thread].
func (t *thread) RunFirst(number string, predict time.Duration, stop func() bool) (factor.Result, error) {
	if predict <= quickTurn {
		return t.here(func(r *factor.Runner) (factor.Result, error) { return r.RunFirst(number, stop) })
	}
	return t.apart(func(r *factor.Runner) (factor.Result, error) { return r.RunFirst(number, stop) })
}

// here runs a turn.
func (t *thread) here(run func(*factor.Runner) (factor.Result, error)) (factor.Result, error) {
	runner := t.take()
	runtime.LockOSThread()
	began := threadCPU()
	defer func() {
		t.spent += threadCPU() - began
		runtime.UnlockOSThread()
	}()
	r, err := run(runner)
	t.runner = runner
	return r, err
}

// apart runs a turn on the thread of low priority.
func (t *thread) apart(run func(*factor.Runner) (factor.Result, error)) (factor.Result, error) {
	if t.low == nil {
		t.low = newLowThread()
	}
	runner := t.take()
	var r factor.Result
	var err error
	done := t.low.do(func() { r, err = run(runner) })
	t.spent += done.cpu
	if done.panic != nil {
		panic(fmt.Sprintf("%v\n%s", done.panic, done.stack))
	}
	t.runner = runner
	return r, err
}

// take takes the runner, which is there again after a turn that did not panic.
func (t *thread) take() *factor.Runner {
	runner := t.runner
	if t.runner = nil; runner == nil {
		runner = factor.NewRunner()
	}
	return runner
}

// Needs implements [Thread].
func (t *thread) Needs(payload []byte) int64 {
	if t.runner == nil {
		return factor.TurnMemory(payload)
	}
	return t.runner.Needs(payload)
}

// Tables implements [Thread].
func (t *thread) Tables() int64 {
	if t.runner == nil {
		return 0
	}
	return t.runner.Tables()
}

// Forget implements [Thread].
func (t *thread) Forget() { t.runner = nil }

// CPU implements [Thread].
func (t *thread) CPU() time.Duration { return t.spent }

// Close implements [Thread].
func (t *thread) Close() {
	if t.low != nil {
		t.low.close()
	}
}

// lowThread is a thread of low priority that runs one function after the other.
type lowThread struct {
	work chan func()
	done chan lowResult
}

// lowResult is what became of a function.
type lowResult struct {
	cpu   time.Duration
	panic any
	stack []byte
}

func newLowThread() *lowThread {
	t := &lowThread{work: make(chan func()), done: make(chan lowResult)}
	go t.loop()
	return t
}

func (t *lowThread) loop() {
	defer ownThread(niceness)()
	used := threadCPU()
	for f := range t.work {
		r := guarded(f)
		now := threadCPU()
		r.cpu, used = now-used, now
		t.done <- r
	}
}

func guarded(f func()) (r lowResult) {
	defer func() {
		if r.panic = recover(); r.panic != nil {
			r.stack = debug.Stack()
		}
	}()
	f()
	return r
}

// do runs f and waits for it.
func (t *lowThread) do(f func()) lowResult {
	t.work <- f
	return <-t.done
}

func (t *lowThread) close() { close(t.work) }
