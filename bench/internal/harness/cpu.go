package harness

import (
	"syscall"
	"time"
)

// OwnCPU is the CPU that this process has used.
func OwnCPU() time.Duration {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		panic(err) // can't happen: the arguments are right
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}
