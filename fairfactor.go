// Package fairfactor is the domain of a service that factors integers for many
// callers at once: what a job is, which states it passes through, what can go
// wrong, and the two interfaces everything else meets at.
//
//   - [Jobs] is what a user can do: submit, look, wait, cancel. A node offers it
//     over HTTP, and the HTTP client implements it on the other side.
//   - [Store] is what must survive a crash. It is written by caller actors only.
//
// The package holds no state, starts no goroutine and imports the standard
// library only. Start reading at [Job], then [Jobs].
package fairfactor

import (
	"context"
	"time"
)

// Jobs is the service as its users see it. Every method may fail with an
// [*Error]; its code says whose move is next.
type Jobs interface {
	// Submit accepts numbers of one caller, in order. It returns one [Receipt] for
	// each submission, in the same order; a submission that is refused has its own
	// error in its receipt and does not touch its neighbours. When Submit returns
	// a job without an error, the job is durable. The error result is for calls
	// that failed as a whole. The receipts are appended to into, which may be nil. Submit
	// keeps no part of subs but their strings, and nothing of the receipts.
	Submit(ctx context.Context, caller string, subs []Submission, into []Receipt) ([]Receipt, error)
	// Job returns a job as it is now: not_found if it never existed or its
	// retention is over.
	Job(ctx context.Context, id ID) (Job, error)
	// Get returns many jobs as they are now, each at the place of its id; one that does
	// not exist is the zero Job.
	Get(ctx context.Context, ids []ID) ([]Job, error)
	// Wait returns the job as soon as it is in a final state, or as it is when
	// ctx ends; running out of time is not an error.
	Wait(ctx context.Context, id ID) (Job, error)
	// List returns the jobs of one caller, or of all, newest first.
	List(ctx context.Context, q Query) (Page, error)
	// Cancel ends an unfinished job; conflict if it has ended already.
	Cancel(ctx context.Context, id ID) (Job, error)
	// Retry puts a failed job back at the end of its caller's queue; conflict if
	// it is in any other state.
	Retry(ctx context.Context, id ID) (Job, error)
	// CancelAll ends all unfinished jobs of a caller that suit a query, and RetryAll
	// puts all failed ones back: both accept an operation and return it, which goes on
	// by itself. Jobs that are submitted later are left alone.
	CancelAll(ctx context.Context, q Query) (Operation, error)
	RetryAll(ctx context.Context, q Query) (Operation, error)
	// Operation says how far an operation is: not_found if it does not exist, or was
	// done more than [OperationLife] ago.
	Operation(ctx context.Context, id string) (Operation, error)
	// Callers returns all callers known to the service, ordered by name, after
	// the given name; at most limit.
	Callers(ctx context.Context, after string, limit int) ([]Caller, error)
	// RankedCallers returns callers in another order than by name: first those that come
	// first in it, at most [MaxRanked] as they were a moment ago, then all others by name.
	// One that moves in the order between two pages may be on both, or on neither.
	RankedCallers(ctx context.Context, q CallerQuery) (CallerPage, error)
	// Caller returns one caller: not_found if it never submitted anything.
	Caller(ctx context.Context, name string) (Caller, error)
	// SetWeight changes a caller's share, 1 to [MaxWeight].
	SetWeight(ctx context.Context, name string, weight int) (Caller, error)
	// SetGroup moves a caller to another group, or with an empty one to none.
	SetGroup(ctx context.Context, name, group string) (Caller, error)
	// SetPaused keeps a caller from getting turns, or lets it get them again. Its jobs
	// are accepted all the same.
	SetPaused(ctx context.Context, name string, paused bool) (Caller, error)
	// SetBounds changes what a caller is allowed. The caller need not have submitted
	// anything yet.
	SetBounds(ctx context.Context, name string, change BoundsChange) (Caller, error)
	// WeighGroup changes the share of a group of callers, 1 to [MaxWeight]. The group
	// need not have callers yet.
	WeighGroup(ctx context.Context, group string, weight int) error
	// Fairness returns how the scheduler keeps its promise.
	Fairness(ctx context.Context) (Fairness, error)
	// Nodes returns the members of the cluster as this node sees them.
	Nodes(ctx context.Context) ([]Node, error)
}

