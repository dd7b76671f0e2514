package sim_test

import (
	"testing"
	"time"

	"fairfactor/actors/sim"
)

// TestCopies has twelve callers submit a number that kills each process which runs it. Two deaths
// are enough to know it, if they are of one job. More processes die only if several have the
// number in their hands at once, or the scheduler died with it and has not told yet.
func TestCopies(t *testing.T) {
	for _, test := range []struct{ nodes, most int }{{1, 3}, {3, 6}} {
		most, all := 0, 0
		for seed := range uint64(100) {
			o := sim.Options{
				Seed: seed, Embedded: test.nodes == 1, Nodes: test.nodes, Workers: 1 + int(seed%2), Callers: 1, Copies: 12, Queue: 1000,
				Passivate: 10 * time.Second, Slow: 1,
			}
			r := sim.Run(o, nil)
			for _, f := range r.Faults {
				t.Errorf("%v: %s", o, f)
			}
			if r.Struck > test.most || r.Struck < 2 {
				t.Errorf("%v: %d processes died", o, r.Struck)
			}
			most, all = max(most, r.Struck), all+r.Struck
		}
		t.Logf("%d nodes: %d processes died at most, %d in 100 runs", test.nodes, most, all)
	}
}
