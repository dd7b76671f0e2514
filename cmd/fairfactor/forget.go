package main

import (
	"context"
	"time"
)

// forget keeps the number of results that are remembered below --known-size. What is
// learned between two looks may be above it.
func (n *node) forget(ctx context.Context) {
	const every, batch = 10 * time.Second, 10_000
	if n.cfg.knownSize == 0 {
		return // what is stored waits for a start with another size
	}
	for {
		forgotten, err := n.store.TrimKnown(ctx, n.cfg.knownSize, batch)
		if err != nil && ctx.Err() == nil {
			n.log.Error("known results can't be forgotten", "err", err)
		}
		wait := every
		if err == nil && forgotten == batch {
			wait = 10 * time.Millisecond
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}
