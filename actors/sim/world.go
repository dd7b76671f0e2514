package sim

import (
	"container/heap"
	"fmt"
	"hash/fnv"
	"io"
	"iter"
	"math/rand/v2"
	"runtime/debug"
	"time"
)

// world is the clock, the line of events and the chance of one run. All that happens
// in a run happens in its goroutine: code that waits is a task, which runs until it
// waits and gives the goroutine back.
type world struct {
	rng   *rand.Rand
	now   time.Duration // since the run began
	line  line
	seq   uint64
	steps uint64
	trace io.Writer // nil for none
	sum   uint64    // of all that was traced: the same run has the same sum

	current *task
	tasks   map[*task]struct{} // of no process
	faults  []string           // what went wrong, the first ones
}

// event is something that happens at a time.
type event struct {
	at   time.Duration
	seq  uint64
	host *process // it happens to, nil for none
	do   func()
}

// line is a heap of events.
type line []event

func (l line) Len() int { return len(l) }
func (l line) Less(i, j int) bool {
	return l[i].at < l[j].at || l[i].at == l[j].at && l[i].seq < l[j].seq
}
func (l line) Swap(i, j int) { l[i], l[j] = l[j], l[i] }
func (l *line) Push(e any)   { *l = append(*l, e.(event)) }
func (l *line) Pop() any {
	old := *l
	e := old[len(old)-1]
	old[len(old)-1] = event{}
	*l = old[:len(old)-1]
	return e
}

func newWorld(seed uint64) *world {
	return &world{rng: rand.New(rand.NewPCG(seed, 0x5eed)), tasks: map[*task]struct{}{}}
}

// after has do happen to a process after a time: never if that has died, and later
// if it is paused.
func (w *world) after(d time.Duration, host *process, do func()) {
	w.seq++
	heap.Push(&w.line, event{w.now + max(d, 0), w.seq, host, do})
}

// run makes events happen until done says so, or limit is reached. It reports
// whether done did.
func (w *world) run(limit time.Duration, done func() bool) bool {
	for !done() {
		if len(w.line) == 0 || w.line[0].at > limit {
			w.now = limit
			return false
		}
		e := heap.Pop(&w.line).(event)
		w.now = max(w.now, e.at)
		w.happen(e)
	}
	return true
}

func (w *world) happen(e event) {
	defer func() {
		if p := recover(); p != nil {
			w.broke("panic: %v\n%s", p, debug.Stack())
		}
	}()
	switch p := e.host; {
	case p == nil:
		w.steps++
		e.do()
	case p.dead:
	case p.paused:
		p.held = append(p.held, e)
	default:
		w.steps++
		e.do()
		p.flushOut()
	}
}

// broke notes that a promise was broken.
func (w *world) broke(format string, args ...any) {
	if len(w.faults) < 20 {
		text := fmt.Sprintf("step %d, %v: ", w.steps, w.now) + fmt.Sprintf(format, args...)
		w.faults = append(w.faults, text)
		w.say("BROKEN %s", text)
	}
}

// say traces what happens.
func (w *world) say(format string, args ...any) {
	h := fnv.New64a()
	text := fmt.Sprintf(format, args...)
	fmt.Fprintf(h, "%d %d %d %s", w.sum, w.steps, w.now, text)
	w.sum = h.Sum64()
	w.show("%s", text)
}

// show prints into the trace.
func (w *world) show(format string, args ...any) {
	if w.trace != nil {
		fmt.Fprintf(w.trace, "%6d %12v %s\n", w.steps, w.now, fmt.Sprintf(format, args...))
	}
}

// chance is true with probability p.
func (w *world) chance(p float64) bool { return p > 0 && w.rng.Float64() < p }

// between is a random time.
func (w *world) between(least, most time.Duration) time.Duration {
	return least + time.Duration(w.rng.Int64N(int64(most-least)+1))
}

// often is a time that is usually near usual, now and then up to most.
func (w *world) often(usual, most time.Duration) time.Duration {
	if w.chance(0.02) {
		return w.between(usual, most)
	}
	return w.between(usual/4, usual)
}

// task is code that may wait.
type task struct {
	host  *process // that it runs on, nil for none
	next  func() (struct{}, bool)
	kill  func()
	yield func(struct{}) bool
	among map[*task]struct{}
	turn  uint64 // counts its waits: who wakes it names the one that is meant
	ended bool
	again bool // an answer to what it asked was lost
}

// end unwinds a task whose process has died.
func (w *world) end(t *task) {
	before := w.current
	w.current, t.ended = t, true
	t.kill()
	w.current = before
}

// killed unwinds a task whose process has died.
type killed struct{}

// start has a task begin after a time.
func (w *world) start(d time.Duration, host *process, f func()) *task {
	t := &task{host: host}
	t.next, t.kill = iter.Pull(func(yield func(struct{}) bool) {
		defer func() {
			t.ended = true
			if p := recover(); p != nil && p != (killed{}) {
				w.broke("panic: %v\n%s", p, debug.Stack())
			}
		}()
		t.yield = yield
		if host == nil || !host.dead {
			f()
		}
	})
	t.among = w.tasks
	if host != nil {
		t.among = host.tasks
	}
	t.among[t] = struct{}{}
	w.after(d, host, func() { w.resume(t) })
	return t
}

func (w *world) resume(t *task) {
	before := w.current
	w.current = t
	t.next()
	w.current = before
	if t.ended {
		delete(t.among, t)
	}
}

// wait stops the running task until it is woken, or until a time; negative is never.
// It reports whether it was woken.
func (w *world) wait(until time.Duration, begun func(wake func())) (woken bool) {
	t := w.current
	if t.host != nil && t.host.dead {
		panic(killed{})
	}
	t.turn++
	turn := t.turn
	back := func(by bool) {
		if t.turn == turn && !t.ended {
			t.turn++
			woken = by
			w.resume(t)
		}
	}
	if begun != nil {
		begun(func() { w.after(0, t.host, func() { back(true) }) })
	}
	if until >= 0 {
		w.after(until-w.now, t.host, func() { back(false) })
	}
	if !t.yield(struct{}{}) || t.host != nil && t.host.dead {
		panic(killed{})
	}
	return woken
}

// sleep stops the running task for a time.
func (w *world) sleep(d time.Duration) { w.wait(w.now+d, nil) }
