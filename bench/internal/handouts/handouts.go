// Package handouts judges the order in which jobs were handed out to workers: how
// strictly turns went around, and how much one caller got while another waited.
package handouts

import (
	"cmp"
	"slices"
	"time"

	"fairfactor/bench/internal/client"
)

// InOrder returns the jobs that were handed out, by their place in the global
// dispatch order.
func InOrder(jobs map[string]client.Job) []client.Job {
	var order []client.Job
	for _, j := range jobs {
		if j.Turn != 0 {
			order = append(order, j)
		}
	}
	slices.SortFunc(order, func(a, b client.Job) int { return cmp.Compare(a.Turn, b.Turn) })
	return order
}

// Rotation says how strictly turns went around while all callers had work.
type Rotation struct {
	HandOuts int // looked at
	Breaks   int // hand-outs to another caller than one round before
	Lead     int // most that one caller was ahead of another, 1 if strict
}

// RotationOf looks at the callers of consecutive hand-outs during which all
// of them had work. Strict round robin has no breaks and a lead of one.
func RotationOf(order []string, callers int) Rotation {
	r := Rotation{HandOuts: len(order)}
	counts := map[string]int{}
	for i, caller := range order {
		switch {
		case i >= callers && order[i-callers] != caller, i < callers && counts[caller] > 0:
			r.Breaks++
		}
		counts[caller]++
		least, most := 0, 0
		if len(counts) == callers {
			least = counts[caller]
		}
		for _, n := range counts {
			least, most = min(least, n), max(most, n)
		}
		r.Lead = max(r.Lead, most-least)
	}
	return r
}

// WhileAllWait returns the callers of the hand-outs that were made from a
// moment on until the first of the callers had none of its jobs left to hand
// out. The jobs are in the order of their places.
func WhileAllWait(order []client.Job, from time.Time) (callers []string) {
	left := map[string]int{}
	for _, j := range order {
		left[j.Caller]++
	}
	for _, j := range order {
		if j.Started.After(from) {
			callers = append(callers, j.Caller)
		}
		if left[j.Caller]--; left[j.Caller] == 0 {
			return callers
		}
	}
	return callers
}

// TurnsBetween is how many turns were handed out between a moment and the turn
// at a place, as far as these jobs show, in the order of their places: counted
// from the last that had begun at the moment, so that those that workers held in
// advance are counted too.
func TurnsBetween(order []client.Job, from time.Time, place uint64) int {
	began := uint64(0)
	for _, j := range order {
		if !j.Started.After(from) {
			began = max(began, j.Turn)
		}
	}
	if began >= place {
		return 0
	}
	return int(place - began - 1)
}
