package dispatch_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"fairfactor/actors/dispatch"
)

// world is the machine's surroundings, told plainly: what callers have offered,
// what workers hold, what the network has lost.
type world struct {
	t          *testing.T
	rng        *rand.Rand
	machine    *dispatch.Machine
	crowd      int
	step       int
	now        time.Duration
	epoch      uint64
	dispatched uint64 // highest number that was given
	callers    []*actorCaller
	workers    []*actorWorker
	deaths     map[string]dispatch.Death // that the machine has told of, by caller and job
}

// actorCaller knows which turns it has offered and had no outcome of.
type actorCaller struct {
	name   string
	group  string
	home   string
	epoch  uint64
	weight int
	next   uint64
	left   int // turns it has not offered yet
	out    map[uint64]bool
	deaths map[uint64]string // the workers that died with jobs, as far as it was told
}

// actorWorker knows what it has in hand.
type actorWorker struct {
	name  string
	slots int
	alive bool
	has   map[uint64]dispatch.Turn
}

// TestRandomOperations does many random things to a machine, as a bad network
// and dying nodes would, and checks after each that the machine's view is
// sound. At the end everything is well again, and every turn must get done. With
// a crowd of 3, callers with empty windows become dormant.
func TestRandomOperations(t *testing.T) {
	for i := range 6 {
		seed, crowd := uint64(time.Now().UnixNano()), []int{dispatch.Crowd, 3}[i%2]
		t.Run(fmt.Sprintf("crowd %d, seed %d", crowd, seed), func(t *testing.T) {
			w := newWorld(t, seed)
			w.crowd = crowd
			w.machine.Crowd(crowd)
			for w.step = range 5000 {
				w.now += time.Duration(w.rng.IntN(20)) * time.Millisecond
				w.act()
				w.hear(w.rng.IntN(10) == 0)
				w.check()
			}
			w.recover()
		})
	}
}

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{t: t, rng: rand.New(rand.NewPCG(seed, 1)), epoch: 1, deaths: map[string]dispatch.Death{}}
	w.machine = dispatch.New(dispatch.Config{Epoch: 1, Self: "w1"})
	for i := range 12 {
		w.callers = append(w.callers, &actorCaller{name: fmt.Sprint("c", i), epoch: 1, weight: 1 + i%3, out: map[uint64]bool{}, deaths: map[uint64]string{}})
	}
	for i := range 4 {
		w.workers = append(w.workers, &actorWorker{name: fmt.Sprint("w", i), slots: 1 + i%3, has: map[uint64]dispatch.Turn{}})
	}
	return w
}

func (w *world) act() {
	c, k := w.callers[w.rng.IntN(len(w.callers))], w.workers[w.rng.IntN(len(w.workers))]
	switch n := w.rng.IntN(1000); {
	case n < 250:
		if len(c.out) < 30 {
			c.left += w.rng.IntN(6)
		}
		w.offer(c, w.rng.IntN(8), w.rng.IntN(20) == 0)
	case n < 300: // the same again, in part or whole
		w.offer(c, 0, true)
	case n < 600:
		w.end(k, w.rng.IntN(20) == 0)
	case n < 750:
		w.beat(k)
	case n < 800:
		w.machine.Tick(w.now)
	case n < 830:
		w.withdraw(c)
	case n < 840:
		w.renew(c)
	case n < 848:
		k.alive = false
		w.machine.WorkerLeft(w.now, k.name)
	case n < 856: // dies, and the machine is not told
		k.alive, k.has = false, map[uint64]dispatch.Turn{}
	case n < 860:
		w.machine.KeepWorkers(w.now, []string{k.name, "another"})
	case n < 863:
		w.newScheduler()
	case n < 864:
		c.group = []string{"", "red", "blue"}[w.rng.IntN(3)]
	case n < 865:
		c.home = w.workers[w.rng.IntN(len(w.workers))].name
	case n < 866:
		w.machine.WeighGroup("red", w.rng.IntN(4))
	case n < 870: // the store knows of work that the machine may not know of
		w.machine.Backlogged(w.now, []dispatch.Known{{Caller: c.name, Group: c.group, Weight: c.weight, Jobs: w.rng.Uint64N(5)}})
	case n < 876:
		w.now += time.Duration(w.rng.IntN(5000)) * time.Millisecond
	}
	w.dispatch(w.rng.IntN(50) == 0)
}

