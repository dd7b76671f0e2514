package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"fairfactor"
)

// forget removes accounts that are idle since before a time and returns how many.
func (w *world) forget(before time.Time, limit int) int {
	w.Helper()
	n, err := w.store.Forget(w.ctx(), before, limit)
	if err != nil {
		w.Fatalf("forget: %v", err)
	}
	return n
}

// names returns the names of the callers that the store knows.
func (w *world) names() (names []string) {
	w.Helper()
	callers, err := w.store.Callers(w.ctx(), "", 1000)
	if err != nil {
		w.Fatalf("callers: %v", err)
	}
	for _, c := range callers {
		names = append(names, c.Name)
	}
	return names
}

// kept checks how many accounts the store says it has.
func (w *world) kept(want int) {
	w.Helper()
	a, err := w.store.Accounts(w.ctx())
	if err != nil || a.Kept != uint64(want) {
		w.Errorf("%d accounts, %v, want %d", a.Kept, err, want)
	}
}

// idle makes callers whose only job is deleted, and returns when each ended.
func (w *world) idle(names ...string) (ends []time.Time) {
	w.Helper()
	for _, name := range names {
		a := w.claim(name)
		ends = append(ends, a.finish(fairfactor.Completed, a.accept(1)...)[0].Finished)
	}
	if n := w.expire(w.tick(), len(names)+1); n != len(names) {
		w.Fatalf("%d jobs expired, want %d", n, len(names))
	}
	return ends
}

// idleAccountsAreForgotten: in the order in which their last jobs ended, those that are
// due, at most limit; and what comes back is new.
func idleAccountsAreForgotten(w *world) {
	busy, waits := w.claim("busy"), w.claim("waits")
	old, waiting := busy.accept(1), waits.accept(1)
	busy.finish(fairfactor.Completed, old...)
	w.expire(w.tick(), 1)
	stays := busy.accept(1)
	ends := w.idle("a", "b", "c", "d")
	busy.finish(fairfactor.Failed, stays...)
	before := w.claim("c").claim
	w.kept(6)
	for _, none := range []struct {
		before time.Time
		limit  int
	}{{ends[0], 100}, {w.tick(), 0}, {w.tick(), -1}} {
		if n := w.forget(none.before, none.limit); n != 0 {
			w.Errorf("%d forgotten before %v at limit %d", n, none.before, none.limit)
		}
	}
	if n := w.forget(ends[2], 100); n != 2 {
		w.Errorf("%d forgotten, want the two that were idle before", n)
	}
	w.same("callers", w.names(), []string{"busy", "c", "d", "waits"})
	if n := w.forget(w.tick(), 1); n != 1 {
		w.Errorf("%d forgotten at limit 1", n)
	}
	w.same("callers", w.names(), []string{"busy", "d", "waits"})
	if n := w.forget(w.tick(), 100); n != 1 {
		w.Errorf("%d forgotten, want 1", n)
	}
	w.same("callers", w.names(), []string{"busy", "waits"})
	w.kept(2)
	if a, err := w.store.Accounts(w.ctx()); a.Forgotten != 4 || err != nil {
		w.Errorf("%d forgotten in all, %v, want 4", a.Forgotten, err)
	}
	again := w.claim("c")
	if again.claim.Number <= before.Number || again.claim.Epoch <= before.Epoch || again.claim.Last != 0 || again.claim.Caller.Completed != 0 {
		w.Errorf("c came back as %+v after %+v", again.claim, before)
	}
	again.accept(1)
	w.same("job", w.job(waiting[0].ID), waiting[0])
	w.kept(3)
}

