package actors

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// TestAlarmsRing sets, moves and cancels alarms at random and compares what rings
// with a list.
func TestAlarmsRing(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 2))
	const tick = time.Second
	now := time.Unix(1_900_000_000, 0)
	var rang []*actor.PID
	w := newAlarms(tick, now, func(pid *actor.PID) { rang = append(rang, pid) })
	all := make([]*alarm, 50)
	set := make([]time.Time, len(all)) // zero: not set
	for i := range all {
		all[i] = &alarm{pid: actor.NewPID("here", string(rune('a'+i)))}
	}
	for range 20_000 {
		i := rng.IntN(len(all))
		switch rng.IntN(4) {
		case 0:
			at := now.Add(time.Duration(rng.Int64N(int64(30 * time.Second))))
			w.set(all[i], at)
			if set[i].IsZero() || at.Before(set[i]) {
				set[i] = at
			}
		case 1:
			w.cancel(all[i])
			set[i] = time.Time{}
		case 2:
			w.set(all[i], time.Time{}) // never: nothing changes
		default:
			now = now.Add(time.Duration(rng.Int64N(int64(3 * time.Second))))
			rang = nil
			w.due(now)
			for k := range all {
				did := slices.Contains(rang, all[k].pid)
				if did && (set[k].IsZero() || now.Before(set[k])) {
					t.Fatalf("alarm %d rings at %v, set for %v", k, now, set[k])
				}
				if !did && !set[k].IsZero() && now.Sub(set[k]) > 2*tick {
					t.Fatalf("alarm %d has not rung at %v, set for %v", k, now, set[k])
				}
				if did {
					set[k] = time.Time{}
				}
			}
		}
	}
}

// BenchmarkAlarms: what is not due costs nothing, however much there is of it.
func BenchmarkAlarms(b *testing.B) {
	now := time.Unix(1_900_000_000, 0)
	w := newAlarms(time.Second, now, func(*actor.PID) { b.Error("rings") })
	for i := range 1_000_000 {
		w.set(&alarm{}, now.Add(time.Hour+time.Duration(i)*time.Millisecond))
	}
	b.ResetTimer()
	for b.Loop() {
		w.due(now)
	}
}
