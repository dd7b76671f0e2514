package storetest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"fairfactor"
)

// Owed of the model always has a value.
func (m *model) Owed() <-chan struct{} {
	always := make(chan struct{})
	close(always)
	return always
}

// ClaimDeliveries of the model looks at every job.
func (m *model) ClaimDeliveries(
	ctx context.Context, now time.Time, lease time.Duration, busy []string, perHost, limit int,
) (claimed []fairfactor.Delivery, err error) {
	if err := ended(ctx); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	taken := map[string]int{}
	for _, j := range m.jobs {
		c := j.Callback
		if j.expired || c == nil || c.State != fairfactor.DeliveryPending || c.Next.After(now) || j.claim != 0 && j.leased.After(now) ||
			slices.Contains(busy, c.Host()) || taken[c.Host()] >= perHost || len(claimed) >= limit {
			continue
		}
		taken[c.Host()]++
		m.claims++
		j.claim, j.leased = m.claims, now.Add(lease)
		claimed = append(claimed, fairfactor.Delivery{Job: j.Job, Claim: j.claim})
	}
	return claimed, nil
}

func (m *model) SettleDeliveries(ctx context.Context, settled []fairfactor.Settled) error {
	if err := ended(ctx); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range settled {
		j := m.stored(s.ID)
		if j == nil || j.Callback == nil || j.claim != s.Claim || s.Claim == 0 {
			continue
		}
		c := fairfactor.Callback{URL: j.Callback.URL, State: s.State, Attempts: j.Callback.Attempts + 1, LastError: s.LastError}
		if s.State == fairfactor.DeliveryPending {
			c.Next = asStored(s.Next)
		}
		j.Callback, j.claim = &c, 0
	}
	return nil
}

// claimed claims deliveries, at most some to a host, and returns them by number.
func (w *world) claimed(now time.Time, perHost int, busy ...string) map[string]fairfactor.Delivery {
	w.Helper()
	list, err := w.store.ClaimDeliveries(w.ctx(), now, time.Minute, busy, perHost, 100)
	if err != nil {
		w.Fatalf("claim of deliveries: %v", err)
	}
	found := map[string]fairfactor.Delivery{}
	for _, d := range list {
		if d.Claim == 0 || found[d.Job.Number].Claim != 0 {
			w.Errorf("claimed %+v", d)
		}
		w.same("the job of a delivery", d.Job, w.job(d.Job.ID))
		found[d.Job.Number] = d
	}
	return found
}

func (w *world) settle(settled ...fairfactor.Settled) {
	w.Helper()
	if err := w.store.SettleDeliveries(w.ctx(), settled); err != nil {
		w.Fatalf("settle: %v", err)
	}
}

// called returns a job that ended with a callback.
func (a *writer) called(host string, state fairfactor.State, atOnce bool) fairfactor.Job {
	a.w.Helper()
	j := a.next()
	j.Callback = &fairfactor.Callback{URL: "http://" + host + "/hook?x=1"}
	if atOnce {
		j = a.ended(j, state)
		a.w.must(a.change(fairfactor.AcceptEnded, j))
		return j
	}
	a.w.must(a.change(fairfactor.Accept, j))
	a.w.same("a callback that waits", a.w.job(j.ID).Callback, j.Callback)
	return a.finish(state, j)[0]
}

