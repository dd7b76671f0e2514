package storetest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"fairfactor"
)

// list follows the cursors of a query from its first page to its last. A page may have
// fewer jobs than asked for, but never more, and none only if it is the last.
func (w *world) list(q fairfactor.Query) (jobs []fairfactor.Job) {
	w.Helper()
	seen := map[string]bool{}
	for {
		page, err := w.store.List(w.ctx(), q)
		if err != nil {
			w.Fatalf("list %+v: %v", q, err)
		}
		if len(page.Jobs) > q.Limit {
			w.Fatalf("list %+v: %d jobs on a page", q, len(page.Jobs))
		}
		if len(page.Jobs) == 0 && page.Next != "" {
			w.Fatalf("list %+v: an empty page with the cursor %q", q, page.Next)
		}
		jobs = append(jobs, page.Jobs...)
		if page.Next == "" {
			return jobs
		}
		if seen[page.Next] {
			w.Fatalf("list %+v: the cursor %q came twice", q, page.Next)
		}
		seen[page.Next] = true
		q.Cursor = page.Next
	}
}

// newest returns jobs in the opposite order, those in the given states only, all
// without any.
func newest(jobs []fairfactor.Job, states ...fairfactor.State) (list []fairfactor.Job) {
	for _, j := range slices.Backward(jobs) {
		if len(states) == 0 || slices.Contains(states, j.State) {
			list = append(list, j)
		}
	}
	return list
}

func unknownIsNotFound(w *world) {
	missing := func(id fairfactor.ID) {
		w.Helper()
		if j, err := w.store.Job(w.ctx(), id); fairfactor.CodeOf(err) != fairfactor.NotFound {
			w.Errorf("job %+v: got %+v, %v, want not_found", id, j, err)
		}
	}
	missing(fairfactor.ID{Nonce: 1, Caller: 1, Seq: 1})
	a := w.claim("a")
	b := w.claim("b")
	jobs := a.accept(3)
	a.finish(fairfactor.Completed, jobs[0])
	again := a.requeued(a.finish(fairfactor.Failed, jobs[1])[0])
	w.must(a.change(fairfactor.Requeue, again))
	for _, j := range jobs {
		for _, wrong := range []fairfactor.ID{
			{Nonce: j.ID.Nonce ^ 1, Caller: j.ID.Caller, Seq: j.ID.Seq},
			{Nonce: j.ID.Nonce, Caller: b.claim.Number, Seq: j.ID.Seq},
			{Nonce: j.ID.Nonce, Caller: 1 << 30, Seq: j.ID.Seq},
			{Nonce: j.ID.Nonce, Caller: j.ID.Caller, Seq: j.ID.Seq + 100},
			{Nonce: j.ID.Nonce, Caller: j.ID.Caller, Seq: again.Order},
			{Nonce: j.ID.Nonce, Seq: j.ID.Seq},
			{},
		} {
			missing(wrong)
		}
	}
	if c, err := w.store.Caller(w.ctx(), "never"); fairfactor.CodeOf(err) != fairfactor.NotFound {
		w.Errorf("caller: got %+v, %v, want not_found", c, err)
	}
	for _, number := range []uint64{0, b.claim.Number, 1 << 30, 1 << 50} {
		if waiting := w.backlog(number, 0, 10); len(waiting) != 0 {
			w.Errorf("backlog of %d: %+v", number, waiting)
		}
		if id := w.keyed(number, "k", time.Time{}); id != (fairfactor.ID{}) {
			w.Errorf("key of %d: got %v", number, id)
		}
	}
	if jobs := w.list(fairfactor.Query{Caller: "never", Limit: 10}); len(jobs) != 0 {
		w.Errorf("list of a stranger: %+v", jobs)
	}
}

func backlogPages(w *world) {
	a, b := w.claim("a"), w.claim("b")
	var want []fairfactor.Waiting
	for i := range 50 {
		j := a.accept(1)[0]
		b.accept(1)
		if i%7 == 3 {
			a.finish(fairfactor.Completed, j)
			continue
		}
		have := fairfactor.Waiting{Job: j}
		if i%5 == 2 {
			ch := a.change(fairfactor.Checkpoint, j)
			ch.Checkpoint = fmt.Appendf(nil, "progress of %d", i)
			w.must(ch)
			have.Checkpoint = ch.Checkpoint
		}
		want = append(want, have)
	}
	for _, size := range []int{1, 2, 7, len(want), 1000} {
		var got []fairfactor.Waiting
		for after := uint64(0); ; {
			page := w.backlog(a.claim.Number, after, size)
			if len(page) > size || len(page) < min(size, len(want)-len(got)) {
				w.Fatalf("%d jobs on a page of %d", len(page), size)
			}
			if len(page) == 0 {
				break
			}
			got = append(got, page...)
			after = page[len(page)-1].Job.Order
		}
		w.same(fmt.Sprintf("backlog in pages of %d", size), got, want)
	}
	for _, limit := range []int{0, -1} {
		if page := w.backlog(a.claim.Number, 0, limit); len(page) != 0 {
			w.Errorf("%d jobs for limit %d", len(page), limit)
		}
	}
	for _, after := range []uint64{a.last, 1<<40 - 1, 1 << 40, 1<<64 - 1} {
		if page := w.backlog(a.claim.Number, after, 10); len(page) != 0 {
			w.Errorf("%d jobs after %d", len(page), after)
		}
	}
}

