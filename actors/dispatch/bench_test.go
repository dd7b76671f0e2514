package dispatch_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"fairfactor/actors/dispatch"
)

const benchCost = 200 * time.Microsecond

// load is a machine under a steady load: each caller offers two turns again when
// the second one of the last two has ended.
type load struct {
	machine *dispatch.Machine
	names   []string
	groups  []string
	more    bool
	seq     []uint64
	open    []dispatch.Turn
	buffer  [2]dispatch.Turn
	done    int
	now     time.Duration
}

// newLoad gives workers of two slots and callers in random order, those of one
// group a stride apart.
func newLoad(callers, groups, workers int) *load {
	l := &load{machine: dispatch.New(dispatch.Config{Epoch: 1}), seq: make([]uint64, callers)}
	for i := range workers {
		l.machine.Beat(0, fmt.Sprint("w", i), 2, nil)
	}
	for i := range callers {
		l.names = append(l.names, fmt.Sprintf("caller-%d", i))
		group := ""
		if groups > 0 {
			group = fmt.Sprint("group", i%groups)
		}
		l.groups = append(l.groups, group)
	}
	return l
}

// offerAll has all callers offer their first two turns.
func (l *load) offerAll() *load {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, i := range rng.Perm(len(l.names)) {
		l.offer(i)
	}
	return l
}

func (l *load) offer(i int) {
	for j := range l.buffer {
		l.seq[i]++
		l.buffer[j] = dispatch.Turn{
			Key:     dispatch.Key{Caller: l.names[i], Epoch: 1, Seq: l.seq[i]},
			Predict: benchCost, Body: &l.seq[i],
		}
	}
	l.machine.Offer(l.now, dispatch.Offer{
		Caller: l.names[i], Group: l.groups[i], Epoch: 1, Weight: 1, Turns: l.buffer[:], More: l.more,
	})
}

// index is the caller's, from its name.
func index(name string) (n int) {
	for _, digit := range []byte(name[len("caller-"):]) {
		n = 10*n + int(digit-'0')
	}
	return n
}

// run has n turns dispatched and ended, in batches of 64, and answers pulls.
func (l *load) run(n int) {
	for n += l.done; l.done < n; {
		l.now += 64 * benchCost
		runs, pulls := l.machine.Dispatch(l.now)
		for _, r := range runs {
			l.open = append(l.open, r.Turns...)
		}
		for _, p := range pulls {
			l.offer(index(p.Caller))
		}
		batch := min(len(l.open), 64)
		for _, t := range l.open[:batch] {
			l.machine.End(l.now, t.Dispatched, benchCost)
			if !l.more && t.Seq%2 == 0 {
				l.offer(index(t.Caller))
			}
		}
		rest := copy(l.open, l.open[batch:])
		clear(l.open[rest:])
		l.open = l.open[:rest]
		l.done += batch
	}
}

// BenchmarkTurn is what one turn costs the scheduler, from its offer to its end.
func BenchmarkTurn(b *testing.B) {
	for _, size := range []struct{ callers, groups, workers int }{
		{10, 0, 1}, {1000, 0, 1}, {100_000, 0, 1}, {100_000, 0, 50}, {100_000, 0, 1000}, {1_000_000, 0, 1}, {100_000, 1000, 1}, {1_000_000, 1000, 1},
	} {
		b.Run(fmt.Sprintf("callers=%d/groups=%d/workers=%d", size.callers, size.groups, size.workers), func(b *testing.B) {
			l := newLoad(size.callers, size.groups, size.workers).offerAll()
			l.run(1000)
			b.ReportAllocs()
			b.ResetTimer()
			l.run(b.N)
		})
	}
}

// BenchmarkDormantTurn is what a turn costs when most callers are dormant: each
// is asked, offers two, and goes back to sleep.
func BenchmarkDormantTurn(b *testing.B) {
	for _, size := range []struct{ callers, groups int }{{100_000, 0}, {1_000_000, 0}, {1_000_000, 1000}} {
		b.Run(fmt.Sprintf("callers=%d/groups=%d", size.callers, size.groups), func(b *testing.B) {
			l := newLoad(size.callers, size.groups, 1)
			l.more = true
			l.machine.Backlogged(0, dormantCallers(size.callers, size.groups))
			l.run(20_000)
			b.ReportAllocs()
			b.ResetTimer()
			l.run(b.N)
		})
	}
}

// TestTurnsAllocateNothing in the steady state: neither those of callers that are
// ready, nor of those that are dormant in between, in groups or not. What is
// left, less than one object in a hundred turns, is the map of open turns.
func TestTurnsAllocateNothing(t *testing.T) {
	for _, groups := range []int{0, 10} {
		for _, more := range []bool{false, true} {
			l := newLoad(4000, groups, 1)
			if l.more = more; more {
				l.machine.Backlogged(0, dormantCallers(4000, groups))
			} else {
				l.offerAll()
			}
			l.run(100_000)
			const turns = 2000
			if n := testing.AllocsPerRun(10, func() { l.run(turns) }) / turns; n > 0.01 {
				t.Errorf("%d groups, dormant %v: %.3f objects for each turn", groups, more, n)
			}
		}
	}
}

func BenchmarkTick(b *testing.B) {
	l := newLoad(1_000_000, 1000, 50).offerAll()
	for b.Loop() {
		l.machine.Tick(time.Second)
	}
}

func BenchmarkReport(b *testing.B) {
	l := newLoad(1_000_000, 1000, 50).offerAll()
	for b.Loop() {
		l.machine.Report()
	}
}
