package factor

import (
	"errors"
	"math/big"
	"strings"
	"testing"

	"fairfactor/factor/internal/factortest"
	"fairfactor/factor/internal/prime"
	"fairfactor/factor/internal/siqs"
	"fairfactor/factor/internal/wire"
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
	whole := encodeParts([]part{partOf(n, 1, prime.Composite)}, 0)
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
	r := factortest.Seeded(t)
	n := new(big.Int).Mul(factortest.RandomPrime(r, 36), factortest.RandomPrime(r, 95))
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
		if c.collection != nil {
			multipliers[c.collection.Base.K] = true
		}
		if turn.Payload[1] == wire.KindFinish {
			solved++
			if more := m.Next(1); len(more) != 0 {
				t.Fatalf("turn %v next to linear algebra", more)
			}
			if err := m.Apply(Result{ID: turn.ID, Data: []byte{wire.Version, wire.FoundSquares, 1, 1, 0xff, 1, 2, 3, 4}}); !errors.Is(err, ErrTurn) {
				t.Fatalf("false dependencies: %v", err)
			}
			if again := m.Next(2); len(again) != 1 || again[0].ID != turn.ID {
				t.Fatalf("after false dependencies: %v", again)
			}
			if err := m.Apply(Result{ID: turn.ID, Data: siqs.EncodeSquares(nil)}); err != nil {
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
	if solved != siqs.MaxTries*siqs.MaxAttempts || len(multipliers) != siqs.MaxAttempts {
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
	r := factortest.Seeded(t)
	run := NewRunner()
	for _, p := range []uint64{307, 1009, 3001} {
		n := new(big.Int).Mul(new(big.Int).SetUint64(p), factortest.RandomPrime(r, 130))
		m := searching(t, run, n)
		m.rest[0].handed = 1e18
		turns := m.Next(2)
		if len(turns) != 1 || turns[0].Payload[1] != wire.KindProve {
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