// callbacksAreOwed: the end of a job with a callback brings a delivery, which one claim
// at a time has, until it is settled.
func callbacksAreOwed(w *world) {
	a := w.claim("a")
	plain := a.finish(fairfactor.Completed, a.accept(3)...)
	first, second := a.called("one.example:8080", fairfactor.Completed, false), a.called("two.example", fairfactor.Failed, true)
	select {
	case <-w.store.Owed():
	case <-time.After(time.Minute):
		w.Error("the store did not say that deliveries are owed")
	}
	now := w.tick()
	pending := func(j fairfactor.Job, next time.Time, attempts int, text string) {
		w.Helper()
		want := fairfactor.Callback{URL: j.Callback.URL, State: fairfactor.DeliveryPending, Next: next, Attempts: attempts, LastError: text}
		w.same("callback", *w.job(j.ID).Callback, want)
	}
	pending(first, first.Finished, 0, "")
	pending(second, second.Finished, 0, "")
	if c := w.job(plain[0].ID).Callback; c != nil {
		w.Errorf("a job without a callback has %+v", c)
	}
	if early := w.claimed(first.Finished.Add(-time.Microsecond), 5); len(early) > 0 {
		w.Errorf("claimed before they were due: %v", early)
	}
	got := w.claimed(now, 5)
	if len(got) != 2 {
		w.Fatalf("claimed %v", got)
	}
	if again := w.claimed(now.Add(59*time.Second), 5); len(again) > 0 {
		w.Errorf("claimed twice: %v", again)
	}
	later := now.Add(61 * time.Second)
	again := w.claimed(later, 5)
	if len(again) != 2 {
		w.Fatalf("after the lease: %v", again)
	}
	one, two := again[first.Number], again[second.Number]
	w.settle(fairfactor.Settled{ID: first.ID, Claim: got[first.Number].Claim, State: fairfactor.Delivered}) // its lease is over
	pending(first, first.Finished, 0, "")
	next := later.Add(time.Hour)
	w.settle(
		fairfactor.Settled{ID: first.ID, Claim: one.Claim, State: fairfactor.DeliveryPending, LastError: "status 500", Next: next},
		fairfactor.Settled{ID: second.ID, Claim: two.Claim, State: fairfactor.Delivered},
	)
	pending(first, next, 1, "status 500")
	w.same("delivered", *w.job(second.ID).Callback, fairfactor.Callback{URL: second.Callback.URL, State: fairfactor.Delivered, Attempts: 1})
	w.same("in a list", w.list(fairfactor.Query{Limit: 2})[0].Callback, w.job(second.ID).Callback)
	if early := w.claimed(next.Add(-time.Microsecond), 5); len(early) > 0 {
		w.Errorf("claimed before the next attempt was due: %v", early)
	}
	if !w.suite.forgetful {
		w.reopen()
		pending(first, next, 1, "status 500")
	}
	last := w.claimed(next, 5)
	w.settle(fairfactor.Settled{ID: first.ID, Claim: last[first.Number].Claim, State: fairfactor.DeliveryFailed, LastError: "gone"})
	w.same("given up", *w.job(first.ID).Callback, fairfactor.Callback{URL: first.Callback.URL, State: fairfactor.DeliveryFailed, Attempts: 2, LastError: "gone"})
	if left := w.claimed(next.Add(100*time.Hour), 5); len(left) > 0 {
		w.Errorf("claimed after the end: %v", left)
	}
}

// callbacksByHost: a claim takes some of each host and none of those that are busy, the
// earliest first.
func callbacksByHost(w *world) {
	a := w.claim("a")
	hosts := []string{"a.example", "a.example:81", "b.example", "ab.example", "[::1]:80"}
	jobs := map[string][]fairfactor.Job{}
	for i := range 30 {
		host := hosts[i%len(hosts)]
		j := a.called(host, fairfactor.Completed, i%2 == 0)
		jobs[j.Callback.Host()] = append(jobs[j.Callback.Host()], j)
	}
	now := w.tick()
	seen := map[string]int{}
	for range 3 {
		for _, d := range w.claimed(now, 2, "b.example:80", "other.example:80") {
			host := d.Job.Callback.Host()
			if i := slices.IndexFunc(jobs[host], func(j fairfactor.Job) bool { return j.ID == d.Job.ID }); i < seen[host]/2*2 || i > seen[host]/2*2+1 {
				w.Errorf("%s: got job %d as number %d", host, i, seen[host])
			}
			seen[host]++
		}
	}
	w.same("claimed of each host", seen, map[string]int{"a.example:80": 6, "a.example:81": 6, "ab.example:80": 6, "::1:80": 6})
	if list, err := w.store.ClaimDeliveries(w.ctx(), now, time.Minute, nil, 100, 4); err != nil || len(list) != 4 {
		w.Errorf("at most 4: %d, %v", len(list), err)
	}
}

// callbacksBehindAFlood: a host that is owed very many deliveries, all due and earlier
// than any other, holds up none of the others while it is busy.
func callbacksBehindAFlood(w *world) {
	a := w.claim("a")
	var flood []fairfactor.Change
	owed := func(host string) fairfactor.Job {
		j := a.next()
		j.Callback = &fairfactor.Callback{URL: "http://" + host + "/"}
		return a.ended(j, fairfactor.Completed)
	}
	for range 1100 {
		flood = append(flood, a.change(fairfactor.AcceptEnded, owed("flood.example")))
	}
	w.must(flood...)
	other, later := owed("other.example"), owed("later.example")
	now := w.tick()
	later.Finished = now.Add(time.Hour)
	w.must(a.change(fairfactor.AcceptEnded, other), a.change(fairfactor.AcceptEnded, later))
	if got := w.claimed(now, 5); len(got) < 5 {
		w.Errorf("%d claimed of the flood", len(got))
	}
	got := w.claimed(now, 5, "flood.example:80")
	for range 3 { // it may have come with the first
		if _, ok := got[other.Number]; ok || len(got) > 0 {
			break
		}
		got = w.claimed(now.Add(2*time.Minute), 5, "flood.example:80") // after the lease
	}
	if _, ok := got[other.Number]; !ok || len(got) != 1 {
		w.Errorf("claimed while another host is busy: %v", got)
	}
	if _, ok := w.claimed(now.Add(time.Hour), 1, "flood.example:80", "other.example:80")[later.Number]; !ok {
		w.Error("what is due later was not claimed then")
	}
	if n := len(w.claimed(now.Add(time.Hour), 7)); n < 7 {
		w.Errorf("%d claimed of the flood after its time as a busy host", n)
	}
}

