package actors

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"fairfactor/factor"
)

// priority is that of this thread, as the kernel counts it: 20 less the niceness.
func priority(t *testing.T) int {
	p, err := unix.Getpriority(unix.PRIO_PROCESS, unix.Gettid())
	if err != nil {
		t.Error(err)
	}
	return p
}

// Quick turns have the priority of all else, long ones a low one, in any order.
func TestPriorityOfTurns(t *testing.T) {
	usual := priority(t)
	thread := newThread()
	defer thread.Close()
	var got int
	look := func() bool { // the engine asks whether to stop
		got = priority(t)
		return true
	}
	for _, predict := range []time.Duration{0, time.Second, quickTurn, quickTurn + 1, time.Microsecond} {
		want := usual
		if predict > quickTurn {
			want = 20 - niceness
		}
		before := thread.CPU()
		got = 0
		if _, err := thread.RunFirst(large, predict, look); !errors.Is(err, factor.ErrStopped) || got != want {
			t.Errorf("a turn of %v: priority %d, want %d, %v", predict, got, want, err)
		}
		if thread.CPU() <= before {
			t.Errorf("a turn of %v took no CPU", predict)
		}
	}
}

// large is a number whose first turn asks whether it should stop.
const large = "123456789012345678901234567907000000000000000000000000000000"

// A panic of a turn reaches who runs the thread, which goes on, whatever its priority.
func TestPanicOfTurns(t *testing.T) {
	thread := newThread()
	defer thread.Close()
	for _, predict := range []time.Duration{0, time.Second} {
		func() {
			defer func() {
				if p := fmt.Sprint(recover()); !strings.Contains(p, "at the second term") {
					t.Errorf("a turn of %v panicked with %q", predict, p)
				}
			}()
			_, _ = thread.RunFirst(large, predict, func() bool { panic("at the second term") })
		}()
		r, err := thread.RunFirst("15", predict, func() bool { return false })
		if err != nil || len(r.Data) == 0 {
			t.Errorf("after that: %v, %v", r, err)
		}
	}
}

// A quick turn leaves nothing for the collector but its result.
func TestQuickTurnsAllocateLittle(t *testing.T) {
	thread := newThread()
	defer thread.Close()
	runner := factor.NewRunner()
	stop := func() bool { return false }
	alone := testing.AllocsPerRun(100, func() { _, _ = runner.RunFirst("600851475143", stop) })
	here := math.Inf(1)
	for range 5 { // something else may allocate meanwhile
		here = min(here, testing.AllocsPerRun(100, func() { _, _ = thread.RunFirst("600851475143", 0, stop) }))
	}
	if here > alone {
		t.Errorf("%v objects, and %v without the thread", here, alone)
	}
}
