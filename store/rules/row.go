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
	if !state.Final() {
		row.Finished = time.Time{}
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
