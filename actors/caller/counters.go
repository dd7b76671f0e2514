package caller

import "sync/atomic"

// Counters count what all callers of a node did.
type Counters struct {
	Accepted, Completed, Failed, Cancelled atomic.Uint64 // jobs, durable
	Missed                                 atomic.Uint64 // jobs that their deadline cancelled
	Deaths                                 atomic.Uint64 // of processes, for each job that they worked on
	Quarantined                            atomic.Uint64 // jobs that failed because of that
	Refused                                atomic.Uint64 // submissions
	AtOnce                                 atomic.Uint64 // jobs whose acceptance and end were one write
	Known                                  atomic.Uint64 // jobs that ended with what was known of their numbers
	Divided                                atomic.Uint64 // jobs that began with primes of earlier jobs of their caller
	Fenced                                 atomic.Uint64 // activations that a newer one fenced
	// CPU, in nanoseconds, of turns that ended and that no job has, see [backlog.Vain]; with
	// Moved, that of an earlier activation's turns, and with Unsaved, what an activation that
	// ended had not made durable.
	Ended, Spare, Moved, Unsaved atomic.Int64
	Times                        Times
	costs                        costs
}
