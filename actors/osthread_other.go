//go:build !linux

package actors

import (
	"runtime"
	"time"
)

var processStart = time.Now()

// ownThread ties the goroutine to a thread of its own; its priority is left as
// it is.
func ownThread(int) (release func()) {
	runtime.LockOSThread()
	return runtime.UnlockOSThread
}

// threadCPU stands in for the thread's CPU time, which only Linux tells in a
// portable way.
func threadCPU() time.Duration { return time.Since(processStart) }
