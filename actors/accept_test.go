package actors_test

import (
	"context"
	"fmt"
	"math/big"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fairfactor"
	"fairfactor/actors"
)

// finishes fails ends of jobs only.
func finishes(c *fairfactor.Change) error {
	if c.Op == fairfactor.Finish {
		return down
	}
	return nil
}

func accepts(c *fairfactor.Change) error {
	if c.Op == fairfactor.Accept || c.Op == fairfactor.AcceptEnded {
		return down
	}
	return nil
}

func TestReceiptComesAfterTheDisk(t *testing.T) {
	s := newSite(t, 1, nil)
	n := s.nodes[0]
	release := n.store.hold()
	defer release()
	var answered atomic.Bool
	done := make(chan []fairfactor.Receipt)
	go func() {
		receipts, _ := n.Submit(t.Context(), "alice", []fairfactor.Submission{{Number: "15"}}, nil)
		answered.Store(true)
		done <- receipts
	}()
	s.eventually("the change is on its way", func() bool { return n.store.held() == 1 })
	if _, err := n.Fairness(t.Context()); err != nil { // others are not held up
		t.Fatal(err)
	}
	if page, _ := s.store.List(t.Context(), fairfactor.Query{Limit: 10}); len(page.Jobs) != 0 || answered.Load() {
		t.Fatalf("answered %v with %d jobs in the store", answered.Load(), len(page.Jobs))
	}
	release()
	receipts := <-done
	if len(receipts) != 1 || receipts[0].Err != nil {
		t.Fatalf("got %+v", receipts)
	}
	if job, err := s.store.Job(t.Context(), receipts[0].Job.ID); err != nil || job.Number != "15" {
		t.Errorf("the store has %+v, %v", job, err)
	}
	s.completed(n, receipts[0].Job)
}

func TestRefusedAcceptLeavesNoTrace(t *testing.T) {
	s := newSite(t, 1, func(c *actors.Config) { c.MaxQueue = 3 })
	n := s.nodes[0]
	n.store.failing(accepts)
	for range 2 { // a trace would fill the queue the second time
		for i, r := range s.receipts(n, "alice", fairfactor.Submission{Number: "15"}, fairfactor.Submission{Number: "21"}, fairfactor.Submission{Number: "35", Key: "k"}) {
			if fairfactor.CodeOf(r.Err) != fairfactor.Unavailable || r.Job.Number != "" {
				t.Errorf("submission %d: got %+v", i, r)
			}
		}
	}
	page, err := n.List(t.Context(), fairfactor.Query{Caller: "alice", Limit: 10})
	if err != nil || len(page.Jobs) != 0 {
		t.Errorf("the list has %v, %v", page.Jobs, err)
	}
	if c, err := n.Caller(t.Context(), "alice"); fairfactor.CodeOf(err) != fairfactor.NotFound {
		t.Errorf("account %+v, %v", c, err)
	}
	if got := n.sys.Counters.Refused.Load(); got != 6 {
		t.Errorf("%d counted as refused, want 6", got)
	}
	n.store.failing(nil)
	s.completed(n, s.submit(n, "alice", "15", "21", "35")...)
}

// A refused neighbour does not touch the others of its Submit.
func TestOneRefusalOfMany(t *testing.T) {
	s := newSite(t, 1, nil)
	n := s.nodes[0]
	s.completed(n, s.receipts(n, "alice", fairfactor.Submission{Number: "15", Key: "k"})[0].Job)
	got := s.receipts(n, "alice", fairfactor.Submission{Number: "21"}, fairfactor.Submission{Number: "22", Key: "k"}, fairfactor.Submission{Number: "35"})
	if got[0].Err != nil || fairfactor.CodeOf(got[1].Err) != fairfactor.Invalid || got[2].Err != nil {
		t.Fatalf("got %+v", got)
	}
	if got[0].Job.Number != "21" || got[2].Job.Number != "35" || got[0].Job.Order >= got[2].Job.Order {
		t.Errorf("got %+v", got)
	}
	s.completed(n, got[0].Job, got[2].Job)
	if none, err := n.Submit(t.Context(), "alice", nil, nil); err != nil || len(none) != 0 {
		t.Errorf("an empty Submit gives %v, %v", none, err)
	}
}