func callersPage(w *world) {
	names := []string{"b", "Z", "a", "a.b", "a-b", "a:b", "ab", "A", "0", "_", "@", "a0", "aa", strings.Repeat("a", fairfactor.MaxCallerBytes)}
	var want []fairfactor.Caller
	sorted := slices.Sorted(slices.Values(names)) // byte by byte, whatever the locale
	for _, name := range names {
		a := w.claim(name)
		if jobs := a.accept(1 + int(a.claim.Number)); a.claim.Number%3 == 0 {
			a.finish(fairfactor.Completed, jobs...)
		}
	}
	for _, name := range sorted {
		want = append(want, w.caller(name))
	}
	for _, size := range []int{1, 3, len(names), 1000} {
		inPages(w, "callers", size, want, w.store.Callers, func(c fairfactor.Caller) string { return c.Name })
	}
	if page, err := w.store.Callers(w.ctx(), "", 0); err != nil || len(page) != 0 {
		w.Errorf("limit 0: %+v, %v", page, err)
	}
}

// inPages reads a list to its end, each page after the last entry of the one before.
// Every page but the last is full.
func inPages[Entry, Key any](w *world, what string, size int, want []Entry, read func(context.Context, Key, int) ([]Entry, error), key func(Entry) Key) {
	w.Helper()
	var got []Entry
	for after := *new(Key); ; after = key(got[len(got)-1]) {
		page, err := read(w.ctx(), after, size)
		if err != nil {
			w.Fatal(err)
		}
		if len(page) > size || len(page) < min(size, len(want)-len(got)) {
			w.Fatalf("%d %s on a page of %d", len(page), what, size)
		}
		if len(page) == 0 {
			break
		}
		got = append(got, page...)
	}
	w.same(fmt.Sprintf("%s in pages of %d", what, size), got, want)
}

// backloggedPages: by number, those with unfinished jobs only, whatever becomes of
// the others.
func backloggedPages(w *world) {
	var want []fairfactor.Backlogged
	for i := range 12 {
		a := w.claimIn(fmt.Sprintf("caller-%02d", 11-i), []string{"", "team"}[i%2])
		jobs := a.accept(3)
		weigh := a.change(fairfactor.Weigh, jobs[0])
		weigh.Weight = 1 + i
		w.must(weigh)
		left := uint64(len(jobs))
		switch i % 4 {
		case 0: // nothing is left
			a.finish(fairfactor.Completed, jobs...)
			continue
		case 1: // the last one is left
			a.finish(fairfactor.Failed, jobs[:2]...)
			left = 1
		case 2: // what is left was queued again
			failed := a.finish(fairfactor.Failed, jobs...)
			w.must(a.change(fairfactor.Requeue, a.requeued(failed[1])))
			left = 1
		}
		want = append(want, fairfactor.Backlogged{Number: a.claim.Number, Name: a.name, Group: a.claim.Caller.Group, Weight: 1 + i, Queued: left})
	}
	slices.SortFunc(want, func(a, b fairfactor.Backlogged) int { return cmp.Compare(a.Number, b.Number) })
	for _, size := range []int{1, 2, len(want), 1000} {
		inPages(w, "backlogged callers", size, want, w.store.Backlogged, func(c fairfactor.Backlogged) uint64 { return c.Number })
	}
	for _, after := range []uint64{1<<40 - 1, 1 << 40, 1<<64 - 1} {
		if page, err := w.store.Backlogged(w.ctx(), after, 10); err != nil || len(page) != 0 {
			w.Errorf("after %d: %+v, %v", after, page, err)
		}
	}
	if page, err := w.store.Backlogged(w.ctx(), 0, 0); err != nil || len(page) != 0 {
		w.Errorf("limit 0: %+v, %v", page, err)
	}
}

