//go:build unix

package http

import "syscall"

// maxConnections is how many connections may be open if the system allows it: an
// idle one takes a few KB.
const maxConnections = 150_000

// connectionLimit is how many connections may be open: each is a file, and a
// quarter of the files that the process may open is left to store and cluster.
func connectionLimit() int {
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		return maxConnections
	}
	return int(min(uint64(files.Cur)/4*3, maxConnections))
}
