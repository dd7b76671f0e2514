package pebble

import (
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"fairfactor"
)

// TestDamagedJobHoldsUpNoCallback: the callbacks behind one whose job can't be read are
// told.
func TestDamagedJobHoldsUpNoCallback(t *testing.T) {
	s := mustOpen(t, "data", vfs.NewMem(), 0)
	defer s.Close()
	a := activate(t, s, "a")
	var ended []fairfactor.Job
	for range 2 {
		ch := a.accept()
		ch.Job.Callback = &fairfactor.Callback{URL: "http://one.example/"}
		mustApply(t, s, ch)
		end := a.finish(*ch.Job)
		mustApply(t, s, end)
		ended = append(ended, *end.Job)
	}
	b := s.db.NewBatch()
	b.Set(slot(nil, kindEnded, ended[0].ID.Caller, ended[0].ID.Seq), []byte("damage"), nil)
	if err := s.commit(b); err != nil {
		t.Fatal(err)
	}
	now := epochTime.Add(time.Hour)
	list, err := s.ClaimDeliveries(t.Context(), now, time.Minute, nil, 10, 10)
	if err != nil || len(list) != 1 || list[0].Job.ID != ended[1].ID {
		t.Fatalf("claimed %+v, %v", list, err)
	}
	settled := fairfactor.Settled{ID: ended[1].ID, Claim: list[0].Claim, State: fairfactor.Delivered}
	if err := s.SettleDeliveries(t.Context(), []fairfactor.Settled{settled}); err != nil {
		t.Fatal(err)
	}
	if list, err := s.ClaimDeliveries(t.Context(), now.Add(time.Hour), time.Minute, nil, 10, 10); err != nil || len(list) != 0 {
		t.Errorf("claimed again: %+v, %v", list, err)
	}
}

// TestManyStaleEntries: entries of jobs that are gone are removed some at a time, and
// what is owed is found behind them.
func TestManyStaleEntries(t *testing.T) {
	s := mustOpen(t, "data", vfs.NewMem(), 0)
	defer s.Close()
	a := activate(t, s, "a")
	ch := a.accept()
	ch.Job.Callback = &fairfactor.Callback{URL: "http://one.example/"}
	mustApply(t, s, ch)
	end := a.finish(*ch.Job)
	mustApply(t, s, end)
	b := s.db.NewBatch()
	for seq := range uint64(2 * staleAtOnce) {
		setNumber(b, dueKey(nil, end.Job.Callback.Host(), micros(epochTime), jobKey{a.claim.Number, seq + 10}), 7)
	}
	if err := s.commit(b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{0, 0, 1} {
		list, err := s.ClaimDeliveries(t.Context(), epochTime.Add(time.Hour), time.Minute, nil, 10, 10)
		if err != nil || len(list) != want {
			t.Fatalf("claimed %+v, %v, want %d", list, err, want)
		}
	}
	if left := len(dump(t, s, kindDue)); left != 1 {
		t.Errorf("%d entries are left", left)
	}
}