// Submission is one number to factor.
type Submission struct {
	Number string // canonical decimal, see [ParseNumber]
	Key    string // idempotency key, empty for none, at most [MaxKeyBytes]
	Group  string // that the caller is put in if it is new, empty for none
	// Callback is the URL that is told of the job's end, empty for none: see [Callback].
	Callback string
	// Deadline is when the job is to be cancelled if it has not ended, zero for never:
	// see [ParseDeadline].
	Deadline time.Time
	// Trace is where the job belongs in the submitter's trace, nil for none.
	Trace *Trace
	// Curves are elliptic curves that were run on the number elsewhere: see [CheckCurves].
	Curves []Curves
	// Factors are primes of the number that are known: see [KnownFactors].
	Factors []Factor
	// Wait says that the submitter waits for the end of the job rather than for its
	// acceptance: a job that ends at once may be returned in its final state.
	Wait bool
}

// Receipt answers one submission: either a durable job or the reason why not.
type Receipt struct {
	Job    Job
	Replay bool // the same job again, found by its idempotency key
	Err    error
}

// Page is one page of jobs.
type Page struct {
	Jobs []Job
	Next string // cursor of the next page, empty on the last one
}

// Limits that every part of the service agrees on.
const (
	MaxPage        = 1000           // jobs in one page of a list
	MaxKeyBytes    = 128            // bytes of an idempotency key
	KeyLife        = 24 * time.Hour // how long an idempotency key is remembered
	MaxCallerBytes = 64             // bytes of a caller's name
	MaxGroupBytes  = 64             // bytes of a group's name
	MaxWeight      = 1000           // largest share of a caller, or of a group
	MaxGroups      = 10_000         // groups whose weight is not 1
)

// Caller is the account of one caller.
type Caller struct {
	Name      string
	Group     string // empty if it is in none
	Weight    int    // 1 to [MaxWeight], among the callers of its group, or among all if it has none
	Paused    bool   // it gets no turns, and its jobs wait
	Bounds    Bounds
	Queued    uint64 // unfinished jobs, running ones included
	Running   uint64
	Completed uint64
	Failed    uint64
	Cancelled uint64
	CPU       time.Duration // used by finished turns
	Turns     uint64        // finished turns
	Oldest    time.Time     // submission time of the oldest job that waits, zero if none; in a store, of the oldest unfinished one
}

// Fairness says how the scheduler keeps its promise: for any two callers that both
// had work during an interval, the CPU each got, divided by its weight, differs by
// at most Bound.
type Fairness struct {
	Quantum    time.Duration // least that a turn is charged
	Bound      time.Duration
	Lag        time.Duration // now: the largest difference between two waiting callers
	MaxLag     time.Duration // the largest since the scheduler started
	Jain       float64       // Jain's index over the shares of waiting callers, 1 is equal
	Violations uint64        // times that Lag was above half of Bound, which breaks the promise
	Active     int           // callers with work
	Dormant    int           // callers with work that are asked for turns when they are due
	Waiting    int           // turns prefetched, not handed out
	Open       int           // turns handed out, not ended
	HandedOut  uint64        // position of the last turn in the global dispatch order
	Epoch      uint64        // of the scheduler
	// The bound holds on each of two levels: between groups, to which callers without
	// a group count, and inside each group, between its callers.
	Between, Inside FairnessLevel
	// Jobs are the unfinished jobs of the callers that have said what they have, Work is
	// the CPU that these probably take, and Oldest is since when the first of them waits
	// for its first turn, zero if none does: of up to 4,096 callers. They are estimates.
	Jobs   uint64
	Work   time.Duration
	Oldest time.Time
}

// FairnessLevel is what [Fairness] says of one level.
type FairnessLevel struct {
	InLine     int           // groups and callers without one that have work; inside: groups
	Bound      time.Duration // of CPU divided by the weight on this level
	Lag        time.Duration // inside: in the worst of up to 1,024 groups
	MaxLag     time.Duration
	Violations uint64
}

// Node is one member of the cluster.
type Node struct {
	ID      string
	Name    string
	Address string // of its actor traffic
	Gossip  string
	State   string // alive; suspect if the node that answered can't reach it; left if it is leaving
	Self    bool   // the node that answered
	Workers []Worker
	Counts  NodeCounts // zero, as Workers is nil, if the node does not answer
}

// NodeCounts is what a node did since its start.
type NodeCounts struct {
	Accepted, Completed, Failed, Cancelled uint64 // jobs of the callers that live there
	Turns                                  uint64 // run by its workers
	CPU                                    time.Duration
}

// Worker is one compute thread of a node.
type Worker struct {
	Caller string // empty while idle
	Job    string
	Number string
	Since  time.Time
}
