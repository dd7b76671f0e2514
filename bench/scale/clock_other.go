//go:build !linux

package scale

import "time"

var started = time.Now()

// threadTime stands in for the CPU time of this thread, which only Linux tells.
func threadTime() time.Duration { return time.Since(started) }
