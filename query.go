package fairfactor

import (
	"strings"
	"time"
)

// Query selects jobs for [Jobs.List]: those that suit each of its filters. The zero
// value of a filter is no filter.
type Query struct {
	Caller string
	States States
	Number string    // canonical decimal
	Since  time.Time // submitted then or later
	Until  time.Time // submitted before
	// Quarantined wants jobs that failed because processes died with them or of their
	// numbers, and no others, see [Job.Quarantined].
	Quarantined bool

	Limit  int    // 1 to [MaxPage]
	Cursor string // opaque, from [Page.Next]; empty for the first page
}

// BadCursor is the error for a cursor that no page of a list gave.
func BadCursor(cursor string) *Error {
	return Errorf(Invalid, "cursor %.40q is not from a page of this list: take the member next of the page before, or leave it out", cursor)
}

// Matches reports whether a job suits the filters.
func (q *Query) Matches(j *Job) bool {
	return (q.Caller == "" || j.Caller == q.Caller) && q.States.Has(j.State) && (q.Number == "" || j.Number == q.Number) && (!q.Quarantined || j.Quarantined()) && q.within(j.Submitted)
}

// Narrow leaves out the states in which no stored job suits the filters. It is false if
// none is left.
func (q *Query) Narrow() (some bool) {
	if q.Quarantined {
		some = q.States.Has(Failed)
		q.States = In(Failed)
		return some
	}
	stored, some := q.States.Without(Running)
	if some && q.States != 0 {
		q.States = stored
	}
	return some
}

// within reports whether a job was submitted in the time that is asked for.
func (q *Query) within(submitted time.Time) bool {
	return (q.Since.IsZero() || !submitted.Before(q.Since)) && (q.Until.IsZero() || submitted.Before(q.Until))
}

// States is a set of states; the zero value stands for all of them.
type States uint8

// In returns the set of some states.
func In(states ...State) (s States) {
	for _, state := range states {
		s |= 1 << state
	}
	return s
}

// Has reports whether a state is in the set.
func (s States) Has(state State) bool { return s == 0 || s&(1<<state) != 0 }

// Ended reports whether a final state is in the set.
func (s States) Ended() bool { return s.Has(Completed) || s.Has(Failed) || s.Has(Cancelled) }

// Without returns the set without some states, false if none is left.
func (s States) Without(states ...State) (States, bool) {
	if s == 0 {
		s = In(Pending, Running, Completed, Failed, Cancelled)
	}
	s &^= In(states...)
	return s, s != 0
}

// String returns the names of the states, separated by commas; empty for all.
func (s States) String() string {
	var names []string
	for state := Pending; s != 0 && state <= Cancelled; state++ {
		if s.Has(state) {
			names = append(names, state.String())
		}
	}
	return strings.Join(names, ",")
}

// ParseStates reads what String writes. It returns the first name that is not that of
// a state, if there is one.
func ParseStates(text string) (s States, unknown string, ok bool) {
	if text == "" {
		return 0, "", true
	}
	for name := range strings.SplitSeq(text, ",") {
		state, ok := ParseState(name)
		if !ok {
			return 0, name, false
		}
		s |= In(state)
	}
	return s, "", true
}
