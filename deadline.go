package fairfactor

import (
	"context"
	"time"
)

// DeadlineStore is the part of a [Store] that finds jobs whose time is over.
type DeadlineStore interface {
	// Overdue returns unfinished jobs whose deadline is before the given time: by
	// deadline, caller and sequence number, ascending, after the given one, which is the
	// zero value for the first page; at most limit. Its cost grows with what it returns.
	Overdue(ctx context.Context, before time.Time, after Overdue, limit int) ([]Overdue, error)
}

// Overdue is an unfinished job that should have ended.
type Overdue struct {
	ID       ID
	Caller   string
	Deadline time.Time
}

// ParseDeadline reads a time in RFC 3339 that is after now, and returns it in UTC and in
// microseconds. Its error is invalid.
func ParseDeadline(text string, now time.Time) (time.Time, error) {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}, Errorf(Invalid, "deadline %.40q is not a time as in RFC 3339: send one such as 2031-01-31T12:00:00Z", text)
	}
	at = at.UTC().Truncate(time.Microsecond)
	switch {
	case at.Year() > maxYear:
		return time.Time{}, Errorf(Invalid, "the deadline is after the year %d: leave it out for none", maxYear)
	case !at.After(now):
		return time.Time{}, Errorf(Invalid, "the deadline has passed: send one after %s, the time now", now.UTC().Format("2006-01-02T15:04:05.000000Z"))
	}
	return at, nil
}

// maxYear bounds deadlines to what all stores and RFC 3339 can write.
const maxYear = 9999

// Missed is the reason of a job that its deadline has cancelled.
func Missed(deadline time.Time) string {
	return "the job had not ended at its deadline, " + deadline.UTC().Format("2006-01-02T15:04:05.000000Z")
}