// settingsKeepAccounts: what an operator has set for a caller keeps its account until it is
// taken back; the group that a caller came with does not.
func settingsKeepAccounts(w *world) {
	set := map[string]func(*fairfactor.Change, bool){
		"weight": func(ch *fairfactor.Change, on bool) {
			if ch.Op, ch.Weight = fairfactor.Weigh, 1; on {
				ch.Weight = 3
			}
		},
		"pause": func(ch *fairfactor.Change, on bool) { ch.Op, ch.Paused = fairfactor.Pause, on },
		"bounds": func(ch *fairfactor.Change, on bool) {
			if ch.Op, ch.Bounds = fairfactor.Bound, (&fairfactor.Bounds{}); on {
				ch.Bounds = &fairfactor.Bounds{MaxQueue: 5}
			}
		},
	}
	change := func(name string, on bool) fairfactor.Change {
		ch := w.claim(name).change(0, fairfactor.Job{})
		ch.Job = nil
		set[name](&ch, on)
		return ch
	}
	names := []string{"bounds", "pause", "weight"}
	w.idle(names[:2]...) // weight never has a job
	placed, came := w.claimIn("placed", "team"), w.claimIn("came", "team")
	for _, a := range []*writer{placed, came} {
		a.finish(fairfactor.Completed, a.accept(1)...)
		regroup := a.change(fairfactor.Regroup, fairfactor.Job{})
		regroup.Job, regroup.Group, regroup.Enrol = nil, "other", a == came
		w.must(regroup)
	}
	for _, name := range names {
		w.must(change(name, true))
	}
	w.expire(w.tick(), 10)
	if n := w.forget(w.tick(), 10); n != 1 {
		w.Errorf("%d forgotten, want the one that has nothing set", n)
	}
	w.same("callers", w.names(), []string{"bounds", "pause", "placed", "weight"})
	for _, name := range names {
		w.must(change(name, false))
		if n := w.forget(w.tick(), 10); n != 1 {
			w.Errorf("%d forgotten after %s was taken back", n, name)
		}
	}
	w.same("callers", w.names(), []string{"placed"})
	w.kept(1)
}

// forgottenIsFenced: an activation that is at work while its account is forgotten can't
// write any more, whether another one of that name has claimed or not; and what it wrote
// before keeps the account.
func forgottenIsFenced(w *world) {
	w.idle("a", "b")
	old, writes := w.claim("a"), w.claim("b")
	writes.accept(1) // before
	if n := w.forget(w.tick(), 10); n != 1 {
		w.Errorf("%d forgotten, want one: the other has a job", n)
	}
	job := old.next()
	weigh := old.change(fairfactor.Weigh, job)
	weigh.Weight = 2
	for range 2 {
		for _, ch := range []fairfactor.Change{old.change(fairfactor.Accept, job), weigh} {
			if err := w.apply(ch)[0]; !errors.Is(err, fairfactor.ErrFenced) {
				w.Errorf("a change of an activation whose account is gone: %v", err)
			}
		}
		w.claim("a")
	}
	again := w.claim("a")
	accepted := again.accept(1)[0]
	if accepted.ID.Caller == job.ID.Caller {
		w.Errorf("the number %d was given twice", job.ID.Caller)
	}
	if _, err := w.store.Job(w.ctx(), job.ID); fairfactor.CodeOf(err) != fairfactor.NotFound {
		w.Errorf("an id that was never accepted: %v", err)
	}
	w.same("jobs of a", w.list(fairfactor.Query{Caller: "a", Limit: 5}), []fairfactor.Job{accepted})
	writes.finish(fairfactor.Completed, w.backlog(writes.claim.Number, 0, 1)[0].Job)
}

