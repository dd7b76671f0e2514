package webhook

import "sync/atomic"

// Counters count what a sender did.
type Counters struct {
	Delivered atomic.Uint64
	Failed    atomic.Uint64 // attempts that will be made again
	GivenUp   atomic.Uint64 // deliveries
	Flying    atomic.Int64  // attempts under way
}
