package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"fairfactor/bench/internal/wait"
)

// parentCheck is the time between two looks at who the parent is.
const parentCheck = 200 * time.Millisecond

// withGoRun returns a context that also ends when `go run` does, if that is what
// started this process: it dies of SIGTERM without passing it on, and what it
// started would go on alone.
func withGoRun(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	parent := os.Getppid()
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", parent))
	if err != nil || strings.TrimSpace(string(name)) != "go" {
		return ctx, cancel
	}
	go func() {
		for os.Getppid() == parent && wait.For(ctx, parentCheck) == nil {
		}
		cancel()
	}()
	return ctx, cancel
}
