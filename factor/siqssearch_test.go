package factor

import (
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"
)

// searching returns the machine of n after its first turn, which has found
// nothing.
func searching(t *testing.T, run *Runner, n *big.Int) *Machine {
	t.Helper()
	m, err := New(n.String())
	if err != nil {
		t.Fatal(err)
	}
	first := m.Next(1)[0]
	whole := encodeParts([]part{partOf(n, 1, composite)}, 0)
	if err := m.Apply(Result{ID: first.ID, Data: whole}); err != nil {
		t.Fatal(err)
	}
	return m
}

// TestSieveGivesUp feeds linear algebra that finds nothing: the machine gathers
// more relations, changes the multiplier and in the end goes back to curves,
// which split the number; a checkpoint knows.
func TestSieveGivesUp(t *testing.T) {
	run := NewRunner()
	r := seeded(t)
	n := new(big.Int).Mul(randomPrime(r, 36), randomPrime(r, 95))
	m := searching(t, run, n)
	c := m.rest[0]
	c.handed = 1e18 // no curves before the sieve
	solved := 0
	multipliers := map[uint64]bool{}
	for steps := 0; !c.sieveless; steps++ {
		if steps > 2000 {
			t.Fatalf("not given up after %d times linear algebra", solved)
		}
		turn := m.Next(1)[0]
		if c.harvest != nil {
			multipliers[c.harvest.base.k] = true
		}
		if turn.Payload[1] == kindFinish {
			solved++
			if more := m.Next(1); len(more) != 0 {
				t.Fatalf("turn %v beside linear algebra", more)
			}
			if err := m.Apply(Result{ID: turn.ID, Data: []byte{version, foundSquares, 1, 1, 0xff, 1, 2, 3, 4}}); !errors.Is(err, ErrTurn) {
				t.Fatalf("false dependencies: %v", err)
			}
			if again := m.Next(2); len(again) != 1 || again[0].ID != turn.ID {
				t.Fatalf("after false dependencies: %v", again)
			}
			if err := m.Apply(Result{ID: turn.ID, Data: encodeSquares(nil)}); err != nil {
				t.Fatal(err)
			}
			continue
		}
		res, err := run.Run(turn, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Apply(res); err != nil {
			t.Fatal(err)
		}
	}
	if solved != maxTries*maxAttempts || len(multipliers) != maxAttempts {
		t.Errorf("linear algebra %d times, %d multipliers", solved, len(multipliers))
	}
	m, err := Restore(n.String(), m.Checkpoint(0))
	if err != nil {
		t.Fatal(err)
	}
	for steps := 0; !m.Done(); steps++ {
		if phase := m.Progress().Phase; !strings.Contains(phase, "curves") || steps > 500 {
			t.Fatalf("step %d: %s", steps, phase)
		}
		res, err := run.Run(m.Next(1)[0], nil)
		if err == nil {
			err = m.Apply(res)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestSmallDivisor sieves numbers with a prime factor that belongs in the factor
// base: no sieve is begun.
func TestSmallDivisor(t *testing.T) {
	r := seeded(t)
	run := NewRunner()
	for _, p := range []uint64{307, 1009, 3001} {
		n := new(big.Int).Mul(new(big.Int).SetUint64(p), randomPrime(r, 130))
		m := searching(t, run, n)
		m.rest[0].handed = 1e18
		turns := m.Next(2)
		if len(turns) != 1 || turns[0].Payload[1] != kindProve {
			t.Fatalf("%v: %+v, and %d turns", n, m.Progress(), len(turns))
		}
		if res, err := run.Run(turns[0], nil); err != nil || m.Apply(res) != nil || !m.Done() {
			t.Fatalf("%v: %v, %+v", n, err, m.Progress())
		}
		if err := Verify(n.String(), m.Primes()); err != nil {
			t.Error(err)
		}
	}
}

// TestSieveStops asks a sieve turn and linear algebra to stop.
func TestSieveStops(t *testing.T) {
	run := NewRunner()
	r := seeded(t)
	n := semiprime(r, 135)
	h := newHarvest(n, 0, siqsSizeFor(135))
	w, nums, _ := h.next()
	turn := Turn{Payload: w.encode()}
	left := 3
	if _, err := run.Run(turn, func() bool { left--; return left <= 0 }); !errors.Is(err, ErrStopped) {
		t.Fatalf("stopped: %v", err)
	}
	res, err := run.Run(turn, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.takeAll(res.Data, w.spans, nums); err != nil {
		t.Errorf("after it was stopped once: %v", err)
	}
	solve := Turn{Payload: solvePayload(randomMatrix(r, 50, 90).append(nil, nil), (&state{}).append(nil), 1)}
	if _, err := run.Run(solve, func() bool { return true }); !errors.Is(err, ErrStopped) {
		t.Errorf("linear algebra stopped: %v", err)
	}
}

// TestRunnerForgets runs turns of more numbers than a runner keeps tables for.
func TestRunnerForgets(t *testing.T) {
	run := NewRunner()
	r := seeded(t)
	size := siqsSizeFor(131)
	size.base, size.length = 30_000, 1<<20
	var turns []Turn
	for range 7 {
		h := newHarvest(semiprime(r, 131), 0, size)
		w, _, _ := h.next()
		w.spans = w.spans[:1]
		w.spans[0].count = 1
		turns = append(turns, Turn{Payload: w.encode()})
	}
	first, err := run.Run(turns[0], nil)
	if err != nil {
		t.Fatal(err)
	}
	tables := run.siqs.sieves[0]
	if again, err := run.Run(turns[0], nil); err != nil || run.siqs.sieves[0] != tables || string(again.Data) != string(first.Data) {
		t.Fatalf("the same turn again: %v", err)
	}
	for _, turn := range turns[1:] {
		if _, err := run.Run(turn, nil); err != nil {
			t.Fatal(err)
		}
		total := 0
		for _, s := range run.siqs.sieves {
			total += s.bytes()
		}
		if total > maxSieves {
			t.Fatalf("tables of %d numbers, %d bytes", len(run.siqs.sieves), total)
		}
	}
	if len(run.siqs.sieves) < 2 || slices.Contains(run.siqs.sieves, tables) {
		t.Fatalf("tables of %d numbers, the first one's among them", len(run.siqs.sieves))
	}
	if again, err := run.Run(turns[0], nil); err != nil || string(again.Data) != string(first.Data) {
		t.Fatalf("the first turn after it was forgotten: %v", err)
	}
}

// TestLargest sieves a number of the largest size: Q and the sums of logarithms
// must fit.
func TestLargest(t *testing.T) {
	r := seeded(t)
	h := newHarvest(semiprime(r, searchMaxBits), 0, siqsSizeFor(searchMaxBits))
	s := newSiqs(h.base)
	s.runner = NewRunner().siqs
	chosen := h.chooser.next(h.base)
	s.setLeading(chosen)
	for i := 0; len(s.found) == 0; i++ {
		if i == 400 {
			t.Fatalf("no relation in %d polynomials", i)
		}
		s.setPolynomial(i)
		if i < 2 {
			checkPolynomial(t, r, s)
		}
		s.sievePolynomial()
	}
	f := &s.found[0]
	if _, ok := h.check(s.lead.l.times(int64(f.pos)-s.half()).add(s.lead.b(f.poly)), s.lead, f); !ok {
		t.Fatalf("a false relation %+v", f)
	}
}
