package arith

import (
	"math/big"
	"math/rand/v2"
	"testing"
)

// TestSums holds sums of products, and their differences, against math/big.
func TestSums(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	for _, size := range []int{129, 188, 189, 316, 332, 444, 508, 509, 600, 664, 700, 1000, 1084} {
		for range 20 {
			n := randomBig(r, size)
			n.SetBit(n.SetBit(n, size-1, 1), 0, 1)
			if r.IntN(4) == 0 {
				n.Sub(new(big.Int).Lsh(One, uint(size)), One)
			}
			m := NewMontN(n)
			terms := 1 + r.IntN(MostTerms)
			s := NewSums(m, terms)
			if s == nil {
				if Assembly(size) {
					t.Fatal("no sums")
				}
				continue
			}
			want := new(big.Int)
			var sums [2][]uint64
			k := len(m.N)
			for i := range sums {
				sums[i] = make([]uint64, 2*k)
				if r.IntN(4) == 0 {
					continue
				}
				for range terms {
					x, y := randomBelow(r, n), randomBelow(r, n)
					a, b := make([]uint64, k), make([]uint64, k)
					PutWords(a, x)
					PutWords(b, y)
					s.Add(sums[i], a, b)
					if x.Mul(x, y); i == 0 {
						want.Add(want, x)
					} else {
						want.Sub(want, x)
					}
				}
			}
			R := new(big.Int).Lsh(One, uint(64*k))
			want.Mul(want, R.ModInverse(R, n)).Mod(want, n)
			z := make([]uint64, k)
			if s.Narrow(z, sums[0], sums[1]); BigOf(z).Cmp(want) != 0 {
				t.Fatalf("%d terms modulo %v: %v, want %v", terms, n, BigOf(z), want)
			}
		}
	}
	if NewSums(NewMontN(big.NewInt(101)), 2) != nil {
		t.Error("sums modulo a number of one word")
	}
}

// randomBelow returns a number below n, the largest often.
func randomBelow(r *rand.Rand, n *big.Int) *big.Int {
	if r.IntN(3) > 0 {
		return new(big.Int).Sub(n, One)
	}
	v := randomBig(r, n.BitLen())
	return v.Mod(v, n)
}
