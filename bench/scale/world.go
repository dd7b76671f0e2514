package scale

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"time"

	"fairfactor/actors/dispatch"
)

// Of the simulated network and of the shell around the machine.
const (
	// step is how long the scheduler's shell gathers messages before it lets the
	// machine look: what a busy actor's mailbox does.
	step = time.Millisecond
	// oneWay is how long a message takes, and what a caller's actor needs to answer.
	oneWay = 1
	answer = 2
	// beat is how often a node tells what it has in hand, in steps.
	beat = 1000
	// short is the part of a long turn's CPU that a short one needs.
	short = 10
)

// worldConfig is the size of a simulated cluster.
type worldConfig struct {
	nodes   int
	threads int           // of each node
	callers []string      // all have work, always
	turn    time.Duration // CPU of a long turn
	seed    uint64
}

// world is a simulated cluster around a real machine. Time goes in steps, and
// everything that happens in a step is told to the machine before it looks once.
type world struct {
	worldConfig
	machine *dispatch.Machine
	rng     *rand.Rand
	now     time.Duration
	at      int // steps

	nodes   []*node
	node    map[string]*node
	number  map[string]int // of each caller
	callers []simulated
	listed  int // callers that the machine was told of
	known   []dispatch.Known

	// What is on its way, by the step in which it arrives, modulo its length.
	arrivals [ring]arrival
	offering []dispatch.Turn
	offers   []dispatch.Offer // of these turns

	spent    time.Duration // CPU of the machine's calls, on this processor
	handed   int
	ended    int
	used     time.Duration // CPU of the turns that ended
	measured time.Duration
	before   uint64 // bytes on the heap without the machine
}

// ring is more steps than anything is under way or a turn takes.
const ring = 256

// arrival is what happens in one step.
type arrival struct {
	ends  []finished
	pulls []dispatch.Pull
	runs  []given
}

// simulated is a caller.
type simulated struct {
	seq  uint64
	used time.Duration
}

// node has threads, each busy until a step, and turns that wait for one.
type node struct {
	name  string
	idle  int
	queue []dispatch.Turn
	open  map[uint64]dispatch.Turn
}

type given struct {
	to    *node
	turns []dispatch.Turn
}

type finished struct {
	at   *node
	turn dispatch.Turn
	took time.Duration
}

// newWorld returns a cluster at time zero, in which no turn has been handed out.
func newWorld(cfg worldConfig) *world {
	w := &world{
		worldConfig: cfg, rng: rand.New(rand.NewPCG(cfg.seed, 1)),
		node: map[string]*node{}, number: make(map[string]int, len(cfg.callers)), callers: make([]simulated, len(cfg.callers)),
	}
	for i := range cfg.nodes {
		n := &node{name: fmt.Sprintf("node-%04d", i), idle: cfg.threads, open: map[uint64]dispatch.Turn{}}
		w.nodes, w.node[n.name] = append(w.nodes, n), n
	}
	for i, name := range cfg.callers {
		w.number[name] = i
	}
	w.before = heap()
	w.machine = dispatch.New(dispatch.Config{Epoch: 1})
	for _, n := range w.nodes {
		w.machine.Beat(0, n.name, cfg.threads, nil)
	}
	return w
}

func names(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("caller-%07d", i)
	}
	return all
}

func (w *world) slots() int { return len(w.nodes) * w.threads }

// forget starts a new measurement.
func (w *world) forget() { w.spent, w.handed, w.ended, w.used, w.measured = 0, 0, 0, 0, 0 }

// run lets simulated time go by.
func (w *world) run(ctx context.Context, span time.Duration) error {
	runtime.LockOSThread() // see [threadTime]
	defer runtime.UnlockOSThread()
	for until := w.now + span; w.now < until; {
		if w.at%64 == 0 && ctx.Err() != nil {
			return fmt.Errorf("simulating %d nodes: %w", len(w.nodes), ctx.Err())
		}
		w.at++
		w.now += step
		w.arrive(&w.arrivals[w.at%ring])
		w.beats()
		w.list()
		w.dispatch()
	}
	w.measured += span
	return nil
}

