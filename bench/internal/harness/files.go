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
		// Root may raise the hard limit too.
		limit.Max = n
		if syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: n, Max: n}) != nil {
			return fmt.Errorf("%d open files are needed: raise the hard limit (ulimit -Hn) or ask for fewer connections", n)
		}
		return nil
	}
	// Set even if it is high enough: a limit that was set is what the processes
	// started from here get too.
	limit.Cur = max(limit.Cur, n)
	return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
}
