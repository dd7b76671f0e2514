package siqs

import (
	"math/big"
	"slices"
	"testing"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/factortest"
	"fairfactor/factor/internal/wire"
)

// TestHalfOfRootsSplit takes the roots of all dependencies: x^2 = y^2 in each, and
// about half of them split the number.
func TestHalfOfRootsSplit(t *testing.T) {
	r := factortest.Seeded(t)
	run := newTestRunner()
	n := factortest.Semiprime(r, 118)
	h := gather(t, n, ParametersFor(118))
	all := h.AppendRelations(nil, nil)
	g, err := run.readRelations(&wire.Reader{B: all})
	if err != nil {
		t.Fatal(err)
	}
	sets := setsOf(t, h)
	odd, err := g.oddExponents(run.Poller, nil)
	if err != nil {
		t.Fatal(err)
	}
	m := odd.CombineColumns(run.Poller, sets)
	keep := m.Prune(run.Poller, SpareRelations)
	split, count := 0, 0
	for _, dependency := range m.Solve(run.Poller) {
		with := times(sets, keep, dependency)
		d, err := g.difference(run.Poller, with)
		if err != nil {
			t.Fatal(err)
		}
		count++
		if e := new(big.Int).GCD(nil, nil, d, n); e.Cmp(arith.One) != 0 && e.Cmp(n) != 0 {
			split++
		}
		i := slices.Index(with, true)
		with[i] = false // one relation less is no dependency
		if d, err := g.difference(run.Poller, with); err != nil || d.Sign() != 0 {
			t.Errorf("not a dependency, but its root is %v, %v", d, err)
		}
	}
	t.Logf("%d of %d dependencies split", split, count)
	if count < 10 || split == 0 || split == count { // 1 in 500
		t.Errorf("%d of %d dependencies split", split, count)
	}
}
