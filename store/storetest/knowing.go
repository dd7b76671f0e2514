package storetest

import (
	"fmt"
	"slices"
	"time"

	"fairfactor"
)

// learned returns a change that ends a job and makes its result known.
func (a *writer) learned(op fairfactor.Op, number string, cpu time.Duration, state fairfactor.State, primes ...string) fairfactor.Change {
	var j fairfactor.Job
	if op == fairfactor.Finish {
		j = a.accept(1)[0]
	} else {
		j = a.next()
	}
	j = a.ended(j, state)
	j.Number, j.CPU, j.Factors = number, cpu, nil
	for _, p := range primes {
		j.Factors = append(j.Factors, fairfactor.Factor{Prime: p, Exponent: 1})
	}
	ch := a.change(op, j)
	ch.Learn = true
	return ch
}

func (w *world) known(numbers ...string) []fairfactor.Known {
	w.Helper()
	known, err := w.store.Known(w.ctx(), numbers)
	if err != nil {
		w.Fatalf("known: %v", err)
	}
	slices.SortFunc(known, func(a, b fairfactor.Known) int {
		return slices.Index(numbers, a.Number) - slices.Index(numbers, b.Number)
	})
	return known
}

// endsAreLearned: what an end says is known with it, however the job ended, and is
// there after the store was opened again.
func endsAreLearned(w *world) {
	a := w.claim("a")
	changes := []fairfactor.Change{ // those that finish were accepted before
		a.learned(fairfactor.Finish, "35", 3*time.Millisecond, fairfactor.Completed, "5", "7"),
		a.learned(fairfactor.Finish, "1001", time.Second, fairfactor.Failed, "7"),
	}
	silent := a.learned(fairfactor.Finish, "91", time.Second, fairfactor.Completed, "7", "13")
	changes = append(changes, a.learned(fairfactor.AcceptEnded, "77", 2*time.Millisecond, fairfactor.Completed, "7", "11"))
	silent.Learn = false
	stranger := a.learned(fairfactor.AcceptEnded, "65", time.Second, fairfactor.Completed, "5", "13")
	stranger.Epoch++
	w.must(append(changes, silent)...)
	w.refused(fairfactor.Conflict, stranger)
	var want []fairfactor.Known
	for _, ch := range changes {
		j := ch.Job
		want = append(want, fairfactor.Known{Number: j.Number, Factors: j.Factors, Complete: j.State == fairfactor.Completed, CPU: j.CPU, Used: j.Finished})
	}
	w.same("known", w.known("35", "1001", "77", "91", "65", "3"), want)
	if !w.suite.forgetful {
		w.reopen()
		w.same("known after opening again", w.known("35", "1001", "77", "91", "65", "3"), want)
	}
}

// moreIsKept: a result never takes the place of one that says more.
func moreIsKept(w *world) {
	factors := func(primes ...string) (fs []fairfactor.Factor) {
		for _, p := range primes {
			fs = append(fs, fairfactor.Factor{Prime: p, Exponent: 1})
		}
		return fs
	}
	early, late := w.tick(), w.tick()
	some := fairfactor.Known{Number: "1001", Factors: factors("7"), CPU: time.Second, Used: early}
	more := fairfactor.Known{Number: "1001", Factors: factors("7", "11"), CPU: time.Millisecond, Used: late}
	all := fairfactor.Known{Number: "1001", Factors: factors("7", "11", "13"), Complete: true, CPU: time.Minute, Used: early}
	for i, step := range []struct{ learn, want fairfactor.Known }{
		{some, some},
		{more, fairfactor.Known{Number: "1001", Factors: more.Factors, CPU: time.Second, Used: late}},
		{some, fairfactor.Known{Number: "1001", Factors: more.Factors, CPU: time.Second, Used: late}},
		{all, fairfactor.Known{Number: "1001", Factors: all.Factors, Complete: true, CPU: time.Minute, Used: late}},
		{more, fairfactor.Known{Number: "1001", Factors: all.Factors, Complete: true, CPU: time.Minute, Used: late}},
	} {
		if err := w.store.Learn(w.ctx(), []fairfactor.Known{step.learn}); err != nil {
			w.Fatal(err)
		}
		w.same(fmt.Sprintf("known after step %d", i), w.known("1001"), []fairfactor.Known{step.want})
	}
	if err := w.store.Learn(w.ctx(), []fairfactor.Known{{Number: "12x4"}}); fairfactor.CodeOf(err) != fairfactor.Invalid {
		w.Errorf("what is not a number was learned: %v", err)
	}
}

