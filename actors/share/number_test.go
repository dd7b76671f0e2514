package share_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"fairfactor/actors/share"
)

var begin = time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)

// told prints answers.
func told(answers []share.Answer) (texts []string) {
	for _, a := range answers {
		switch {
		case a.Run && a.From != "":
			texts = append(texts, a.Caller+" runs from "+a.From)
		case a.Run:
			texts = append(texts, a.Caller+" runs")
		case a.Known:
			texts = append(texts, fmt.Sprintf("%s known %v", a.Caller, a.Cost))
		default:
			texts = append(texts, a.Caller+" waits")
		}
	}
	return texts
}

// One runs, the others wait in the order in which they came, each pays its part.
func TestOneRunsAtATime(t *testing.T) {
	n := share.New("91", begin)
	now := begin
	for i, step := range []struct {
		after time.Duration
		want  share.Want
		told  []string
	}{
		{0, share.Want{Caller: "a", Jobs: 1}, []string{"a runs"}},
		{0, share.Want{Caller: "b", Jobs: 2}, []string{"b waits"}},
		{0, share.Want{Caller: "c", Jobs: 1}, []string{"c waits"}},
		{time.Second, share.Want{Caller: "a", Jobs: 1}, []string{"a runs"}}, // it did not hear
		{time.Second, share.Want{Caller: "a", Jobs: 1, Runs: true, CPU: time.Second}, nil},
		{time.Second, share.Want{Caller: "b", Jobs: 2, Waits: true}, []string{"b waits"}},
		{0, share.Want{Caller: "a", Over: true}, []string{"b runs"}}, // it was cancelled
		{0, share.Want{Caller: "a", Jobs: 1}, []string{"a waits"}},
		{0, share.Want{Caller: "b", Jobs: 2, Runs: true, CPU: time.Second}, nil},
		{0, share.Want{Caller: "b", Jobs: 2, Over: true, Known: true, CPU: 8 * time.Second}, []string{"c known 2s", "a known 2s"}},
		{0, share.Want{Caller: "d", Jobs: 1}, []string{"d runs"}}, // it will find it in the store
	} {
		now = now.Add(step.after)
		if got := told(n.Want(now, step.want)); !slices.Equal(got, step.told) {
			t.Errorf("step %d: told %v, want %v", i, got, step.told)
		}
	}
}

// A right moves on when its holder is silent, and when it is not used; an actor that
// has just begun waits for those that may run already.
func TestRightMovesOn(t *testing.T) {
	n := share.New("91", begin)
	n.Want(begin, share.Want{Caller: "a", Jobs: 1})
	n.Want(begin, share.Want{Caller: "b", Jobs: 1})
	now := begin
	ask := func(want []string) {
		t.Helper()
		if got := told(n.Want(now, share.Want{Caller: "b", Jobs: 1, Waits: true})); !slices.Equal(got, want) {
			t.Errorf("after %v: told %v, want %v", now.Sub(begin), got, want)
		}
	}
	for now.Sub(begin) < share.Lease-share.Every {
		now = now.Add(share.Every)
		ask([]string{"b waits"})
	}
	now = now.Add(share.Every)
	ask([]string{"b runs"})
	n.Want(now, share.Want{Caller: "a", Jobs: 1, Waits: true})
	for begun := now; now.Sub(begun) < share.Stuck; now = now.Add(share.Every) {
		n.Want(now, share.Want{Caller: "b", Jobs: 1, Runs: true})
		if got := told(n.Want(now, share.Want{Caller: "a", Jobs: 1, Waits: true})); !slices.Equal(got, []string{"a waits"}) {
			t.Fatalf("told %v before the right was stuck", got)
		}
	}
	if got := told(n.Want(now, share.Want{Caller: "a", Jobs: 1, Waits: true})); !slices.Equal(got, []string{"a runs"}) {
		t.Errorf("told %v after the right was stuck", got)
	}
	n, now = share.New("91", begin), begin // another activation
	ask([]string{"b waits"})
	n.Want(now, share.Want{Caller: "a", Jobs: 1, Runs: true, CPU: time.Second})
	now = begin.Add(share.Settle)
	ask([]string{"b waits"})
}

// world is some callers, each with a job, an actor, and a network that loses messages.
type world struct {
	t       *testing.T
	rng     *rand.Rand
	now     time.Time
	actor   *share.Number
	callers map[string]*client
	known   bool // the store has the result
	faults  bool
	runs    int // jobs that were begun
}

type client struct {
	name              string
	runs, waits, over bool
	cpu               time.Duration
	sent              time.Time
}

// Messages are lost, the actor forgets everything, jobs that run are cancelled, callers
// vanish: every caller that is left ends, and without faults one job runs at a time.
func TestEveryCallerEnds(t *testing.T) {
	for _, faults := range []bool{false, true} {
		for range 300 {
			seed := rand.Uint64()
			w := &world{t: t, rng: rand.New(rand.NewPCG(seed, 1)), now: begin, callers: map[string]*client{}, faults: faults}
			w.run()
			if t.Failed() {
				t.Fatalf("seed %d, faults %v", seed, faults)
			}
		}
	}
}