// oldIDsStayUnknown: an id of before is that of no job after its caller has come back, and
// keys and events of then are not the new one's.
func oldIDsStayUnknown(w *world) {
	begin := w.end()
	a := w.claim("a")
	first := a.next()
	first.Key = "k"
	w.must(a.change(fairfactor.Accept, first))
	a.finish(fairfactor.Completed, first)
	w.same("jobs before", len(w.list(fairfactor.Query{Caller: "a", Limit: 5})), 1) // what remembers numbers by name has it
	w.expire(w.tick(), 10)
	if n := w.forget(w.tick(), 10); n != 1 {
		w.Fatalf("%d forgotten", n)
	}
	b := w.claim("a")
	second := b.next()
	second.ID.Nonce = first.ID.Nonce
	second.Key = "k"
	if keyed, err := w.store.Keyed(w.ctx(), b.claim.Number, []string{"k"}, time.Time{}); err != nil || len(keyed) != 0 {
		w.Errorf("a key of before: %v, %v", keyed, err)
	}
	w.must(b.change(fairfactor.Accept, second))
	if _, err := w.store.Job(w.ctx(), first.ID); fairfactor.CodeOf(err) != fairfactor.NotFound {
		w.Errorf("the id of before: %v", err)
	}
	w.same("job", w.job(second.ID), second)
	w.same("list", w.list(fairfactor.Query{Caller: "a", Limit: 5}), []fairfactor.Job{second})
	page, err := w.store.Events(w.ctx(), begin, 100, nil)
	if err != nil || len(page.Events) != 1 || page.Events[0].Job.ID != second.ID {
		w.Errorf("events: %+v, %v", page.Events, err)
	}
}

// accountsAreBounded: at the bound a new caller takes the place of the account that has been
// idle longest, and is refused if every account is in use. Others go on.
func accountsAreBounded(w *world) {
	w.store.BoundAccounts(3)
	w.idle("a", "b")
	c := w.claim("c")
	c.accept(1)
	w.kept(3)
	first := w.claim("d")
	first.accept(1)
	w.same("callers", w.names(), []string{"b", "c", "d"})
	second, third := w.claim("e"), w.claim("e")
	if err := w.apply(second.change(fairfactor.Accept, second.next()))[0]; !errors.Is(err, fairfactor.ErrFenced) {
		w.Errorf("an old epoch: %v", err)
	}
	third.accept(1)
	w.same("callers", w.names(), []string{"c", "d", "e"})
	w.kept(3)
	for range 3 {
		if _, err := w.store.ClaimCaller(w.ctx(), "f", ""); !errors.Is(err, fairfactor.ErrTooManyCallers) {
			w.Errorf("a new caller at the bound: %v", err)
		}
	}
	c.accept(1)
	w.claim("c").accept(1) // those that are known go on
	w.finishAll(third)
	w.expire(w.tick(), 10)
	w.claim("f").accept(1)
	w.same("callers", w.names(), []string{"c", "d", "f"})
	w.store.BoundAccounts(0)
	w.claim("g").accept(1)
	w.kept(4)
	if a, err := w.store.Accounts(w.ctx()); a.Forgotten != 3 || err != nil {
		w.Errorf("%d forgotten, %v, want 3", a.Forgotten, err)
	}
}

// finishAll ends all unfinished jobs of an activation.
func (w *world) finishAll(a *writer) {
	w.Helper()
	for _, waiting := range w.backlog(a.claim.Number, 0, 1000) {
		a.finish(fairfactor.Completed, waiting.Job)
	}
}

// forgettingIsDurable: a number that was given is not given again by the next process,
// and counts are right there.
func forgettingIsDurable(w *world) {
	w.claim("stays").accept(1)
	w.idle("a", "b", "c")
	last := w.claim("c").claim
	if n := w.forget(w.tick(), 10); n != 3 {
		w.Fatalf("%d forgotten", n)
	}
	w.reopen()
	w.kept(1)
	again := w.claim("new")
	if again.claim.Number <= last.Number {
		w.Errorf("number %d after %d was forgotten", again.claim.Number, last.Number)
	}
	again.accept(1)
	w.idle("d")
	w.reopen()
	w.kept(3)
	if n := w.forget(w.tick(), 10); n != 1 {
		w.Errorf("%d forgotten after a new start", n)
	}
	w.reopen()
	w.kept(2)
	w.same("callers", w.names(), []string{"new", "stays"})
}