// callbacksOfJobsThatGo: a job that is queued again is owed nothing until it ends again,
// and one that is deleted is owed nothing.
func callbacksOfJobsThatGo(w *world) {
	a := w.claim("a")
	j := a.called("a.example", fairfactor.Failed, false)
	before := w.claimed(w.tick(), 5)[j.Number]
	again := a.requeued(w.job(j.ID))
	again.Callback = &fairfactor.Callback{URL: j.Callback.URL}
	w.must(a.change(fairfactor.Requeue, again))
	w.same("queued again", w.job(j.ID).Callback, again.Callback)
	w.settle(fairfactor.Settled{ID: j.ID, Claim: before.Claim, State: fairfactor.Delivered})
	w.same("settled too late", w.job(j.ID).Callback, again.Callback)
	if got := w.claimed(w.tick().Add(time.Hour), 5); len(got) > 0 {
		w.Errorf("claimed while it is queued: %v", got)
	}
	second := a.finish(fairfactor.Completed, again)[0]
	after, ok := w.claimed(w.tick().Add(time.Hour), 5)[j.Number]
	if !ok || after.ID() == before.ID() {
		w.Errorf("the second end: %v, %q and %q", ok, before.ID(), after.ID())
	}
	w.settle(fairfactor.Settled{ID: j.ID, Claim: before.Claim, State: fairfactor.Delivered})
	if c := w.job(j.ID).Callback; c.State != fairfactor.DeliveryPending {
		w.Errorf("settled by the claim of the first end: %+v", c)
	}
	if n := w.expire(second.Finished.Add(time.Microsecond), 10); n != 1 {
		w.Fatalf("%d expired", n)
	}
	w.settle(fairfactor.Settled{ID: j.ID, Claim: after.Claim, State: fairfactor.DeliveryPending, Next: w.tick()})
	if got := w.claimed(w.tick().Add(time.Hour), 5); len(got) > 0 {
		w.Errorf("claimed of a job that is gone: %v", got)
	}
	for i := range 3 { // nothing of it is in the way of others
		next := a.called("a.example", fairfactor.Completed, i == 1)
		if _, ok := w.claimed(w.tick(), 1)[next.Number]; !ok {
			w.Errorf("job %d was not claimed", i)
		}
	}
	w.settle(fairfactor.Settled{ID: fairfactor.ID{Nonce: 1, Caller: 1 << 50, Seq: 7}, Claim: 7, State: fairfactor.Delivered})
}

// manyClaimers: deliveries that are claimed at once go to one claim each.
func manyClaimers(w *world) {
	a := w.claim("a")
	const jobs = 60
	for i := range jobs {
		a.called(fmt.Sprintf("host-%d.example", i%3), fairfactor.Completed, true)
	}
	now := w.tick()
	found := make(chan []fairfactor.Delivery)
	for range 6 {
		go func() {
			var mine []fairfactor.Delivery
			for empty := 0; empty < 3; {
				list, err := w.store.ClaimDeliveries(w.ctx(), now, time.Hour, nil, 2, 5)
				if err != nil {
					w.Errorf("claim: %v", err)
					break
				}
				if mine = append(mine, list...); len(list) == 0 {
					empty++
				}
			}
			found <- mine
		}()
	}
	seen := map[fairfactor.ID]bool{}
	for range 6 {
		for _, d := range <-found {
			if seen[d.Job.ID] {
				w.Errorf("job %s was claimed twice", d.Job.ID)
			}
			seen[d.Job.ID] = true
		}
	}
	for rest := w.claimed(now, 100); len(rest) > 0; rest = w.claimed(now, 100) { // all passed over what others were claiming
		for _, d := range rest {
			seen[d.Job.ID] = true
		}
	}
	if len(seen) != jobs {
		w.Errorf("%d deliveries were claimed, want %d", len(seen), jobs)
	}
}
