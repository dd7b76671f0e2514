package primorial

import (
	"math/big"
	"slices"
	"testing"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/factortest"
)

func never() bool { return false }

// TestFindsWhatDivides multiplies random subsets of the primes of both trees, their
// neighbours and a large prime, and asks for the subset.
func TestFindsWhatDivides(t *testing.T) {
	r := factortest.Seeded(t)
	for _, c := range []struct {
		tree     *Tree
		from, to uint64
	}{{Short(), Least, shortTo}, {Long(), shortTo, longTo}} {
		all := arith.PrimesBetween(nil, c.from, c.to)
		below, above := arith.PrimesBetween(nil, 3, c.from), arith.PrimesBetween(nil, c.to, c.to+1000)
		for _, share := range []int{1, 3, 50, 5000, len(all) * 4} {
			n := factortest.RandomPrime(r, 130)
			n.Mul(n, new(big.Int).SetUint64(below[len(below)-1]*above[0]))
			var want []uint64
			for i, p := range all {
				if r.IntN(len(all)) >= min(share, 3000) && i != 0 && i != len(all)-1 {
					continue
				}
				want = append(want, p)
				n.Mul(n, new(big.Int).SetUint64(p))
			}
			n.Mul(n, new(big.Int).SetUint64(want[0])) // a square
			got := c.tree.AppendPrimes(nil, c.tree.Common(n, never))
			if !slices.Equal(got, want) {
				t.Errorf("%d primes from %d to %d, want %d", len(got), c.from, c.to, len(want))
			}
		}
		if g := c.tree.Common(big.NewInt(int64(all[0])), never); g.Uint64() != all[0] {
			t.Errorf("of the prime %d: %v", all[0], g)
		}
		if g := c.tree.Common(factortest.RandomPrime(r, 300), never); g.Cmp(arith.One) != 0 {
			t.Errorf("of a large prime: %v", g)
		}
		if g := c.tree.Common(big.NewInt(int64(all[0])), func() bool { return true }); g.Cmp(arith.One) != 0 {
			t.Errorf("stopped: %v", g)
		}
	}
}

// BenchmarkCommon holds numbers without small primes against the trees.
func BenchmarkCommon(b *testing.B) {
	r := factortest.Seeded(b)
	for _, c := range []struct {
		name string
		tree *Tree
		bits int
	}{{"short 130", Short(), 130}, {"short 332", Short(), 332}, {"long 333", Long(), 333}, {"long 3200", Long(), 3200}, {"long 65536", Long(), 65536}} {
		n := factortest.RandomPrime(r, 130)
		for n.BitLen() < c.bits {
			n.Mul(n, n)
		}
		n.Rsh(n, uint(n.BitLen()-c.bits)).SetBit(n, 0, 1)
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				c.tree.Common(n, never)
			}
		})
	}
}
