package dispatch_test

import (
	"fmt"
	"testing"
	"time"

	"fairfactor/actors/dispatch"
)

// crowd is a machine with that many waiting callers and workers of two slots.
func crowd(callers, workers int) *dispatch.Machine {
	m := dispatch.New(dispatch.Config{Epoch: 1})
	for i := range workers {
		m.Beat(0, fmt.Sprint("w", i), 2, nil)
	}
	for i := range callers {
		m.Offer(0, benchOffer(fmt.Sprint("caller", i), 0))
	}
	return m
}

func benchOffer(caller string, seq uint64) dispatch.Offer {
	return dispatch.Offer{Caller: caller, Epoch: 1, Weight: 1, Turns: []dispatch.Turn{
		{Key: dispatch.Key{Caller: caller, Epoch: 1, Seq: seq}, Predict: 200 * time.Microsecond, Body: caller},
		{Key: dispatch.Key{Caller: caller, Epoch: 1, Seq: seq + 1}, Predict: 200 * time.Microsecond, Body: caller},
	}}
}

// BenchmarkTurn is what one turn costs the scheduler, from its offer to its end,
// in batches of 64.
func BenchmarkTurn(b *testing.B) {
	for _, size := range []struct{ callers, workers int }{{10, 1}, {1000, 1}, {100_000, 1}, {100_000, 50}} {
		b.Run(fmt.Sprintf("callers=%d/workers=%d", size.callers, size.workers), func(b *testing.B) {
			m := crowd(size.callers, size.workers)
			var open []dispatch.Turn
			seq := uint64(2)
			b.ResetTimer()
			for done := 0; done < b.N; {
				runs, _ := m.Dispatch(0)
				for _, r := range runs {
					open = append(open, r.Turns...)
				}
				n := min(len(open), 64)
				for _, t := range open[:n] {
					m.End(0, t.Dispatched, t.Predict)
					if t.Seq%2 == 1 {
						m.Offer(0, benchOffer(t.Caller, seq))
						seq += 2
					}
				}
				open = append(open[:0], open[n:]...)
				done += n
			}
		})
	}
}

func BenchmarkTick(b *testing.B) {
	m := crowd(100_000, 50)
	for b.Loop() {
		m.Tick(time.Second)
	}
}

func BenchmarkReport(b *testing.B) {
	m := crowd(100_000, 50)
	for b.Loop() {
		m.Report()
	}
}