func TestEndIsStoredOnceTheStoreIsBack(t *testing.T) {
	s := newSite(t, 1, nil)
	n := s.nodes[0]
	var mu sync.Mutex
	refused := map[fairfactor.ID]int{}
	n.store.failing(func(c *fairfactor.Change) error {
		err := finishes(c)
		if err != nil {
			mu.Lock()
			refused[c.Job.ID]++
			mu.Unlock()
		}
		return err
	})
	rng := seeded(t)
	var numbers []string
	for range 3 { // each takes far longer than its acceptance
		numbers = append(numbers, new(big.Int).Mul(prime(rng, 58), prime(rng, 58)).String())
	}
	jobs := s.submit(n, "alice", numbers...)
	s.eventually("the store refused each end several times", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return !slices.ContainsFunc(jobs, func(j fairfactor.Job) bool { return refused[j.ID] < 3 })
	})
	for _, j := range jobs {
		if now, err := n.Job(t.Context(), j.ID); err != nil || now.State != fairfactor.Running || now.Factors != nil {
			t.Errorf("an end that is not durable is shown: %+v, %v", now, err)
		}
	}
	var durable atomic.Bool
	var all sync.WaitGroup
	for _, j := range jobs {
		all.Go(func() {
			_, err := n.Cancel(t.Context(), j.ID)
			if fairfactor.CodeOf(err) != fairfactor.Conflict || !durable.Load() {
				t.Errorf("cancel of a job that is ending: %v, its end durable: %v", err, durable.Load())
			}
		})
	}
	s.eventually("the cancellations wait", func() bool { return s.ex.seen() == len(jobs) })
	durable.Store(true)
	n.store.failing(nil)
	all.Wait()
	s.completed(n, jobs...)
	if c := n.sys.Counters.Completed.Load(); c != 3 {
		t.Errorf("%d counted as completed", c)
	}
}

func TestQueueLimit(t *testing.T) {
	s := newSite(t, 1, func(c *actors.Config) { c.MaxQueue, c.Workers = 5, 1 })
	n := s.nodes[0]
	number := hard(seeded(t))
	var subs []fairfactor.Submission
	for range 7 {
		subs = append(subs, fairfactor.Submission{Number: number})
	}
	receipts := s.receipts(n, "alice", subs...)
	for i, r := range receipts {
		want := fairfactor.Code("")
		if i >= 5 {
			want = fairfactor.Limit
		}
		if fairfactor.CodeOf(r.Err) != want {
			t.Errorf("job %d: %v, want code %q", i+1, r.Err, want)
		}
	}
	s.receipts(n, "bob", subs[0]) // the limit is each caller's own
	if _, err := n.Cancel(t.Context(), receipts[4].Job.ID); err != nil {
		t.Fatal(err)
	}
	again := s.receipts(n, "alice", subs[:2]...)
	if again[0].Err != nil || fairfactor.CodeOf(again[1].Err) != fairfactor.Limit {
		t.Errorf("after one was cancelled: %v, %v", again[0].Err, again[1].Err)
	}
	s.ex.stop(actors.CallerKind, "alice") // the next activation counts the same
	if r := s.receipts(n, "alice", subs[0])[0]; fairfactor.CodeOf(r.Err) != fairfactor.Limit {
		t.Errorf("next activation: %v", r.Err)
	}
}

func TestIdempotencyKey(t *testing.T) {
	s := newSite(t, 2, nil)
	n := s.nodes[0]
	first := s.receipts(n, "alice", fairfactor.Submission{Number: "15", Key: "k"})[0]
	if first.Err != nil || first.Replay {
		t.Fatalf("got %+v", first)
	}
	for what, prepare := range map[string]func(){
		"at once":                func() {},
		"when it has ended":      func() { s.completed(n, first.Job) },
		"in the next activation": func() { s.ex.stop(actors.CallerKind, "alice") },
		"on another node":        func() { s.ex.pin(actors.CallerKind, "alice", s.nodes[1].member, false) },
	} {
		prepare()
		if r := s.receipts(n, "alice", fairfactor.Submission{Number: "15", Key: "k"})[0]; r.Err != nil || !r.Replay || r.Job.ID != first.Job.ID {
			t.Errorf("%s: got %+v", what, r)
		}
		if r := s.receipts(n, "alice", fairfactor.Submission{Number: "21", Key: "k"})[0]; fairfactor.CodeOf(r.Err) != fairfactor.Invalid {
			t.Errorf("%s: another number with the key: %+v", what, r)
		}
	}
	if r := s.receipts(n, "bob", fairfactor.Submission{Number: "21", Key: "k"})[0]; r.Err != nil || r.Replay {
		t.Errorf("another caller's key: %+v", r)
	}
}

func TestKeySentManyTimesAtOnce(t *testing.T) {
	s := newSite(t, 2, nil)
	const senders, each = 8, 5
	var all sync.WaitGroup
	receipts := make([][]fairfactor.Receipt, senders)
	for i := range senders {
		all.Go(func() {
			var subs []fairfactor.Submission
			for range each {
				subs = append(subs, fairfactor.Submission{Number: "15", Key: "k"})
			}
			receipts[i] = s.receipts(s.nodes[i%2], "alice", subs...)
		})
	}
	all.Wait()
	fresh := 0
	for _, rs := range receipts {
		for _, r := range rs {
			if r.Err != nil || r.Job.ID != receipts[0][0].Job.ID {
				t.Fatalf("got %+v", r)
			}
			if !r.Replay {
				fresh++
			}
		}
	}
	if page, err := n0(s).List(t.Context(), fairfactor.Query{Limit: 10}); fresh != 1 || err != nil || len(page.Jobs) != 1 {
		t.Errorf("%d receipts are not replays, the store has %d jobs: %v", fresh, len(page.Jobs), err)
	}
}