// forgettingRaces: callers come and go while others forget. No job that was accepted is
// lost, and no id is given twice.
func forgettingRaces(w *world) {
	const callers, rounds = 4, 30
	var all, housekeeping sync.WaitGroup
	stop := make(chan struct{})
	late := w.now.Add(time.Hour)
	for range 2 {
		housekeeping.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := w.store.Expire(w.ctx(), late, 7); err != nil {
					w.Errorf("expire: %v", err)
				}
				if _, err := w.store.Forget(w.ctx(), late, 7); err != nil {
					w.Errorf("forget: %v", err)
				}
			}
		})
	}
	var mu sync.Mutex
	ids := map[fairfactor.ID]bool{}
	for i := range callers {
		all.Go(func() {
			name := fmt.Sprintf("c%d", i)
			for round := range rounds {
				id, err := w.submitAndEnd(name, round)
				mu.Lock()
				if err != nil || ids[id] {
					w.Errorf("%s: id %v, twice %v, %v", name, id, ids[id], err)
				}
				ids[id] = true
				mu.Unlock()
			}
		})
	}
	all.Wait()
	close(stop)
	housekeeping.Wait()
	for w.expire(late, 100)+w.forget(late, 100) > 0 {
	}
	w.same("callers", w.names(), []string(nil))
	w.kept(0)
}

// submitAndEnd has one job accepted, sees that it is there, and ends it, claiming again as
// often as it is fenced before it is accepted.
func (w *world) submitAndEnd(name string, round int) (fairfactor.ID, error) {
	for {
		claim, err := w.store.ClaimCaller(w.ctx(), name, "")
		if err != nil {
			return fairfactor.ID{}, err
		}
		seq := claim.Last + 1
		j := fairfactor.Job{ID: fairfactor.ID{Caller: claim.Number, Seq: seq}, Caller: name, Order: seq, State: fairfactor.Pending, Number: "15", Submitted: w.now}
		done := j
		done.State, done.Finished = fairfactor.Completed, w.now.Add(time.Duration(round)*time.Second)
		change := fairfactor.Change{Op: fairfactor.Accept, Caller: name, Number: claim.Number, Epoch: claim.Epoch, Job: &j}
		errs, err := w.store.Apply(w.ctx(), []fairfactor.Change{change})
		if err == nil && errs != nil {
			if errors.Is(errs[0], fairfactor.ErrFenced) {
				continue // the account went between the claim and this
			}
			err = errs[0]
		}
		if err != nil {
			return j.ID, err
		}
		if _, err := w.store.Job(w.ctx(), j.ID); err != nil {
			return j.ID, fmt.Errorf("a job that was accepted: %w", err)
		}
		change.Op, change.Job = fairfactor.Finish, &done
		errs, err = w.store.Apply(w.ctx(), []fairfactor.Change{change})
		if err == nil && errs != nil {
			err = errs[0]
		}
		return j.ID, err
	}
}

// forgetSome is a step of likeTheModel: all that is due, as the model has it, or a few of
// them; the store chooses which. Callers that are not known may be gone with their claims.
func (p *pair) forgetSome() {
	limit := []int{1, 2, 100}[p.rng.IntN(3)]
	due := p.twin.idle()
	n := p.world.forget(p.now.Add(time.Hour), limit)
	known := p.names()
	gone := slices.DeleteFunc(due, func(c *modelCaller) bool { return slices.Contains(known, c.name) })
	if limit > len(due) && len(gone) < len(due) || len(gone) > min(n, limit) {
		p.Fatalf("%d of %d callers are gone, at limit %d %d were forgotten", len(gone), len(due), limit, n)
	}
	for _, c := range gone {
		p.twin.remove(c)
	}
	p.twin.callers = slices.DeleteFunc(p.twin.callers, func(c *modelCaller) bool {
		if !c.known {
			delete(p.writers, c.name)
		}
		return !c.known
	})
	if want := int(p.twin.kept()); len(known) != want {
		p.Fatalf("%d callers are known, want %d", len(known), want)
	}
}
