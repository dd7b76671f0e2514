package factor

import (
	"math/big"
	"testing"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/ecm"
	"fairfactor/factor/internal/factortest"
	"fairfactor/factor/internal/hart"
	"fairfactor/factor/internal/rho"
)

func TestPowers(t *testing.T) {
	r := factortest.Seeded(t)
	for range 3000 {
		k := []int{2, 3, 4, 5, 6, 7, 9, 11, 13, 14}[r.IntN(10)]
		root := factortest.RandomPrime(r, 13+r.IntN(max(1, 256/k-13)))
		n := new(big.Int).Exp(root, big.NewInt(int64(k)), nil)
		for _, c := range []struct {
			n     *big.Int
			power bool
		}{{n, true}, {new(big.Int).Add(n, big.NewInt(2)), false}, {new(big.Int).Sub(n, big.NewInt(2)), false}} {
			got, e := anyPower(c.n)
			if (e > 1) != c.power || new(big.Int).Exp(got, big.NewInt(int64(e)), nil).Cmp(c.n) != 0 {
				t.Fatalf("power of %v = %v^%d", c.n, got, e)
			}
		}
	}
	last := arith.Uint128{Lo: 1<<64 - 59}
	square, _ := last.Mul(last)
	if root, ok := arith.Root128(square, 2); !ok || root != last {
		t.Errorf("square root of %v: %v", square.Big(), ok)
	}
	for _, n := range []arith.Uint128{{Hi: ^uint64(0), Lo: ^uint64(0)}, {Hi: ^uint64(0), Lo: 0}, {Hi: 1, Lo: 0}, {Hi: 1, Lo: 1}, {Hi: ^uint64(1), Lo: 1}} {
		want := new(big.Int).Sqrt(n.Big())
		root, ok := arith.Root128(n, 2)
		if ok != (want.Mul(want, want).Cmp(n.Big()) == 0) {
			t.Errorf("square root of %v: %v, %v", n.Big(), root.Big(), ok)
		}
	}
}

// anyPower takes the power routine for the size of n.
func anyPower(n *big.Int) (*big.Int, int) {
	switch {
	case n.BitLen() <= 64:
		r, k := power64(n.Uint64())
		return new(big.Int).SetUint64(r), k
	case n.BitLen() <= 128:
		r, k := power128(arith.Uint128Of(n.Bytes()))
		return r.Big(), k
	}
	return powerBig(n, 8)
}

// TestFind holds every method against the factors it was given.
func TestFind(t *testing.T) {
	r := factortest.Seeded(t)
	run := NewRunner()
	missed := map[string]int{}
	for range 2500 {
		a := 14 + r.IntN(7)
		p, q := factortest.RandomPrime(r, a).Uint64(), factortest.RandomPrime(r, 14+r.IntN(7)).Uint64()
		P, Q := factortest.RandomPrime(r, 32).Uint64(), factortest.RandomPrime(r, 20+r.IntN(12)).Uint64()
		if p == q {
			continue
		}
		for _, c := range []struct {
			name string
			n, d uint64
		}{
			{"hart", p * q, hart.Factor(p * q)},
			{"ecm", P * Q, new(ecm.Runner).Find64(P*Q, 64, 24)},
			{"rho", p * q, rho.Factor(p * q)},
			{"find", P * Q, run.find64(P * Q)},
		} {
			switch {
			case c.d == 1 && (c.name == "hart" || c.name == "ecm"):
				missed[c.name]++
			case c.d <= 1 || c.d >= c.n || c.n%c.d != 0:
				t.Fatalf("%s of %d = %d", c.name, c.n, c.d)
			}
		}
	}
	if missed["hart"] > 150 || missed["ecm"] > 6 {
		t.Errorf("missed %v", missed)
	}
}
