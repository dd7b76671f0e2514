package siqs

import (
	"slices"
	"testing"

	"fairfactor/factor/internal/factortest"
	"fairfactor/factor/internal/gf2"
	"fairfactor/factor/internal/wire"
)

// TestSolveInSteps takes block Lanczos in steps of all sizes, changing between
// runners, against all steps at once.
func TestSolveInSteps(t *testing.T) {
	r := factortest.Seeded(t)
	run := newTestRunner()
	m := anyMatrix(r, gf2.LanczosColumns+300, gf2.LanczosColumns+900)
	for m.Prune(run.Poller, 100); m.Columns() < gf2.LanczosColumns; m.Prune(run.Poller, 100) { // more was pruned than usual
		m = anyMatrix(r, gf2.LanczosColumns+300, gf2.LanczosColumns+900)
	}
	want := gf2.NewLanczos(run.Poller, m).Dependencies(run.Poller)
	packed := m.Append(nil, nil)
	runs := [2]*Runner{newTestRunner(), newTestRunner()}
	state := gf2.FirstState(0)
	steps, turns := 0, 0
	for {
		res, err := runs[r.IntN(2)].Run(SolvePayload(packed, state, 1+r.IntN(9)))
		if err != nil {
			t.Fatal(err)
		}
		turns++
		switch res[1] {
		case wire.FoundState:
			b, ok := wire.Unseal(res)
			if !ok {
				t.Fatal("a result without its check sum")
			}
			state = b[2:]
			p := wire.Reader{B: state}
			p.Uvarint()
			if now := int(p.Uvarint()); now <= steps {
				t.Fatalf("step %d after %d", now, steps)
			} else {
				steps = now
			}
			continue
		case wire.FoundBroken:
			p := wire.Reader{B: state}
			state, steps = gf2.FirstState(p.Uvarint()+1), 0
			continue
		}
		sets, err := gf2.ReadSets(res, m.Columns())
		if err != nil {
			t.Fatal(err)
		}
		if len(sets) != len(want) {
			t.Fatalf("%d dependencies in steps, %d at once", len(sets), len(want))
		}
		for i := range sets {
			if !slices.Equal(sets[i], want[i]) {
				t.Fatalf("dependency %d differs", i)
			}
		}
		break
	}
	t.Logf("%d columns, %d steps in %d turns, %d dependencies", m.Columns(), steps, turns, len(want))
	for range 200 {
		bad := slices.Clone(state)
		bad = bad[:r.IntN(len(bad))]
		if _, err := run.Run(SolvePayload(packed, bad, 1)); err == nil {
			t.Fatalf("%d of %d bytes of a state were taken", len(bad), len(state))
		}
	}
}
