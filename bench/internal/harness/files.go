package harness

import (
	"fmt"
	"syscall"
)

// SpareFiles is how many files a process opens besides its connections.
const SpareFiles = 200

// RaiseFileLimit lets this process, and those it starts, open that many files.
func RaiseFileLimit(n uint64) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	if limit.Max < n {
		return fmt.Errorf("%d open files are needed and the hard limit is %d: raise it (ulimit -Hn) or ask for fewer connections", n, limit.Max)
	}
	// Set even if it is high enough: a limit that was set is what the processes
	// started from here get too.
	limit.Cur = max(limit.Cur, n)
	return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
}
