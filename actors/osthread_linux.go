package actors

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// ownThread ties the goroutine to a thread of its own with that niceness. The
// thread ends with the goroutine, since its priority can't be raised again.
func ownThread(nice int) (release func()) {
	runtime.LockOSThread()
	_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), nice) // without it the work is done all the same
	return func() {}
}

// threadCPU is the CPU time that this thread has used.
func threadCPU() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts); err != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}
