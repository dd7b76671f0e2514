package compare

import (
	"context"
	"slices"
	"time"

	"fairfactor/bench/internal/client"
	"fairfactor/bench/internal/verify"
	"fairfactor/bench/internal/wait"
)

// ended waits until the callers of the jobs have no unfinished one.
func ended(ctx context.Context, c *client.Client, all []verify.Accepted) error {
	var callers []string
	for _, a := range all {
		if !slices.Contains(callers, a.Caller) {
			callers = append(callers, a.Caller)
		}
	}
	return quiet(ctx, c, callers)
}

// quiet waits until callers have no unfinished job.
func quiet(ctx context.Context, c *client.Client, callers []string) error {
	return wait.Until(ctx, 20*time.Millisecond, func() (bool, error) {
		for _, name := range callers {
			if a, err := c.Account(name); err != nil && !client.IsNotFound(err) || a.Unfinished() > 0 {
				return false, err
			}
		}
		return true, nil
	})
}