func listPages(w *world) {
	a, b := w.claim("a"), w.claim("b")
	states := []fairfactor.State{fairfactor.Pending, fairfactor.Completed, fairfactor.Failed, fairfactor.Cancelled}
	var all, ofA []fairfactor.Job
	for i := range 12 {
		ja, jb := a.next(), b.next()
		w.must(a.change(fairfactor.Accept, ja), b.change(fairfactor.Accept, jb))
		if state := states[i%4]; state != fairfactor.Pending {
			ja = a.finish(state, ja)[0]
		}
		all, ofA = append(all, ja, jb), append(ofA, ja)
	}
	again := a.requeued(ofA[2])
	w.must(a.change(fairfactor.Requeue, again))
	ofA[2], all[4] = again, again
	for _, size := range []int{1, 2, 5, 12, 24, fairfactor.MaxPage} {
		w.same("all jobs", w.list(fairfactor.Query{Limit: size}), newest(all))
		w.same("jobs of a", w.list(fairfactor.Query{Limit: size, Caller: "a"}), newest(ofA))
		for _, state := range states {
			w.same("all jobs "+state.String(), w.list(fairfactor.Query{Limit: size, States: fairfactor.In(state)}), newest(all, state))
			w.same("jobs of a "+state.String(), w.list(fairfactor.Query{Limit: size, States: fairfactor.In(state), Caller: "a"}), newest(ofA, state))
		}
		for _, caller := range []string{"", "a"} {
			if jobs := w.list(fairfactor.Query{Limit: size, States: fairfactor.In(fairfactor.Running), Caller: caller}); len(jobs) != 0 {
				w.Errorf("%d running jobs in a store, which knows of none", len(jobs))
			}
		}
	}
	if page, err := w.store.List(w.ctx(), fairfactor.Query{Limit: 24}); err != nil || page.Next != "" {
		w.Errorf("a page that holds everything has the cursor %q, %v", page.Next, err)
	}
}

// listWhileWriting: a cursor stays good while jobs come and end. What was there
// at the first page is listed once; what came later is not.
func listWhileWriting(w *world) {
	a, b := w.claim("a"), w.claim("b")
	var before []fairfactor.Job
	for range 10 {
		before = append(append(before, a.accept(1)...), b.accept(1)...)
	}
	for _, caller := range []string{"", "a"} {
		var want []fairfactor.ID
		for _, j := range newest(before) {
			if caller == "" || j.Caller == caller {
				want = append(want, j.ID)
			}
		}
		var got []fairfactor.ID
		for q := (fairfactor.Query{Caller: caller, Limit: 3}); ; {
			page, err := w.store.List(w.ctx(), q)
			if err != nil {
				w.Fatal(err)
			}
			for _, j := range page.Jobs {
				got = append(got, j.ID)
			}
			if q.Cursor = page.Next; q.Cursor == "" {
				break
			}
			late := a.accept(2)
			b.accept(1)
			a.finish(fairfactor.Completed, late[0])
			if last := w.job(page.Jobs[len(page.Jobs)-1].ID); last.Caller == "a" && !last.State.Final() {
				failed := a.finish(fairfactor.Failed, last)[0] // the very job that the cursor stands on
				w.must(a.change(fairfactor.Requeue, a.requeued(failed)))
			}
		}
		w.same(fmt.Sprintf("jobs of %q", caller), got, want)
		before = newest(w.list(fairfactor.Query{Limit: fairfactor.MaxPage}))
	}
}

func listRefusesNonsense(w *world) {
	a := w.claim("a")
	a.accept(5)
	refused := func(q fairfactor.Query) {
		w.Helper()
		if page, err := w.store.List(w.ctx(), q); fairfactor.CodeOf(err) != fairfactor.Invalid {
			w.Errorf("%+v: got %+v, %v, want invalid", q, page, err)
		}
	}
	for _, caller := range []string{"", "a"} {
		for _, limit := range []int{0, -1, fairfactor.MaxPage + 1} {
			refused(fairfactor.Query{Caller: caller, Limit: limit})
		}
		page, err := w.store.List(w.ctx(), fairfactor.Query{Caller: caller, Limit: 2})
		if err != nil || page.Next == "" {
			w.Fatalf("no cursor: %+v, %v", page, err)
		}
		for _, cursor := range []string{"nonsense", "-1", " ", "1e3", "\x00", page.Next + "x", page.Next + " ", " " + page.Next, strings.Repeat("9", 100)} {
			refused(fairfactor.Query{Caller: caller, Limit: 2, Cursor: cursor})
		}
	}
}
