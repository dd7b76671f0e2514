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

// Summary says how turns went around among callers.
type Summary struct {
	PerCaller map[string]int `json:"per_caller"`
	// LongestRun is the most jobs in a row that were handed out to one caller
	// while another had one waiting.
	LongestRun int `json:"longest_run"`
	// Contended is how many hand-outs were made while another caller waited.
	Contended int `json:"contended"`
}

// Summarize looks at jobs in the order of their places. A job is certainly
// waiting from the moment that its 202 arrived and a grace on, for the way from
// the caller to the scheduler; when that was is given by id.
func Summarize(order []client.Job, answered map[string]time.Time, grace time.Duration) Summary {
	h := Summary{PerCaller: map[string]int{}}
	queues := map[string][]time.Time{} // when jobs that are not handed out yet were answered, in order
	for _, j := range order {
		h.PerCaller[j.Caller]++
		queues[j.Caller] = append(queues[j.Caller], answered[j.ID])
	}
	run, last := 0, ""
	for _, j := range order {
		queues[j.Caller] = queues[j.Caller][1:]
		contended := false
		for other, waiting := range queues {
			if other != j.Caller && len(waiting) > 0 && waiting[0].Add(grace).Before(j.Started) {
				contended = true
				break
			}
		}
		if !contended {
			run, last = 0, ""
			continue
		}
		h.Contended++
		if j.Caller != last {
			run, last = 0, j.Caller
		}
		run++
		h.LongestRun = max(h.LongestRun, run)
	}
	return h
}

// rotation says how strictly turns went around while all callers had work.
type rotation struct {
	HandOuts int // looked at
	Breaks   int // hand-outs to another caller than one round before
	Lead     int // most that one caller was ahead of another, 1 if strict
}

// RotationOf looks at the callers of consecutive hand-outs during which all
// of them had work. Strict round robin has no breaks and a lead of one.
func RotationOf(order []string, callers int) rotation {
	r := rotation{HandOuts: len(order)}
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