func (w *world) run() {
	w.actor = share.New("91", w.now)
	for range 1 + w.rng.IntN(8) {
		w.join()
	}
	for step := 0; len(w.callers) > 0; step++ {
		if step > 3000 {
			w.t.Errorf("%d callers have not ended after %v", len(w.callers), w.now.Sub(begin))
			return
		}
		w.now = w.now.Add(100 * time.Millisecond)
		if w.faults && step < 500 {
			w.fault()
		}
		for _, name := range w.names() {
			w.step(w.callers[name])
		}
		w.check()
	}
}

func (w *world) names() (names []string) {
	for name := range w.callers {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (w *world) join() {
	c := &client{name: fmt.Sprint("c", len(w.callers))}
	w.callers[c.name] = c
	w.send(c, share.Want{Jobs: 1})
}

func (w *world) fault() {
	switch names := w.names(); w.rng.IntN(40) {
	case 0:
		w.actor = share.New("91", w.now)
	case 1:
		delete(w.callers, names[w.rng.IntN(len(names))])
	case 2: // the job that runs is cancelled
		for _, name := range names {
			if c := w.callers[name]; c.runs {
				delete(w.callers, name)
				w.send(c, share.Want{Over: true})
				return
			}
		}
	}
}

// send brings the actor a message, unless it is lost, and its answers back.
func (w *world) send(c *client, m share.Want) {
	m.Number, m.Caller, c.sent = "91", c.name, w.now
	if w.faults && w.rng.IntN(5) == 0 {
		return
	}
	all := m.CPU
	for _, a := range w.actor.Want(w.now, m) {
		if all -= a.Cost; all < 0 {
			w.t.Errorf("callers pay more than it took")
		}
		to := w.callers[a.Caller]
		if to == nil || w.faults && w.rng.IntN(5) == 0 {
			continue
		}
		switch {
		case a.Known || a.Run && w.known: // it looks into the store
			to.over = true
		case a.Run && !to.runs:
			to.runs = true
			w.runs++
		case !a.Run:
			to.waits = true
		}
	}
}

func (w *world) step(c *client) {
	if c == nil {
		return
	}
	if c.runs {
		c.cpu += 100 * time.Millisecond
		if c.cpu >= 20*time.Second {
			w.known, c.over = true, true
			delete(w.callers, c.name)
			w.send(c, share.Want{Jobs: 1, Over: true, Known: true, CPU: c.cpu})
			return
		}
	}
	if c.over {
		delete(w.callers, c.name)
		w.send(c, share.Want{Jobs: 1, Over: true, Known: true})
		return
	}
	if w.now.Sub(c.sent) >= share.Every {
		w.send(c, share.Want{Jobs: 1, Runs: c.runs, Waits: !c.runs, CPU: c.cpu})
	}
}

func (w *world) check() {
	running := 0
	for _, c := range w.callers {
		if c.runs {
			running++
		}
	}
	if !w.faults && (running > 1 || w.runs > 1) {
		w.t.Errorf("%d jobs run, %d were begun", running, w.runs)
	}
}

// Who runs next is told who has the work of the job that ran before, as long as that may
// be there, until a job runs.
func TestWorkMovesOn(t *testing.T) {
	n := share.New("91", begin)
	now := begin
	for i, step := range []struct {
		after time.Duration
		want  share.Want
		told  []string
	}{
		{0, share.Want{Caller: "a", Jobs: 1}, []string{"a runs"}},
		{0, share.Want{Caller: "a", Jobs: 1, Runs: true}, nil},
		{0, share.Want{Caller: "b", Jobs: 1}, []string{"b waits"}},
		{0, share.Want{Caller: "c", Jobs: 1}, []string{"c waits"}},
		{0, share.Want{Caller: "a", Over: true, Leaves: true}, []string{"b runs from a"}},
		{time.Second, share.Want{Caller: "b", Jobs: 1, Waits: true}, []string{"b runs from a"}}, // it did not hear
		{0, share.Want{Caller: "b", Jobs: 1, Runs: true}, nil},
		{0, share.Want{Caller: "b", Over: true}, []string{"c runs"}}, // it leaves nothing
		{0, share.Want{Caller: "c", Over: true, Leaves: true}, nil},
		{share.Lease - 1, share.Want{Caller: "a", Jobs: 1}, []string{"a runs from c"}},
		{0, share.Want{Caller: "a", Over: true, Leaves: true}, nil},
		{share.Lease, share.Want{Caller: "b", Jobs: 1}, []string{"b runs"}}, // it is gone
	} {
		now = now.Add(step.after)
		if got := told(n.Want(now, step.want)); !slices.Equal(got, step.told) {
			t.Errorf("step %d: told %v, want %v", i, got, step.told)
		}
	}
}
