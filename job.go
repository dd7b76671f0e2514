package fairfactor

import (
	"fmt"
	"time"
)

// State is where a job is in its life. A job moves forward only:
//
//	pending -> running -> completed | failed | cancelled
//
// and back from failed to pending when it is retried.
type State uint8

// States of a job; the zero State is not one of them.
const (
	Pending State = iota + 1
	Running
	Completed
	Failed
	Cancelled
)

var stateNames = [...]string{Pending: "pending", Running: "running", Completed: "completed", Failed: "failed", Cancelled: "cancelled"}

func (s State) String() string {
	if s == 0 || int(s) >= len(stateNames) {
		return fmt.Sprintf("state(%d)", uint8(s))
	}
	return stateNames[s]
}

// Final reports whether a job in this state has ended.
func (s State) Final() bool { return s >= Completed }

// ParseState returns the state with that name, or false.
func ParseState(name string) (State, bool) {
	for s := Pending; s <= Cancelled; s++ {
		if stateNames[s] == name {
			return s, true
		}
	}
	return 0, false
}

// Job is one number that one caller wants factored.
type Job struct {
	ID     ID
	Caller string
	Number string // canonical decimal
	Key    string // idempotency key, empty if none
	// Order is the job's position in its caller's queue: unique and ascending for a
	// caller. It is the id's sequence number until a retry gives it a new one.
	Order uint64
	State State
	// Factors are the primes found, ascending: all of them when completed; what
	// was found until then when failed or cancelled.
	Factors   []Factor
	Submitted time.Time
	Started   time.Time // of the first turn, zero before
	Finished  time.Time // zero while unfinished
	Attempts  int       // how often the job was begun
	// Turn is the position of the job's first turn in the global dispatch order,
	// from 1; zero before.
	Turn     uint64
	CPU      time.Duration
	Turns    uint64    // finished turns
	Reason   string    // why it failed, or was cancelled by its deadline; a sentence
	Progress *Progress // while running, nil if nothing is known
	// Known says that the job was completed with factors that others had found.
	Known bool
	// Callback is whom to tell of the job's end, nil for most.
	Callback *Callback
	// Deadline is when the job is cancelled if it has not ended, zero for never. In
	// microseconds.
	Deadline time.Time
	// Trace is where the job belongs in its submitter's trace, nil for most.
	Trace *Trace
	// Deaths are the processes that died with it, nil for none. A job that failed has
	// them only if that is why: see [Job.Quarantined].
	Deaths *Deaths
	// Curves are the elliptic curves that were run on what is left of the number, by this
	// job and, as its submission says, elsewhere.
	Curves []Curves
}

// Factor is a prime and how often it divides the number.
type Factor struct {
	Prime    string // decimal
	Exponent int    // 1 or more
	// Probable is set when the prime passed the Baillie-PSW test but was not
	// proven; no counterexample to that test is known.
	Probable bool
	// Proof is how a large one was proven, see [Factor.Method].
	Proof Proof
}

// Progress says how far a long job is.
type Progress struct {
	Phase     string
	Percent   float64       // of this phase, 0 to 100
	Left      time.Duration // estimate, zero if unknown
	Limited   bool          // the limit of CPU for a job ends it before it is done: Left is until then
	Found     []Factor
	Remaining []string // composite cofactors that are still being worked on
	Memory    int64    // bytes that the job will hold at most, as far as is known; zero for little
}
