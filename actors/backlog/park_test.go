package backlog_test

import (
	"strings"
	"testing"
	"time"

	"fairfactor"
	"fairfactor/actors/backlog"
)

// parkedBacklog has jobs with these numbers, and parks those of 10 digits and more.
func parkedBacklog(numbers ...string) *backlog.Backlog {
	b := backlog.New(backlog.Config{Caller: "a", Share: 10}, fairfactor.Claim{Number: 1, Epoch: 1})
	for i, number := range numbers {
		seq := uint64(i + 1)
		j := &fairfactor.Job{ID: fairfactor.ID{Nonce: seq, Caller: 1, Seq: seq}, Caller: "a", Number: number, Order: seq, State: fairfactor.Pending}
		b.Accept(j, b.Admit(j))
	}
	return b
}

func seqs(turns []backlog.Turn) (list []uint64) {
	for _, t := range turns {
		list = append(list, t.ID.Seq)
	}
	return list
}

const large = "1000000016000000063"

// A job for a large number waits until it may begin, and those behind it go on.
func TestLargeNumbersAreParked(t *testing.T) {
	b := parkedBacklog(large, "15", large, "21")
	if got := seqs(b.Next(nil, 10)); len(got) != 2 || got[0] != 2 || got[1] != 4 {
		t.Fatalf("offered were %v, want 2 and 4", got)
	}
	parked := b.Parked()
	if len(parked) != 2 || parked[0] != (backlog.ParkedJob{Seq: 1, Number: large}) || len(b.Parked()) != 0 {
		t.Fatalf("parked were %v", parked)
	}
	if b.More() || b.Empty() || b.Resting() {
		t.Errorf("more %v, empty %v, resting %v", b.More(), b.Empty(), b.Resting())
	}
	if j, ok := b.Look(1); !ok || j.State != fairfactor.Pending {
		t.Errorf("a parked job looks like %+v", j)
	}
	if !b.Unpark(1, nil) || b.Unpark(9, nil) || !b.More() {
		t.Error("a parked job can't begin")
	}
	if got := seqs(b.Next(nil, 10)); len(got) != 1 || got[0] != 1 {
		t.Errorf("offered were %v, want 1", got)
	}
	ended, withdraw := b.Recall(3, []fairfactor.Factor{{Prime: "1000000007", Exponent: 1}}, time.Now())
	if ended == nil || withdraw || ended.State != fairfactor.Completed || !ended.Known || len(ended.Factors) != 1 {
		t.Errorf("recalled: %+v", ended)
	}
	if ended, withdraw = b.Recall(1, nil, time.Now()); ended == nil || !withdraw || b.Outstanding() != 2 {
		t.Errorf("a job that runs was recalled: %+v, %v, %d outstanding", ended, withdraw, b.Outstanding())
	}
	if ended, _ = b.Recall(2000, nil, time.Now()); ended != nil {
		t.Errorf("recalled: %+v", ended)
	}
}

// A parked job can be cancelled, and one that never became durable is forgotten.
func TestParkedJobsAreCancelled(t *testing.T) {
	b := parkedBacklog(large, large)
	b.Next(nil, 10)
	if ended, withdraw, ok := b.Cancel(1, "", time.Now()); !ok || withdraw || ended.State != fairfactor.Cancelled {
		t.Errorf("cancelled: %+v", ended)
	}
	b.Drop(&fairfactor.Job{ID: fairfactor.ID{Seq: 2}}, true)
	if b.Unpark(1, nil) || b.Unpark(2, nil) || len(b.Next(nil, 10)) != 0 {
		t.Error("what is gone begins")
	}
}

// A job that begins with primes that are known works on what is left.
func TestKnownPrimesAreDividedOut(t *testing.T) {
	b := parkedBacklog(large)
	b.Next(nil, 10)
	b.Unpark(1, &fairfactor.Known{Factors: []fairfactor.Factor{{Prime: "1000000007", Exponent: 1}}})
	turns := b.Next(nil, 10)
	if len(turns) != 1 || turns[0].Number == large || !strings.HasPrefix(turns[0].Number, "1000000009") {
		t.Errorf("turns: %+v", turns)
	}
}

// So many jobs are parked at most; the queue goes on when one of them has begun.
func TestParkingIsBounded(t *testing.T) {
	numbers := make([]string, 0, backlog.MaxParked)
	for range 2 * backlog.Page {
		numbers = append(numbers, large)
	}
	b := parkedBacklog(numbers...)
	b.Next(nil, 10)
	extra := &fairfactor.Job{ID: fairfactor.ID{Nonce: 1, Caller: 1, Seq: 5000}, Number: large, Order: 5000}
	small := &fairfactor.Job{ID: fairfactor.ID{Nonce: 1, Caller: 1, Seq: 5001}, Number: "15", Order: 5001}
	b.Accept(extra, b.Admit(extra))
	b.Accept(small, b.Admit(small))
	if n := len(b.Parked()); n != backlog.MaxParked || len(b.Next(nil, 10)) != 0 {
		t.Fatalf("%d are parked", n)
	}
	b.Unpark(1, nil)
	if got := seqs(b.Next(nil, 10)); len(got) != 2 || got[0] != 1 || got[1] != 5001 {
		t.Errorf("offered were %v", got)
	}
}
