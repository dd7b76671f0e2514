package dispatch_test

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"fairfactor/actors/dispatch"
)

// hop is how long a message takes in the simulated cluster.
const hop = 100 * time.Microsecond

// cluster simulates callers, workers and the network between them and a real
// machine, in virtual time.
type cluster struct {
	rng     *rand.Rand
	machine *dispatch.Machine
	now     time.Duration
	events  eventHeap
	count   uint64
	nodes   map[string]*node
	callers map[string]*source
	busy    time.Duration // CPU of all turns that ended
	looking bool          // a Dispatch is on its way
	before  func()        // called before each Dispatch
	handed  []dispatch.Turn
	index   []*source // callers that only the store knows of yet
	pulls   int
}

// event happens at a time; of two at the same time the one made first.
type event struct {
	at    time.Duration
	count uint64
	do    func()
}

type eventHeap []event

func (h eventHeap) Len() int { return len(h) }
func (h eventHeap) Less(i, j int) bool {
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].count < h[j].count
}
func (h eventHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *eventHeap) Push(e any)   { *h = append(*h, e.(event)) }
func (h *eventHeap) Pop() any {
	last := len(*h) - 1
	e := (*h)[last]
	(*h)[last].do = nil
	*h = (*h)[:last]
	return e
}

// node is a worker with its queue.
type node struct {
	name  string
	slots int
	busy  int
	short int     // of those, turns of no more than [dispatch.Credit]
	slow  float64 // turns use so many times their cost; 1 is usual
	queue []dispatch.Turn
	has   map[uint64]dispatch.Turn
	life  int // deaths so far
}

// source is a caller: an endless one, or one with some turns left.
type source struct {
	name    string
	group   string
	home    string
	weight  int
	wake    time.Duration // what it takes to activate it, when it is asked
	predict time.Duration
	cost    func() time.Duration // what a turn really uses
	left    int                  // turns not offered yet; below zero: endless
	next    uint64
	charged time.Duration // CPU of ended turns, each at least a quantum
	ended   func(seq uint64)
}

func newCluster(seed uint64, nodes, slots int) *cluster {
	c := &cluster{
		rng: rand.New(rand.NewPCG(seed, 2)), machine: dispatch.New(dispatch.Config{Epoch: 1}),
		nodes: map[string]*node{}, callers: map[string]*source{}, before: func() {},
	}
	for i := range nodes {
		c.start(fmt.Sprint("w", i), slots)
	}
	c.every(500*time.Millisecond, func() { c.machine.Tick(c.now) })
	return c
}

// after has something done later.
func (c *cluster) after(d time.Duration, do func()) {
	c.count++
	heap.Push(&c.events, event{c.now + d, c.count, do})
}

func (c *cluster) every(d time.Duration, do func()) {
	c.after(d, func() {
		do()
		c.look()
		c.every(d, do)
	})
}

// run lets that much time pass.
func (c *cluster) run(d time.Duration) {
	end := c.now + d
	for len(c.events) > 0 && c.events[0].at <= end {
		e := heap.Pop(&c.events).(event)
		c.now = e.at
		e.do()
	}
	c.now = end
}

// start brings a node up; it beats until it dies.
func (c *cluster) start(name string, slots int) {
	n := &node{name: name, slots: slots, slow: 1, has: map[uint64]dispatch.Turn{}}
	c.nodes[name] = n
	var beat func()
	beat = func() {
		if c.nodes[name] != n {
			return
		}
		open := make([]dispatch.Turn, 0, len(n.has))
		for _, t := range n.has {
			open = append(open, bare(t))
		}
		c.machine.Beat(c.now, name, slots, open)
		c.look()
		c.after(time.Second, beat)
	}
	beat()
}

// kill takes a node away with all it has in hand.
func (c *cluster) kill(name string) {
	c.nodes[name].life++
	delete(c.nodes, name)
	c.machine.WorkerLeft(c.now, name)
	c.look()
}

// join brings a caller with its first offer.
func (c *cluster) join(s *source) {
	c.callers[s.name] = s
	c.offer(s, 16)
}

// store has callers known from the store's index, as many at a time as the
// machine wants to hear of.
func (c *cluster) store(all []*source) {
	for _, s := range all {
		c.callers[s.name] = s
	}
	c.index = append(c.index, all...)
	c.every(20*time.Millisecond, func() {
		n := min(c.machine.Wants(), len(c.index))
		var page []dispatch.Known
		for _, s := range c.index[:n] {
			page = append(page, dispatch.Known{Caller: s.name, Group: s.group, Weight: s.weight})
		}
		c.machine.Backlogged(c.now, page)
		c.index = c.index[n:]
	})
}

func (c *cluster) offer(s *source, want int) {
	o := dispatch.Offer{Caller: s.name, Group: s.group, Home: s.home, Epoch: 1, Weight: s.weight}
	for range want {
		if s.left == 0 {
			break
		}
		s.left--
		s.next++
		o.Turns = append(o.Turns, dispatch.Turn{Key: dispatch.Key{Caller: s.name, Epoch: 1, Seq: s.next}, Predict: s.predict, Body: s})
	}
	o.More = s.left != 0
	c.after(hop, func() {
		c.machine.Offer(c.now, o)
		c.look()
	})
}

// look has the machine hand out what it can, once all messages of this moment
// are in.
func (c *cluster) look() {
	if c.looking {
		return
	}
	c.looking = true
	c.after(0, func() {
		c.looking = false
		c.before()
		runs, pulls := c.machine.Dispatch(c.now)
		for _, r := range runs {
			turns := slices.Clone(r.Turns) // the machine uses them again
			c.handed = append(c.handed, turns...)
			n := c.nodes[r.Worker]
			c.after(hop, func() {
				if n == nil || n.life > 0 {
					return
				}
				for _, t := range turns {
					n.has[t.Dispatched] = t
				}
				n.queue = append(n.queue, turns...)
				c.work(n)
			})
		}
		for _, p := range pulls {
			s, want := c.callers[p.Caller], p.Want
			c.pulls++
			c.after(hop+s.wake, func() { c.offer(s, want) })
		}
	})
}

// work begins turns on the slots that idle, and one more next to long ones in all of them.
func (c *cluster) work(n *node) {
	for len(n.queue) > 0 && (n.busy < n.slots || n.busy == n.slots && n.short == 0) {
		t := n.queue[0]
		n.queue = n.queue[1:]
		short := 0
		if t.Predict <= dispatch.Credit {
			short = 1
		}
		n.busy, n.short = n.busy+1, n.short+short
		used := time.Duration(float64(c.callers[t.Caller].cost()) * n.slow)
		c.after(used, func() {
			if n.life > 0 {
				return
			}
			n.busy, n.short = n.busy-1, n.short-short
			c.work(n)
			c.after(hop, func() { c.end(n, t, used) })
		})
	}
}

func (c *cluster) end(n *node, t dispatch.Turn, used time.Duration) {
	if n.life > 0 {
		return
	}
	delete(n.has, t.Dispatched)
	s := c.callers[t.Caller]
	s.charged += max(used, dispatch.DefaultQuantum)
	c.busy += used
	c.machine.End(c.now, t.Dispatched, used)
	if s.ended != nil {
		s.ended(t.Seq)
	}
	c.look()
}
