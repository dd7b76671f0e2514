package dispatch_test

import (
	"testing"
	"time"

	"fairfactor/actors/dispatch"
)

// TestReportSaysHowMuchThereIsToDo: callers say it with their offers, the store of
// those that were not heard of; one that has nothing left counts no more.
func TestReportSaysHowMuchThereIsToDo(t *testing.T) {
	m := dispatch.New(dispatch.Config{Epoch: 1})
	say := func(want dispatch.Report) {
		t.Helper()
		got := m.Report()
		if got.Jobs != want.Jobs || (got.Work-want.Work).Abs() > time.Microsecond || got.Oldest != want.Oldest {
			t.Errorf("%d jobs, %v, oldest %d; want %d, %v, %d", got.Jobs, got.Work, got.Oldest, want.Jobs, want.Work, want.Oldest)
		}
	}
	say(dispatch.Report{})
	turns := func(name string, waits int64) []dispatch.Turn {
		return []dispatch.Turn{{Key: dispatch.Key{Caller: name, Epoch: 1, Seq: 1}, Predict: time.Millisecond, Waits: waits}}
	}
	m.Offer(0, dispatch.Offer{Caller: "a", Epoch: 1, Turns: turns("a", 7e6), Jobs: 3, Work: 5 * time.Second, More: true, Oldest: 8e6})
	say(dispatch.Report{Jobs: 3, Work: 5 * time.Second, Oldest: 7e6})
	m.Offer(0, dispatch.Offer{Caller: "b", Epoch: 1, Jobs: 2, Work: time.Second, More: true, Oldest: 4e6})
	say(dispatch.Report{Jobs: 5, Work: 6 * time.Second, Oldest: 4e6})
	m.Backlogged(0, []dispatch.Known{{Caller: "c", Weight: 1, Jobs: 1000}}) // no turn has ended: 1 ms each
	say(dispatch.Report{Jobs: 1005, Work: 7 * time.Second, Oldest: 4e6})
	m.Offer(0, dispatch.Offer{Caller: "b", Epoch: 1})
	m.Offer(0, dispatch.Offer{Caller: "c", Epoch: 1})
	say(dispatch.Report{Jobs: 3, Work: 5 * time.Second, Oldest: 7e6})

	m.Beat(0, "w", 1, nil)
	m.Dispatch(0) // the first job of a begins: the one behind it waits longest
	say(dispatch.Report{Jobs: 3, Work: 5 * time.Second, Oldest: 8e6})
	m.Offer(0, dispatch.Offer{Caller: "a", Epoch: 1, Jobs: 1, Work: time.Second})
	say(dispatch.Report{Jobs: 1, Work: time.Second})
	m.End(0, 1, time.Millisecond)
	say(dispatch.Report{})
}