// offer gives the machine fresh turns of a caller, and with again all that have
// no outcome.
func (w *world) offer(c *actorCaller, fresh int, again bool) {
	o := dispatch.Offer{Caller: c.name, Group: c.group, Home: c.home, Epoch: c.epoch, Weight: c.weight, Again: again}
	if again {
		for _, seq := range slices.Sorted(maps.Keys(c.out)) {
			o.Turns = append(o.Turns, turnOf(c, seq))
		}
	}
	for range min(fresh, c.left) {
		c.next++
		c.left--
		c.out[c.next] = true
		o.Turns = append(o.Turns, turnOf(c, c.next))
	}
	o.More = c.left > 0
	o.Jobs, o.Work, o.Oldest = uint64(c.left+len(c.out)), time.Duration(c.left+len(c.out))*time.Second/3, w.rng.Int64N(5)*1e6
	w.machine.Offer(w.now, o)
}

// turnOf makes a turn; what it costs follows from its number.
func turnOf(c *actorCaller, seq uint64) dispatch.Turn {
	costs := []time.Duration{20 * time.Microsecond, time.Millisecond, 20 * time.Millisecond, 95 * time.Millisecond, -time.Second, time.Hour}
	return dispatch.Turn{
		Key: dispatch.Key{Caller: c.name, Epoch: c.epoch, Seq: seq}, Nonce: seq, Mourned: c.deaths[seq], Suspect: c.deaths[seq] != "",
		Predict: costs[int(seq*2654435761>>7)%len(costs)], Body: seq,
	}
}

// end lets a worker end one of its turns; the news of it may be lost.
func (w *world) end(k *actorWorker, lost bool) {
	numbers := slices.Sorted(maps.Keys(k.has))
	if len(numbers) == 0 {
		return
	}
	n := numbers[0]
	t := k.has[n]
	delete(k.has, n)
	if lost {
		return
	}
	if c := w.caller(t.Caller); c.epoch == t.Epoch {
		delete(c.out, t.Seq)
	}
	w.machine.End(w.now, n, time.Duration(w.rng.IntN(100_000))*time.Microsecond)
	if w.rng.IntN(10) == 0 {
		w.machine.End(w.now, n, time.Millisecond) // twice
	}
}

func (w *world) caller(name string) *actorCaller {
	i := slices.IndexFunc(w.callers, func(c *actorCaller) bool { return c.name == name })
	return w.callers[i]
}

func (w *world) beat(k *actorWorker) {
	k.alive = true
	var open []dispatch.Turn
	for _, n := range slices.Sorted(maps.Keys(k.has)) {
		open = append(open, bare(k.has[n]))
	}
	w.machine.Beat(w.now, k.name, k.slots, open)
}

func (w *world) withdraw(c *actorCaller) {
	seqs := slices.Sorted(maps.Keys(c.out))
	if len(seqs) == 0 {
		return
	}
	seq := seqs[0]
	delete(c.out, seq)
	for _, h := range w.machine.Withdraw(w.now, c.name, seq, c.epoch) {
		for _, k := range w.workers {
			if t, ok := k.has[h.Dispatched]; ok && k.name == h.Worker && t.Seq != seq {
				w.t.Fatalf("step %d: turn %v is halted for job %d", w.step, t.Key, seq)
			}
		}
	}
}

// renew activates a caller again: it offers its unfinished turns again. What the activation
// before it has withdrawn may come late.
func (w *world) renew(c *actorCaller) {
	c.epoch++
	w.offer(c, 0, true)
	for seq := range c.out {
		if halts := w.machine.Withdraw(w.now, c.name, seq, c.epoch-1); len(halts) > 0 {
			w.t.Fatalf("step %d: %d turns of job %d are halted by an earlier activation", w.step, len(halts), seq)
		}
	}
}