// arrive tells the machine of ended turns and new offers, and nodes of turns.
func (w *world) arrive(a *arrival) {
	for i := range a.ends {
		e := &a.ends[i]
		w.callers[w.number[e.turn.Caller]].used += e.took
		w.used += e.took
		delete(e.at.open, e.turn.Dispatched)
		e.at.idle++
		e.at.begin(w)
	}
	for i := range a.runs {
		g := &a.runs[i]
		for _, t := range g.turns {
			g.to.open[t.Dispatched] = t
		}
		g.to.queue = append(g.to.queue, g.turns...)
		g.to.begin(w)
	}
	w.ended += len(a.ends)
	w.offers, w.offering = w.offers[:0], w.offering[:0]
	for _, p := range a.pulls {
		w.offer(p)
	}
	w.timed(func() {
		for i := range a.ends {
			w.machine.End(w.now, a.ends[i].turn.Dispatched, a.ends[i].took)
		}
		for i := range w.offers {
			w.machine.Offer(w.now, w.offers[i])
		}
	})
	clear(a.ends)
	clear(a.runs)
	a.ends, a.runs, a.pulls = a.ends[:0], a.runs[:0], a.pulls[:0]
}

// begin starts turns on idle threads.
func (n *node) begin(w *world) {
	for n.idle > 0 && len(n.queue) > 0 {
		t := n.queue[0]
		n.queue = n.queue[1:]
		n.idle--
		took := time.Duration(float64(t.Predict) * (0.9 + 0.2*w.rng.Float64()))
		w.after(max(int((took+step/2)/step), 1) + oneWay).ends = append(w.after(max(int((took+step/2)/step), 1)+oneWay).ends, finished{n, t, took})
	}
}

// after is what happens some steps from now.
func (w *world) after(steps int) *arrival { return &w.arrivals[(w.at+min(steps, ring-1))%ring] }

// offer has a caller answer the scheduler.
func (w *world) offer(p dispatch.Pull) {
	i := w.number[p.Caller]
	first := len(w.offering)
	for range p.Want {
		c := &w.callers[i]
		c.seq++
		predict := w.turn
		if (c.seq+uint64(i))%2 == 0 {
			predict /= short
		}
		w.offering = append(w.offering, dispatch.Turn{
			Key: dispatch.Key{Caller: p.Caller, Epoch: 1, Seq: c.seq}, Predict: predict, Body: w,
		})
	}
	w.offers = append(w.offers, dispatch.Offer{Caller: p.Caller, Epoch: 1, Weight: 1, Turns: w.offering[first:], More: true})
}

// timed adds what the machine's calls cost.
func (w *world) timed(calls func()) {
	start := threadTime()
	calls()
	w.spent += threadTime() - start
}

// beats has some of the nodes tell what they have in hand, and the machine tick.
func (w *world) beats() {
	for i := w.at % beat; i < len(w.nodes); i += beat {
		n := w.nodes[i]
		open := make([]dispatch.Turn, 0, len(n.open))
		for _, t := range n.open {
			open = append(open, t)
		}
		w.timed(func() { w.machine.Beat(w.now, n.name, w.threads, open) })
	}
	if w.at%beat == 0 {
		w.timed(func() {
			w.machine.Tick(w.now)
			w.machine.Report()
		})
	}
}

// list tells the machine of callers that it wants to hear of, as the store's index
// does: a page in a step at most.
func (w *world) list() {
	const page = 1000
	n := min(w.machine.Wants(), page, len(w.callers)-w.listed)
	if n == 0 {
		return
	}
	w.known = w.known[:0]
	for _, name := range w.worldConfig.callers[w.listed : w.listed+n] {
		w.known = append(w.known, dispatch.Known{Caller: name, Weight: 1})
	}
	w.listed += n
	w.timed(func() { w.machine.Backlogged(w.now, w.known) })
}

// dispatch has the machine hand out turns and ask callers.
func (w *world) dispatch() {
	var runs []dispatch.Run
	var pulls []dispatch.Pull
	w.timed(func() { runs, pulls = w.machine.Dispatch(w.now) })
	for _, r := range runs {
		w.handed += len(r.Turns)
		a := w.after(oneWay)
		a.runs = append(a.runs, given{w.node[r.Worker], append([]dispatch.Turn(nil), r.Turns...)})
	}
	a := w.after(answer)
	a.pulls = append(a.pulls, pulls...)
}

// bytes is what the machine holds on the heap, with the names and turns that it
// shares with nothing else here.
func (w *world) bytes() uint64 {
	for i := range w.arrivals {
		w.arrivals[i] = arrival{}
	}
	for _, n := range w.nodes {
		n.queue, n.open = nil, nil
	}
	if now := heap(); now > w.before {
		return now - w.before
	}
	return 0
}

// heap is the number of live bytes.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
