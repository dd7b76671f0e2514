package rules

import (
	"cmp"
	"slices"
	"time"

	"fairfactor"
)

// Condemned returns the number that a change makes deadly, false for nearly all.
func Condemned(ch *fairfactor.Change) (d fairfactor.Deadly, ok bool) {
	j := ch.Job
	if j == nil || ch.Op != fairfactor.Finish && ch.Op != fairfactor.AcceptEnded || !j.Quarantined() {
		return d, false
	}
	at := Kept(j.Finished)
	return fairfactor.Deadly{
		Number: j.Number, Deaths: fairfactor.Deaths{Processes: slices.Clone(j.Deaths.Processes), CPU: j.Deaths.CPU},
		Job: j.ID, Caller: j.Caller, Since: at, Used: at,
	}, true
}

// MergeDeadly returns what is kept of a number that is deadly and has become so again, and
// whether that differs from what is kept already. A job that was quarantined because its
// number is deadly has the deaths of the first one, which was quarantined earlier, and is a
// use of the number.
func MergeDeadly(was, now fairfactor.Deadly) (more fairfactor.Deadly, differs bool) {
	if DeathsText(&was.Deaths) != DeathsText(&now.Deaths) {
		return now, true
	}
	more = was
	if now.Since.Before(was.Since) { // it was not durable before one that knew of it
		more.Job, more.Caller, more.Since, differs = now.Job, now.Caller, now.Since, true
	}
	if now.Used.Sub(was.Used) >= fairfactor.DeadlyTouch {
		more.Used, differs = now.Used, true
	}
	return more, differs
}

// Absolved reports whether a change shows that its job's number is not deadly: the job was
// tried again and has completed.
func Absolved(ch *fairfactor.Change) bool {
	j := ch.Job
	return j != nil && ch.Op == fairfactor.Finish && j.State == fairfactor.Completed && j.Order != j.ID.Seq
}

// Trimmed returns those of all numbers that are deadly which are to be forgotten, see
// [fairfactor.DeadlyStore].
func Trimmed(all []fairfactor.Deadly, before time.Time) (gone []fairfactor.Deadly) {
	kept := len(Deadliest(all))
	for i := range all {
		if i >= kept || all[i].Used.Before(before) {
			gone = append(gone, all[i])
		}
	}
	return gone
}

// Deadliest sorts numbers as stores return them, and leaves out those that are too many.
func Deadliest(all []fairfactor.Deadly) []fairfactor.Deadly {
	slices.SortFunc(all, func(a, b fairfactor.Deadly) int {
		return cmp.Or(b.Used.Compare(a.Used), cmp.Compare(a.Number, b.Number))
	})
	return all[:min(len(all), fairfactor.MaxDeadly)]
}