// leastUsefulIsForgotten: first what took little CPU, then what was not used for
// long, in steps no longer than asked for, and never what is asked to be kept.
func leastUsefulIsForgotten(w *world) {
	var all []fairfactor.Known
	for i := range 30 {
		all = append(all, fairfactor.Known{
			Number: fmt.Sprint(1000 + i), Complete: true, CPU: time.Duration(1+i%3*10) * time.Millisecond, Used: w.tick(),
			Factors: []fairfactor.Factor{{Prime: "2", Exponent: 1}},
		})
	}
	all[3].Used = w.tick() // it is cheap, and was used last
	if err := w.store.Learn(w.ctx(), all); err != nil {
		w.Fatal(err)
	}
	if err := w.store.Learn(w.ctx(), all[:10]); err != nil { // again: no new ones
		w.Fatal(err)
	}
	trim := func(keep, limit, want int) {
		w.Helper()
		if n, err := w.store.TrimKnown(w.ctx(), keep, limit); n != want || err != nil {
			w.Errorf("keep %d, at most %d: %d forgotten, %v, want %d", keep, limit, n, err, want)
		}
	}
	trim(30, 100, 0)
	trim(10, 9, 9)
	var left []string
	for _, k := range all {
		if len(w.known(k.Number)) > 0 {
			left = append(left, k.Number)
		}
	}
	if len(left) != 21 || !slices.Contains(left, "1003") || slices.Contains(left, "1000") || slices.Contains(left, "1027") {
		w.Errorf("left are %v: not the most useful", left)
	}
	if !w.suite.forgetful {
		w.reopen()
	}
	trim(10, 100, 11)
	trim(10, 100, 0)
	if len(w.known("1003")) > 0 || len(w.known("1029")) == 0 {
		w.Error("the cheap one is known still, or the last one is not")
	}
	trim(0, 100, 10)
	trim(0, 100, 0)
}

// knownPages: all that is known comes in pages, each number once.
func knownPages(w *world) {
	var all []fairfactor.Known
	for i := range 25 {
		all = append(all, fairfactor.Known{Number: fmt.Sprint(7000 + i), CPU: time.Millisecond, Used: w.tick()})
	}
	if err := w.store.Learn(w.ctx(), all); err != nil {
		w.Fatal(err)
	}
	var after fairfactor.NumberKey
	seen := map[string]bool{}
	for {
		page, err := w.store.ListKnown(w.ctx(), after, 10)
		if err != nil {
			w.Fatal(err)
		}
		for _, k := range page {
			seen[k.Number] = true
			after = fairfactor.KeyOfNumber(k.Number)
		}
		if len(page) < 10 {
			break
		}
	}
	if len(seen) != 25 {
		w.Errorf("%d numbers in all pages, want 25", len(seen))
	}
}

// compareKnown asks for all that is known.
func (p *pair) compareKnown() {
	var after fairfactor.NumberKey
	want, _ := p.twin.ListKnown(p.ctx(), after, 1000)
	got, err := p.store.ListKnown(p.ctx(), after, 1000)
	if err != nil {
		p.Fatalf("list of what is known: %v", err)
	}
	if len(got)+len(want) > 0 {
		p.same("what is known", got, want)
	}
	for _, k := range want {
		k.Deadly = p.twin.deadlyOf(k.Number)
		p.same("known", p.known(k.Number), []fairfactor.Known{k})
	}
}

// trim lets the store choose among results that are as useful, and the model
// follows.
func (p *pair) trim() {
	keep, limit := p.rng.IntN(20), p.rng.IntN(8)
	n, err := p.store.TrimKnown(p.ctx(), keep, limit)
	if want := max(min(limit, len(p.twin.known)-keep), 0); n != want || err != nil {
		p.Fatalf("%d forgotten, want %d: %v", n, want, err)
	}
	var left, gone []fairfactor.Known
	for _, k := range p.twin.known {
		if known := p.known(k.Number); len(known) > 0 && !known[0].Used.IsZero() { // or it is deadly, and no more
			left = append(left, k)
		} else {
			gone = append(gone, k)
		}
	}
	if len(gone) != n {
		p.Fatalf("%d are gone and %d were forgotten", len(gone), n)
	}
	for i := range left {
		for j := range gone {
			if lessUseful(&left[i], &gone[j]) {
				p.Errorf("%+v was forgotten before %+v", gone[j], left[i])
			}
		}
	}
	p.twin.known = left
}
