package actors

import (
	"fmt"
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
	for _, predict := range []time.Duration{0, time.Second, quickTurn, quickTurn + 1, time.Microsecond} {
		want := usual
		if predict > quickTurn {
			want = 20 - niceness
		}
		var got int
		before := thread.CPU()
		_, err := thread.with(predict, func(*factor.Runner) (factor.Result, error) {
			got = priority(t)
			return factor.Result{}, nil
		})
		if err != nil || got != want {
			t.Errorf("a turn of %v: priority %d, want %d, %v", predict, got, want, err)
		}
		if thread.CPU() <= before {
			t.Errorf("a turn of %v took no CPU", predict)
		}
	}
}

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
			_, _ = thread.with(predict, func(*factor.Runner) (factor.Result, error) { panic("at the second term") })
		}()
		r, err := thread.RunFirst("15", predict, func() bool { return false })
		if err != nil || len(r.Data) == 0 {
			t.Errorf("after that: %v, %v", r, err)
		}
	}
}
