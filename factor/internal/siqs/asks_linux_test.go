//go:build !race

package siqs

import (
	"encoding/binary"
	"math/rand/v2"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"fairfactor/factor/internal/factortest"
	"fairfactor/factor/internal/gf2"
	"fairfactor/factor/internal/wire"
)

// threadTime returns the CPU that this thread has used.
func threadTime(t *testing.T) time.Duration {
	const threadClock = 3 // CLOCK_THREAD_CPUTIME_ID; getrusage counts in ticks
	var now syscall.Timespec
	if _, _, errno := syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, threadClock, uintptr(unsafe.Pointer(&now)), 0); errno != 0 {
		t.Fatal(errno)
	}
	return time.Duration(now.Nano())
}

// TestStagesAsk runs turns as those of a number of 80 digits are, and checks how much
// CPU goes by between two looks at stop: 2 to 5 ms, and never a large part of the
// turn. Under the race detector the figures would mean nothing.
func TestStagesAsk(t *testing.T) {
	if testing.Short() {
		t.Skip("measures times of linear algebra, which do not depend on the processor's paths")
	}
	r := factortest.Seeded(t)
	run := newTestRunner()
	const edges, vertices, rows, weight = 400_000, 380_000, 36_000, 50
	ends := make([]byte, 0, 6*edges)
	for range 2 * edges {
		v := uint64(r.IntN(vertices))
		ends = binary.AppendUvarint(ends, v*v/vertices) // small primes are in more relations
	}
	m := heavyMatrix(r, rows, rows+300, weight)
	packed := m.Append(nil, nil)
	l := gf2.NewLanczos(run.Poller, m)
	s := l.Begin(run.Poller, 0)
	if l.Advance(run.Poller, s, rows/64-8) != gf2.UnderWay {
		t.Fatal("block Lanczos ended early")
	}
	columns := append([]byte{wire.Version, wire.KindFilter}, packed...)
	for _, c := range []struct {
		name string
		turn []byte
	}{
		{"cycles", cyclesPayload(edges, vertices, ends)},
		{"filter", columns},
		{"first steps", SolvePayload(packed, gf2.FirstState(0), 5)},
		{"last steps", SolvePayload(packed, s.Append(nil), 100)},
	} {
		gap, total := time.Hour, time.Duration(0)
		for range 3 { // the best: what others do to the caches is not meant
			g, all := asks(t, run, c.turn)
			if g < gap {
				gap, total = g, all
			}
		}
		t.Logf("%s: %v between two looks at stop, of %v", c.name, gap, total)
		if gap > max(10*time.Millisecond, total/5) {
			t.Errorf("%s: %v between two looks at stop, of %v", c.name, gap, total)
		}
	}
}

// asks returns the longest time between two looks at stop, and all of the turn.
func asks(t *testing.T, run *Runner, turn []byte) (gap, total time.Duration) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	run.kept = nil
	start := threadTime(t)
	last := start
	look := func() bool {
		now := threadTime(t)
		gap, last = max(gap, now-last), now
		return false
	}
	if _, err := stoppedRun(run, turn, look); err != nil {
		t.Fatal(err)
	}
	look()
	return gap, last - start
}

// heavyMatrix returns a random matrix with so many entries in each column, more of
// them in the first rows.
func heavyMatrix(r *rand.Rand, rows, columns, weight int) *gf2.Matrix {
	m := &gf2.Matrix{Rows: rows, Start: []uint32{0}}
	for range columns {
		var list []uint32
		for range weight {
			x := r.Float64()
			list = append(list, uint32(x*x*x*float64(rows)))
		}
		slices.Sort(list)
		m.Push(slices.Compact(list))
	}
	return m
}
