package rules

import (
	"time"

	"fairfactor"
)

// Row returns a job as every store keeps it in a state: without progress, with an
// end only if the state is final, its times in UTC and in microseconds. It shares
// nothing with j.
func Row(j *fairfactor.Job, state fairfactor.State) fairfactor.Job {
	row := *j
	row.State, row.Progress = state, nil
	row.Factors = append([]fairfactor.Factor(nil), j.Factors...)
	row.Curves = append([]fairfactor.Curves(nil), j.Curves...)
	if !state.Final() {
		row.Finished = time.Time{}
	}
	row.Callback = owed(j.Callback, &row)
	if j.Trace != nil {
		trace := *j.Trace
		row.Trace = &trace
	}
	row.Deadline = Kept(j.Deadline)
	row.Submitted, row.Started, row.Finished = Kept(j.Submitted), Kept(j.Started), Kept(row.Finished)
	return row
}

// Kept returns a time as every store keeps it: in UTC, in microseconds.
func Kept(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Microsecond)
}

// owed returns the callback of a job as it is from now on.
func owed(c *fairfactor.Callback, row *fairfactor.Job) *fairfactor.Callback {
	switch {
	case c == nil:
		return nil
	case !row.State.Final():
		return &fairfactor.Callback{URL: c.URL}
	}
	return &fairfactor.Callback{URL: c.URL, State: fairfactor.DeliveryPending, Next: Kept(row.Finished)}
}

// Settle returns a callback after an attempt.
func Settle(c fairfactor.Callback, s *fairfactor.Settled) *fairfactor.Callback {
	c.Attempts++
	c.State, c.LastError, c.Next = s.State, s.LastError, time.Time{}
	if s.State == fairfactor.DeliveryPending {
		c.Next = Kept(s.Next)
	}
	return &c
}
