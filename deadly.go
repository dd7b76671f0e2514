package fairfactor

import (
	"context"
	"time"
)

// Deadly is a number that ended processes: a job for it was quarantined. A new job for it
// is quarantined before its first turn, of any caller.
type Deadly struct {
	Number string // canonical decimal
	Deaths Deaths // the processes that died
	// Job is the job that they died with, and Caller the one who submitted it: it is for
	// those who may see the jobs of that caller.
	Job    ID
	Caller string
	Since  time.Time // when that job was quarantined
	// Used is when a job for the number was quarantined last, to an hour.
	Used time.Time
}

// Bounds of what is kept of deadly numbers.
const (
	MaxDeadly   = 1000      // numbers, those that were used last
	DeadlyTouch = time.Hour // how old Used may be before a later use is written down
)

// DeadlyStore keeps the numbers that are deadly. It is a part of [Store]. A number becomes
// deadly with the end of a job that is quarantined, in the same commit; it is forgotten
// with the completion of a job for it that was tried again.
type DeadlyStore interface {
	// Deadly returns all numbers that are deadly, those that were used last first, at most
	// [MaxDeadly].
	Deadly(ctx context.Context) ([]Deadly, error)
	// TrimDeadly forgets numbers that were last used before a time, and those beyond
	// [MaxDeadly] that were used least lately.
	TrimDeadly(ctx context.Context, before time.Time) error
}
