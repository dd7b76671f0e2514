package main

import (
	"context"
	"log/slog"
	"math"
	"os"
	"runtime/debug"
	runtimemetrics "runtime/metrics"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/dustin/go-humanize"

	"fairfactor"
	"fairfactor/store/pebble"
)

// byteSize is a flag that takes a number of bytes: 256MB, 1GiB, 300000000.
type byteSize int64

func (b *byteSize) Set(text string) error {
	n, err := humanize.ParseBytes(text)
	if err != nil || n > math.MaxInt64 {
		return fairfactor.Errorf(fairfactor.Invalid, "%q is not a size: write 256MB or 1GiB", text)
	}
	*b = byteSize(n)
	return nil
}

func (b *byteSize) String() string {
	if *b == 0 {
		return ""
	}
	return humanize.IBytes(uint64(*b))
}

func (b *byteSize) Type() string { return "size" }

// The store gets a sixteenth of the memory there is, within these bounds. More
// speeds up only what is read again long after it was written.
const (
	storeShare = 16
	storeLeast = 64 << 20
	storeMost  = 256 << 20
)

// Long answers get this part of the memory there is, within these bounds: the most is
// some 600 clients that don't read theirs, and twice that becomes the heap.
const (
	answersShare = 128
	answersLeast = 16 << 20
	answersMost  = 64 << 20
)

// Jobs and turns get this part of the memory there is, of live bytes. The collector lets
// garbage of about the same size gather, see [gcPercentFor]; the last quarter is for the
// rest. Where nothing says how much there is, there is no limit.
const workShare = 3. / 8

// minWork is the least that --work-memory may be, in bytes: that of a turn on each of some
// threads.
const minWork = 32 << 20

// minAnswers is the least that --answer-memory may be, in bytes: that of a few answers
// at once.
const minAnswers = 1 << 20

// gcPercent lets the heap grow to five times of what is live before it is
// collected, while little is live: that is some 25 MB at full load, and with the
// 100 of Go's default eight collections a second cost a quarter of the jobs
// accepted at 50 requests at once. What the store keeps lives on the same heap and
// must not be multiplied: see gcPercentFor. GOGC in the environment has the last
// word.
const gcPercent = 400

// Bounds of the garbage between two collections, in bytes.
const (
	garbageLeast = 64 << 20
	garbageMost  = 128 << 20 // unless more than that is live besides the store
)

// heapShare is the part of a memory limit that the heap may fill; the rest is for
// stacks that grow, buffers of the kernel and what the runtime has not returned.
const heapShare = 0.9

// memoryPlan is what a node does with the memory that it may use.
type memoryPlan struct {
	available int64  // bytes, 0 if nothing says
	source    string // that says so: cgroup, machine or nothing
	store     int64  // bytes for the embedded store
	answers   int64  // bytes for answers that are under way
	work      int64  // bytes for jobs and turns, 0 for no limit
	heap      int64  // soft limit of the heap in bytes, 0 for none
}

// planMemory divides the memory; store, answers and work are --store-memory, --answer-memory
// and --work-memory, zero for the defaults. The limit of the cgroup counts where there is one, of any version.
func planMemory(store, answers, work int64, cgroup, machine func() (uint64, error)) memoryPlan {
	p := memoryPlan{source: "nothing", store: store, answers: answers, work: work}
	if n, err := cgroup(); err == nil && n > 0 && n < math.MaxInt64 {
		p.available, p.source = int64(n), "cgroup"
		p.heap = int64(heapShare * float64(n))
	}
	if n, err := machine(); err == nil && n > 0 && n < math.MaxInt64 && (p.available == 0 || int64(n) < p.available) {
		p.available, p.source, p.heap = int64(n), "machine", 0
	}
	if p.store == 0 {
		p.store = min(max(p.available/storeShare, storeLeast), storeMost)
	}
	if p.answers == 0 {
		p.answers = min(max(p.available/answersShare, answersLeast), answersMost)
	}
	if p.work == 0 && p.available > 0 {
		p.work = max(int64(workShare*float64(p.available)), minWork)
	}
	return p
}