// TestBatchSentAgain: keys that came with many others give the same jobs again, in
// their order, whatever part of the batch was accepted before.
func TestBatchSentAgain(t *testing.T) {
	s := newSite(t, 2, nil)
	n := s.nodes[0]
	var subs []fairfactor.Submission
	for i := range 300 {
		subs = append(subs, fairfactor.Submission{Number: fmt.Sprint(1000 + i), Key: fmt.Sprint("k", i)})
	}
	first := s.receipts(n, "alice", subs[:100]...)
	s.ex.stop(actors.CallerKind, "alice")
	second := s.receipts(s.nodes[1], "alice", append(slices.Clone(subs), subs[250])...)
	for i, r := range second {
		switch {
		case r.Err != nil:
			t.Fatalf("receipt %d: %v", i, r.Err)
		case r.Replay != (i < 100 || i == 300):
			t.Errorf("receipt %d is a replay: %v", i, r.Replay)
		case i < 100 && r.Job.ID != first[i].Job.ID:
			t.Errorf("job %d is %s, was %s", i, r.Job.ID, first[i].Job.ID)
		case i > 0 && i < 300 && r.Job.ID.Seq != second[i-1].Job.ID.Seq+1:
			t.Errorf("job %d has the place %d, behind %d", i, r.Job.ID.Seq, second[i-1].Job.ID.Seq)
		}
	}
	if second[300].Job.ID != second[250].Job.ID {
		t.Error("a key that was in the batch twice gave two jobs")
	}
}

func n0(s *site) *node { return s.nodes[0] }

// A key whose job was refused is free again.
func TestKeyOfARefusedJob(t *testing.T) {
	s := newSite(t, 1, nil)
	n := s.nodes[0]
	n.store.failing(accepts)
	sub := fairfactor.Submission{Number: "15", Key: "k"}
	for i, r := range s.receipts(n, "alice", sub, sub) {
		if fairfactor.CodeOf(r.Err) != fairfactor.Unavailable || r.Replay {
			t.Errorf("receipt %d: %+v", i, r)
		}
	}
	n.store.failing(nil)
	if r := s.receipts(n, "alice", fairfactor.Submission{Number: "21", Key: "k"})[0]; r.Err != nil || r.Replay {
		t.Errorf("got %+v", r)
	}
}

// While the store is down an activation can't claim its epoch: submitters are
// told so, and when it is back it goes on.
func TestClaimsWaitForTheStore(t *testing.T) {
	s := newSite(t, 1, func(c *actors.Config) { c.MaxQueue = 1 })
	n := s.nodes[0]
	n.store.unreadable(func(string) error { return down })
	ctx, cancel := context.WithTimeout(t.Context(), longest)
	defer cancel()
	begin := time.Now()
	if _, err := n.Submit(ctx, "alice", []fairfactor.Submission{{Number: "15"}}, nil); fairfactor.CodeOf(err) != fairfactor.Unavailable {
		t.Errorf("got %v", err)
	}
	if took := time.Since(begin); took > longest/4 {
		t.Errorf("said after %v", took)
	}
	s.ex.stop(actors.SchedulerKind, actors.SchedulerID)
	n.store.unreadable(nil)
	s.eventually("accepted again", func() bool {
		receipts, err := n.Submit(ctx, "alice", []fairfactor.Submission{{Number: "15"}}, nil)
		if err == nil && receipts[0].Err == nil {
			s.completed(n, receipts[0].Job)
			return true
		}
		return false
	})
}

// A page of the backlog that can't be read is asked for again, but not all the
// time.
func TestPageIsReadOnceTheStoreIsBack(t *testing.T) {
	s := newSite(t, 1, nil)
	n := s.nodes[0]
	n.store.failing(finishes)
	jobs := s.submit(n, "alice", "15", "21", "35")
	var reads atomic.Int64
	n.store.unreadable(func(what string) error {
		if what == "backlog" {
			reads.Add(1)
			return down
		}
		return nil
	})
	s.ex.stop(actors.CallerKind, "alice")
	if _, err := n.Job(t.Context(), jobs[0].ID); err != nil { // which activates it again
		t.Error(err)
	}
	begin := time.Now()
	s.eventually("tried again", func() bool { return reads.Load() >= 3 })
	if ticks := int64(time.Since(begin)/(20*time.Millisecond)) + 3; reads.Load() > ticks {
		t.Errorf("read %d times in %v", reads.Load(), time.Since(begin))
	}
	n.store.unreadable(nil)
	n.store.failing(nil)
	s.completed(n, jobs...)
}
