package fairfactor

import (
	"fmt"
	"time"
)

// Operation cancels or retries many jobs, in the order of a list of them. It is kept in
// the store until it is done, so that a node that dies does not end it.
type Operation struct {
	ID       string
	Kind     OperationKind
	Query    Query     // which jobs; its limit and cursor mean nothing
	Top      uint64    // highest sequence number, zero if it is about all callers: jobs that came later are left alone
	Created  time.Time // when it was accepted
	Finished time.Time // zero until it is done
	Matched  uint64    // jobs that suited when it was accepted, never fewer than it has come to
	// Uncounted says that Matched is what was counted before there were too many: the
	// operation counts the others as it comes to them.
	Uncounted bool
	Done      uint64 // jobs that it has changed
	Skipped   uint64 // those that it came too late for, or that were refused

	Cursor string // of the page after Page
	Page   []ID   // what it is about to change
	// Orders are the places of the jobs of Page in their callers' queues when they were
	// listed. One that has another place by now was put back since.
	Orders []uint64
	Epoch  uint64 // of the scheduler that works on it: an earlier one may not write
}

// OperationKind is what an operation does.
type OperationKind string

// Kinds of an [Operation].
const (
	CancelJobs OperationKind = "cancel" // end those that are unfinished
	RetryJobs  OperationKind = "retry"  // put those that failed back into their callers' queues
)

// OperationLife is how long an operation is kept when it is done.
const OperationLife = 7 * 24 * time.Hour

// NewOperationID returns the id of an operation that is accepted now: ids ascend with
// time.
func NewOperationID(now time.Time, random uint32) string {
	return fmt.Sprintf("%014x%08x", now.UnixMicro(), random)
}

// OperationsBefore is an id that is above those of all operations accepted before a
// time, and below those of all later ones.
func OperationsBefore(at time.Time) string { return NewOperationID(at, 0) }

// CheckOperation returns an error, which is [Invalid], if an operation of that kind can't
// be about such jobs, and completes the query.
func CheckOperation(kind OperationKind, q *Query) error {
	switch kind {
	case CancelJobs:
		if q.Caller == "" {
			return Errorf(Invalid, "name the caller whose jobs to cancel, as ?caller_id=: many are cancelled for one caller at a time")
		}
		if q.States == 0 {
			q.States = In(Pending, Running)
		}
		if rest, some := q.States.Without(Pending, Running); some {
			return Errorf(Invalid, "jobs that are %s can't be cancelled: only pending and running ones can", rest)
		}
		if !q.States.Has(Pending) {
			return Errorf(Invalid, "jobs that run are cancelled together with those that are pending, or one by one")
		}
	case RetryJobs:
		if q.States == 0 {
			q.States = In(Failed)
		}
		if rest, some := q.States.Without(Failed); some {
			return Errorf(Invalid, "jobs that are %s can't be retried: only failed ones can", rest)
		}
	}
	return nil
}
