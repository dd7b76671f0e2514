package actors

import (
	"sync/atomic"

	"fairfactor/actors/caller"
)

// Counters count what happened on this node since it started.
type Counters struct {
	caller.Counters
	Turns       atomic.Uint64 // run here
	CPU         atomic.Int64  // of these, nanoseconds
	Callers     atomic.Int64  // caller actors that live here
	Activations atomic.Uint64
}