// hear tells callers which workers died with their jobs, unless the news is lost.
func (w *world) hear(lost bool) {
	for _, d := range w.machine.Deaths() {
		w.deaths[fmt.Sprint(d.Caller, " ", d.Seq)] = d
		if c := w.caller(d.Caller); !lost {
			c.deaths[d.Seq] = d.Process
			w.machine.Withdraw(w.now, d.Caller, d.Seq, c.epoch)
		}
	}
}

// newScheduler replaces the machine. The store knows a number that is long past.
func (w *world) newScheduler() {
	w.epoch++
	w.deaths = map[string]dispatch.Death{} // what it has not told is forgotten
	w.machine = dispatch.New(dispatch.Config{Epoch: w.epoch, Dispatched: w.dispatched / 2, Self: "w1"})
	w.machine.Crowd(w.crowd)
	for _, c := range w.callers {
		if w.rng.IntN(2) == 0 {
			w.offer(c, 0, true)
		}
	}
}

// dispatch hands out what can be handed out; a worker's message may be lost.
func (w *world) dispatch(lost bool) {
	before := w.dispatched
	runs, pulls := w.machine.Dispatch(w.now)
	for _, r := range runs {
		k := w.workers[slices.IndexFunc(w.workers, func(k *actorWorker) bool { return k.name == r.Worker })]
		for _, t := range r.Turns {
			if t.Dispatched <= before || t.Dispatched == w.dispatched {
				w.t.Fatalf("step %d: number %d was given before", w.step, t.Dispatched)
			}
			w.dispatched = max(w.dispatched, t.Dispatched)
			if d, ok := w.deaths[fmt.Sprint(t.Caller, " ", t.Seq)]; ok && d.Process != t.Mourned {
				w.t.Fatalf("step %d: turn %v is handed out, and its caller has not counted that %s died", w.step, t.Key, d.Process)
			}
			if t.Epoch == w.caller(t.Caller).epoch && t.Body == nil {
				w.t.Fatalf("step %d: turn %v has lost its body", w.step, t.Key)
			}
			if !lost && k.alive {
				k.has[t.Dispatched] = t
			}
		}
	}
	for _, p := range pulls {
		if p.Want < 1 || p.Want > dispatch.Window {
			w.t.Fatalf("step %d: pull of %d turns", w.step, p.Want)
		}
		if w.rng.IntN(20) > 0 {
			w.offer(w.caller(p.Caller), p.Want, false)
		}
	}
	if len(pulls) > 0 {
		w.dispatch(lost)
	}
}

func (w *world) check() {
	if err := w.machine.Check(); err != nil {
		w.t.Fatalf("step %d: %v", w.step, err)
	}
}

// recover lets everything be well: workers beat, callers answer and repeat what
// they were not told of. Then all turns must end, and nothing may be left.
func (w *world) recover() {
	for _, c := range w.callers {
		c.left = 0
	}
	for range 60 {
		w.now += 500 * time.Millisecond
		for _, c := range w.callers {
			w.offer(c, 0, true)
		}
		w.hear(false)
		w.machine.Tick(w.now)
		for _, k := range w.workers {
			w.beat(k)
			w.dispatch(false)
			for len(k.has) > 0 {
				w.end(k, false)
			}
		}
		w.dispatch(false)
		w.check()
	}
	for _, c := range w.callers {
		if len(c.out) > 0 {
			w.t.Errorf("%s waits for %d turns that never came back", c.name, len(c.out))
		}
	}
	if r := w.machine.Report(); r.Waiting != 0 || r.Open != 0 || r.Active != 0 {
		w.t.Errorf("at the end: %+v", r)
	}
	if callers, groups := w.machine.Callers(), w.machine.Groups(); callers != 0 || groups != 0 {
		w.t.Errorf("%d callers without work are remembered, %d groups", callers, groups)
	}
	if early, asking := w.machine.Asking(); early != 0 || asking != 0 {
		w.t.Errorf("%d callers are asked ahead, %d have not answered", early, asking)
	}
}
