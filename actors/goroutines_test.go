package actors_test

import (
	"sync"
	"testing"

	"fairfactor/actors"
)

// Each function runs once, though they run at the same time, begin others, and wait
// for one another.
func TestGoroutines(t *testing.T) {
	const outer, inner = 1_000, 10
	var all, met sync.WaitGroup
	met.Add(outer)
	var mu sync.Mutex
	ran := map[int]int{}
	for i := range outer {
		all.Add(1)
		actors.Schedule(func() {
			defer all.Done()
			met.Done()
			met.Wait() // all outer ones are on goroutines of their own
			for j := range inner {
				all.Add(1)
				actors.Schedule(func() {
					defer all.Done()
					mu.Lock()
					ran[i*inner+j]++
					mu.Unlock()
				})
			}
		})
	}
	all.Wait()
	for n, times := range ran {
		if times != 1 {
			t.Errorf("function %d ran %d times", n, times)
		}
	}
	if len(ran) != outer*inner {
		t.Errorf("%d of %d functions ran", len(ran), outer*inner)
	}
}

// BenchmarkSchedule is what it costs to run a function that needs a stack of 8 KB, next to
// the go statement.
func BenchmarkSchedule(b *testing.B) {
	for name, schedule := range map[string]func(func()){"reused": actors.Schedule, "go": func(f func()) { go f() }} {
		b.Run(name, func(b *testing.B) {
			var all sync.WaitGroup
			for b.Loop() {
				all.Add(64)
				for range 64 {
					schedule(func() { stacked(64); all.Done() })
				}
				all.Wait()
			}
		})
	}
}

//go:noinline
func stacked(n int) (sum byte) {
	var room [128]byte
	if n > 0 {
		room[n%128] = stacked(n - 1)
	}
	for _, b := range room {
		sum += b
	}
	return sum + 1
}
