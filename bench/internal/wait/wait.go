// Package wait waits for a time or for a condition, and stops early when its
// context ends.
package wait

import (
	"context"
	"time"
)

// For waits, or returns early with the error of ctx.
func For(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// Until asks again and again, with a pause between, until it gets a yes, an
// error, or ctx ends.
func Until(ctx context.Context, every time.Duration, yes func() (bool, error)) error {
	for {
		if ok, err := yes(); ok || err != nil {
			return err
		}
		if err := For(ctx, every); err != nil {
			return err
		}
	}
}
