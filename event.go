package fairfactor

import (
	"cmp"
	"strconv"
	"strings"
)

// Event is something that happened to a job and is durable. It is in the store's
// order: what happened to one job, or to jobs of one caller, is in the order in which
// it happened.
type Event struct {
	State State    // that the job reached: pending if it was accepted or queued again, or a final one
	Job   Job      // as it is stored now, in whatever state that is
	After Position // behind the event: the next one has a higher position
}

// EventPage is a part of what has happened.
type EventPage struct {
	Events []Event
	Next   Position // where the next page begins
	// Head is a position that nothing which is durable now has reached: who has read up
	// to it has read all that is there.
	Head Position
	// Gap says that the position which was asked for is not one of this store's, or that
	// some of what followed it is not kept any more.
	Gap bool
}

// KeptEvents is about how many events a store keeps at least.
const KeptEvents = 10_000_000

// Position is a place among the events of a store, between two of them. The zero
// Position is the end.
type Position struct {
	Line  uint64 // of the store's history; a database has a new one when a standby takes over
	Group uint64 // that made the events durable, from 1
	Index uint64 // events of that group before the position
}

// Compare says which of two positions comes first.
func (p Position) Compare(q Position) int {
	return cmp.Or(cmp.Compare(p.Group, q.Group), cmp.Compare(p.Index, q.Index))
}

// String returns the position as 1-42-7: line, group, index.
func (p Position) String() string { return string(p.Append(nil)) }

// Append appends what [Position.String] returns.
func (p Position) Append(b []byte) []byte {
	b = append(strconv.AppendUint(b, p.Line, 10), '-')
	b = append(strconv.AppendUint(b, p.Group, 10), '-')
	return strconv.AppendUint(b, p.Index, 10)
}

// MaxPositionBytes is the length of the longest position as text.
const MaxPositionBytes = 3*20 + 2

// ParsePosition parses what [Position.String] returned; anything else is invalid.
func ParsePosition(text string) (p Position, err error) {
	rest, good := text, len(text) <= MaxPositionBytes
	for i, part := range []*uint64{&p.Line, &p.Group, &p.Index} {
		digits, after, found := strings.Cut(rest, "-")
		*part, err = strconv.ParseUint(digits, 10, 64)
		good, rest = good && err == nil && found == (i < 2), after
	}
	if !good || p.Group == 0 || p.String() != text {
		return Position{}, Errorf(Invalid, "%.40q is not a position among the events, such as 1-42-7: take the id of an event", text)
	}
	return p, nil
}
