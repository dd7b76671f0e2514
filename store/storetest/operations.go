package storetest

import (
	"context"
	"fmt"
	"time"

	"fairfactor"
)

// The model has no operations: their laws stand alone, see operationsLast.

func (m *model) SaveOperation(context.Context, fairfactor.Operation) error { return nil }

func (m *model) Operation(context.Context, string) (fairfactor.Operation, error) {
	return fairfactor.Operation{}, nil
}

func (m *model) OpenOperations(context.Context, int) ([]fairfactor.Operation, error) { return nil, nil }

// operationsLast: an operation is as it was saved last, by the latest scheduler; it is
// open until it is done, and is kept for a while then.
func operationsLast(w *world) {
	op := func(n int) fairfactor.Operation {
		return fairfactor.Operation{
			ID: fairfactor.NewOperationID(w.now.Add(time.Duration(n)*time.Hour), uint32(n)), Kind: fairfactor.CancelJobs,
			Query:   fairfactor.Query{Caller: "a", States: fairfactor.In(fairfactor.Pending), Number: "15", Since: w.now, Until: w.now.Add(time.Hour)},
			Created: w.now, Top: 7, Matched: 1 << 40, Done: 3, Skipped: 4, Cursor: "c", Page: []fairfactor.ID{{Nonce: 1, Caller: 2, Seq: 3}}, Orders: []uint64{4}, Epoch: 5,
		}
	}
	open := func(what string, want ...fairfactor.Operation) {
		w.Helper()
		got, err := w.store.OpenOperations(w.ctx(), 10)
		if err != nil || len(got) != len(want) {
			w.Fatalf("%s: %d are open, %v, want %d", what, len(got), err, len(want))
		}
		for i := range want {
			w.same(fmt.Sprintf("%s: open %d", what, i), got[i], want[i])
		}
	}
	save := func(op fairfactor.Operation) {
		w.Helper()
		if err := w.store.SaveOperation(w.ctx(), op); err != nil {
			w.Fatal(err)
		}
		got, err := w.store.Operation(w.ctx(), op.ID)
		if err != nil {
			w.Fatal(err)
		}
		w.same("an operation that was saved", got, op)
	}
	if _, err := w.store.Operation(w.ctx(), "no such"); fairfactor.CodeOf(err) != fairfactor.NotFound {
		w.Errorf("an operation that was never saved: %v", err)
	}
	first, second := op(1), op(2)
	save(second)
	save(first)
	open("two", first, second)
	if some, err := w.store.OpenOperations(w.ctx(), 1); err != nil || len(some) != 1 {
		w.Errorf("limit 1: %d, %v", len(some), err)
	}
	first.Epoch, first.Done, first.Page = 6, 1000, nil
	save(first)
	stale := first
	stale.Epoch = 5
	if err := w.store.SaveOperation(w.ctx(), stale); err != fairfactor.ErrFenced {
		w.Errorf("an earlier scheduler: %v, want fenced", err)
	}
	first.Finished = w.now.Add(time.Hour)
	save(first)
	if !w.suite.forgetful {
		w.reopen()
	}
	open("one is done", second)
	late := op(3)
	late.Finished = first.Created.Add(fairfactor.OperationLife + 2*time.Hour)
	save(late)
	if _, err := w.store.Operation(w.ctx(), first.ID); fairfactor.CodeOf(err) != fairfactor.NotFound {
		w.Errorf("an operation that was done long ago: %v, want not_found", err)
	}
	open("an old one that is not done", second)
}
