package actors

import "sync/atomic"

// Counters count what happened on this node since it started.
type Counters struct {
	Accepted, Completed, Failed, Cancelled atomic.Uint64 // jobs, durable
	Refused                                atomic.Uint64 // submissions
	Turns                                  atomic.Uint64 // run here
	CPU                                    atomic.Int64  // of these, nanoseconds
	Callers                                atomic.Int64  // caller actors that live here
	Activations                            atomic.Uint64
	Fenced                                 atomic.Uint64 // activations that found a newer one
}