// check refuses a store that leaves the rest of the node too little.
func (p *memoryPlan) check() error {
	switch {
	case p.store < pebble.MinMemory:
		return fairfactor.Errorf(fairfactor.Invalid, "--store-memory %s is less than %s", humanize.IBytes(uint64(p.store)), humanize.IBytes(pebble.MinMemory))
	case p.available > 0 && p.store > p.available/2 && p.store > storeLeast:
		return fairfactor.Errorf(fairfactor.Invalid, "--store-memory %s is more than half of the %s that the %s has",
			humanize.IBytes(uint64(p.store)), humanize.IBytes(uint64(p.available)), p.source)
	case p.work > 0 && p.work < minWork:
		return fairfactor.Errorf(fairfactor.Invalid, "--work-memory %s is less than %s", humanize.IBytes(uint64(p.work)), humanize.IBytes(minWork))
	case p.answers < minAnswers:
		return fairfactor.Errorf(fairfactor.Invalid, "--answer-memory %s is less than %s", humanize.IBytes(uint64(p.answers)), humanize.IBytes(minAnswers))
	case p.available > 0 && p.answers > p.available/4 && p.answers > answersLeast:
		return fairfactor.Errorf(fairfactor.Invalid, "--answer-memory %s is more than a quarter of the %s that the %s has",
			humanize.IBytes(uint64(p.answers)), humanize.IBytes(uint64(p.available)), p.source)
	}
	return nil
}

// useMemory plans the memory and sets up the collector; GOGC and GOMEMLIMIT in the
// environment have the last word.
func useMemory(store, answers, work int64, log *slog.Logger) (memoryPlan, error) {
	p := planMemory(store, answers, work, memlimit.FromCgroup, memlimit.FromSystem)
	if err := p.check(); err != nil {
		return p, err
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" && p.heap > 0 {
		debug.SetMemoryLimit(p.heap)
	}
	limit := "none"
	if n := debug.SetMemoryLimit(-1); n < math.MaxInt64 {
		limit = humanize.IBytes(uint64(n))
	}
	log.Info("memory", "available", humanize.IBytes(uint64(p.available)), "by", p.source, "store", humanize.IBytes(uint64(p.store)), "answers", humanize.IBytes(uint64(p.answers)), "work", humanize.IBytes(uint64(p.work)), "heap_limit", limit)
	return p, nil
}

// gcPercentFor returns the percentage of the live heap that may become garbage
// before the next collection, when so many bytes of the live ones belong to the
// store. Four times of the rest is garbage at first; from 64 MB on the heap grows
// more slowly, so that a large one does not become a huge one.
func gcPercentFor(live, store int64) int {
	rest := max(live-store, 1<<20)
	garbage := min(max(4*rest, garbageLeast), max(garbageMost, rest))
	return int(min(max(100*garbage/max(live, 1), 1), gcPercent))
}

// quietHeap finds the moment to give memory back: when a node that has worked is at
// rest, no collection comes by itself for minutes.
type quietHeap struct {
	allocated int64 // bytes, since the start
	ticks     int   // at rest
	given     bool  // back since the node worked last
}

// At rest a node allocates less than restRate in a tick; after restTicks of them it
// gives back what it does not use, if that is as much as a little garbage.
const (
	restRate  = 4 << 20
	restTicks = 8
)

// tick takes in how much was ever allocated and how much of the heap is neither live
// nor given back, in bytes. It reports whether to give memory back now.
func (q *quietHeap) tick(allocated, spare int64) bool {
	busy := allocated-q.allocated > restRate
	q.allocated = allocated
	if busy {
		q.ticks, q.given = 0, false
		return false
	}
	q.ticks++
	if q.ticks < restTicks || q.given || spare < garbageLeast {
		return false
	}
	q.given = true
	return true
}

// tendEvery is how often the collector is told how much of the heap is the
// store's: it changes over some seconds at least.
const tendEvery = time.Second

// tendHeap keeps the garbage in proportion to what is live besides the store, and
// gives memory back when the node is at rest, at each tick until ctx ends. held says how much the store holds.
func tendHeap(ctx context.Context, ticks <-chan time.Time, held func() int64) {
	if os.Getenv("GOGC") != "" {
		return
	}
	heap := []runtimemetrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/heap/allocs:bytes"}, {Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/free:bytes"}}
	last := gcPercent
	var quiet quietHeap
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks:
		}
		runtimemetrics.Read(heap)
		live := int64(heap[0].Value.Uint64())
		if quiet.tick(int64(heap[1].Value.Uint64()), int64(heap[2].Value.Uint64()+heap[3].Value.Uint64())-live) {
			debug.FreeOSMemory()
		}
		percent := gcPercentFor(live, held())
		if change := percent - last; change > last/8 || -change > last/8 { // each setting stops the world for a moment
			debug.SetGCPercent(percent)
			last = percent
		}
	}
}
