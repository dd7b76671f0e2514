package chaos

import (
	"slices"
	"time"
)

// outage says how long callers went without service after a fault.
type outage struct {
	Submit   time.Duration `json:"submit"`   // until every caller's submissions were accepted again
	Complete time.Duration `json:"complete"` // until every caller's jobs were completed again
	Refused  time.Duration `json:"refused"`  // longest that one number was refused or without an answer
}

// A submission that took longer than this, or a job that was not completed
// within the second, was disturbed. Far above what either takes on a busy
// machine, far below what an outage is.
const (
	slowSubmit   = 500 * time.Millisecond
	slowComplete = time.Second
)

// outageOf looks at the submissions around a fault. A caller is served again when
// the last number is through that the fault delayed: one that was under way at
// the fault, or begun while an earlier one was delayed or soon after. A caller
// without any is served again with its first number after the fault.
func outageOf(logs []submission, at time.Time) outage {
	byCaller := map[string][]submission{}
	for _, l := range logs {
		if l.Ended.After(at) {
			byCaller[l.Caller] = append(byCaller[l.Caller], l)
		}
	}
	var o outage
	for _, own := range byCaller {
		accepted := spansOf(own, func(l submission) (time.Time, bool) { return l.Ended, l.Outcome == accepted })
		o.Submit = max(o.Submit, servedAgain(accepted, at, slowSubmit))
		completed := spansOf(own, func(l submission) (time.Time, bool) { return l.Finished, !l.Finished.IsZero() })
		o.Complete = max(o.Complete, servedAgain(completed, at, slowComplete))
		for _, l := range own {
			if l.Attempts > 1 {
				o.Refused = max(o.Refused, l.Ended.Sub(l.Began))
			}
		}
	}
	return o
}

// span is the time that a number took.
type span struct{ began, ended time.Time }

func spansOf(logs []submission, end func(submission) (time.Time, bool)) (spans []span) {
	for _, l := range logs {
		if at, ok := end(l); ok {
			spans = append(spans, span{l.Began, at})
		}
	}
	slices.SortFunc(spans, func(a, b span) int { return a.began.Compare(b.began) })
	return spans
}

// servedAgain returns the time from a fault to the end of the last span that it
// delayed; zero if there are none at all.
func servedAgain(spans []span, at time.Time, slow time.Duration) time.Duration {
	delayed := at
	first := time.Time{}
	for _, s := range spans {
		if s.began.After(delayed.Add(slow)) && !first.IsZero() {
			break
		}
		if s.began.After(at) && first.IsZero() {
			first = s.ended
		}
		if s.ended.Sub(s.began) > slow && s.ended.After(delayed) {
			delayed = s.ended
		}
	}
	switch {
	case delayed.After(at):
		return delayed.Sub(at)
	case first.IsZero():
		return 0
	}
	return first.Sub(at)
}
