package storetest

import (
	"fmt"
	"slices"
	"time"

	"fairfactor"
)

// foremostCallers: those with the most unfinished jobs, and with the most CPU, come first,
// while queues grow and shrink by one and by many, and equal ones are in the order of their
// names.
func foremostCallers(w *world) {
	pens := map[string]*writer{}
	waits := map[string][]fairfactor.Job{}
	var names []string
	for i := range 24 {
		name := fmt.Sprintf("caller-%02d", 23-i)
		pens[name], names = w.claim(name), append(names, name)
	}
	check := func() {
		w.Helper()
		for _, order := range []fairfactor.CallerOrder{fairfactor.ByQueued, fairfactor.ByCPU} {
			var all []fairfactor.Caller
			for _, name := range names {
				c, err := w.store.Caller(w.ctx(), name)
				if err == nil && (order == fairfactor.ByQueued && c.Queued > 0 || c.CPU >= 16*time.Millisecond && order == fairfactor.ByCPU) {
					all = append(all, c)
				}
			}
			slices.SortFunc(all, func(a, b fairfactor.Caller) int {
				if x, y := order.Value(&a), order.Value(&b); x != y {
					return int(min(y, 1<<60)) - int(min(x, 1<<60))
				}
				return int(a.Name[7])*256 + int(a.Name[8]) - int(b.Name[7])*256 - int(b.Name[8])
			})
			for _, limit := range []int{3, 24, fairfactor.MaxRanked} {
				got, err := w.store.Foremost(w.ctx(), order, limit)
				if want := all[:min(len(all), limit)]; err != nil || !slices.Equal(got, want) {
					w.Fatalf("the first %d by %v:\n got %+v, %v\nwant %+v", limit, order, got, err, want)
				}
			}
		}
	}
	check()
	sizes := []int{0, 1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 48, 64, 100, 128, 7, 16, 3, 200, 31, 15, 8}
	for i, name := range names {
		waits[name] = pens[name].accept(sizes[i])
	}
	check()
	for round := range 5 { // across the ends of classes and back
		for i, name := range names {
			switch jobs := waits[name]; {
			case (i+round)%3 == 0:
				waits[name] = append(jobs, pens[name].accept(1+round*i)...)
			case len(jobs) > 0:
				n := 1 + (i*round)%len(jobs)
				for j := range jobs[:n] {
					jobs[j].CPU = time.Duration(i*(round+1)) * 3 * time.Millisecond
				}
				pens[name].finish(fairfactor.Completed, jobs[:n]...)
				waits[name] = jobs[n:]
			}
		}
		check()
	}
	for _, name := range names {
		if jobs := waits[name]; len(jobs) > 0 {
			pens[name].finish(fairfactor.Cancelled, jobs...)
		}
	}
	check()
	// One that was larger once is found more easily than one that has more now.
	was, is := pens[names[0]], pens[names[1]]
	was.finish(fairfactor.Cancelled, was.accept(16)[:6]...)
	is.accept(12)
	if got, err := w.store.Foremost(w.ctx(), fairfactor.ByQueued, 1); err != nil || len(got) != 1 || got[0].Name != names[1] {
		w.Errorf("the first of one with 12 jobs and one with 10 of 16: %+v, %v", got, err)
	}
	if _, err := w.store.Foremost(w.ctx(), fairfactor.ByName, 1); fairfactor.CodeOf(err) != fairfactor.Invalid {
		w.Errorf("an order that no store has: %v", err)
	}
	two, err := w.store.CallersNamed(w.ctx(), []string{names[3], "unknown", names[0], "\x00"})
	if err != nil || len(two) != 2 || two[0].Name == two[1].Name || two[0] != w.caller(two[0].Name) || two[1] != w.caller(two[1].Name) {
		w.Errorf("callers by their names: %+v, %v", two, err)
	}
}
