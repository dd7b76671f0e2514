package scale

import (
	"time"

	"golang.org/x/sys/unix"
)

// threadTime is the CPU time that this thread has used, so that what else the
// processor does meanwhile does not count.
func threadTime() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts); err != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}
