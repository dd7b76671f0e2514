package actors

import (
	"sync/atomic"
	"time"

	"fairfactor"
	"fairfactor/actors/caller"
)

// Counters count what happened on this node since it started.
type Counters struct {
	caller.Counters
	Turns       atomic.Uint64 // run here
	CPU         atomic.Int64  // of these, nanoseconds
	Unwanted    atomic.Int64  // of that, of turns that were stopped because their jobs have ended
	Broken      atomic.Int64  // likewise, because the node stopped and could not wait for their ends
	Callers     atomic.Int64  // caller actors that live here
	Activations atomic.Uint64
}

// counts are the counters that other nodes are told.
func (c *Counters) counts() fairfactor.NodeCounts {
	return fairfactor.NodeCounts{
		Accepted: c.Accepted.Load(), Completed: c.Completed.Load(), Failed: c.Failed.Load(), Cancelled: c.Cancelled.Load(),
		Turns: c.Turns.Load(), CPU: time.Duration(c.CPU.Load()),
	}
}
