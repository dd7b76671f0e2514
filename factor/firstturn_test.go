package factor

import (
	"errors"
	"math/big"
	"testing"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/factortest"
	"fairfactor/factor/internal/prime"
	"fairfactor/factor/internal/qs"
)

// TestStopsInPrimality stops the test of a prime of 664 digits, which takes a
// tenth of a second, at its first, middle and last looks at stop.
func TestStopsInPrimality(t *testing.T) {
	p := new(big.Int).Lsh(arith.One, 2203)
	p.Sub(p, arith.One)
	run := NewRunner()
	asked := 0
	res, err := run.Run(First(p.String()), func() bool { asked++; return false })
	if err != nil {
		t.Fatal(err)
	}
	if parts, err := decodeParts(res.Data); err != nil || len(parts) != 1 || parts[0].grade != prime.Probable {
		t.Fatalf("2^2203 - 1 = %v, %v", parts, err)
	}
	if asked < 8 {
		t.Errorf("asked %d times", asked)
	}
	for _, at := range []int{1, asked / 2, asked} {
		left := at
		if _, err := run.Run(First(p.String()), func() bool { left--; return left <= 0 }); !errors.Is(err, ErrStopped) {
			t.Errorf("stopped at %d of %d: %v", at, asked, err)
		}
	}
}

// TestPowersOfLargeNumbers finds the root of powers far above 128 bits and none of
// their neighbours.
func TestPowersOfLargeNumbers(t *testing.T) {
	r := factortest.Seeded(t)
	for _, k := range []int{2, 3, 5, 7, 11, 13, 29, 61, 97} {
		root := factortest.RandomPrime(r, 20+r.IntN(60))
		n := new(big.Int).Exp(root, big.NewInt(int64(k)), nil)
		if got, e := powerBig(n, 8); e != k || got.Cmp(root) != 0 {
			t.Errorf("%v^%d: root %v, exponent %d", root, k, got, e)
		}
		if got, e := powerBig(n.Add(n, big.NewInt(2)), 8); e != 1 {
			t.Errorf("%v^%d + 2: root %v, exponent %d", root, k, got, e)
		}
	}
}

// TestSieveQuickBig sieves numbers of three words.
func TestSieveQuickBig(t *testing.T) {
	r := factortest.Seeded(t)
	run := NewRunner()
	for size := 129; size <= qs.MostBits; size++ {
		p := factortest.RandomPrime(r, size/2)
		q := factortest.RandomPrime(r, size-size/2)
		for p.Cmp(q) == 0 || new(big.Int).Mul(p, q).BitLen() != size {
			q = factortest.RandomPrime(r, size-size/2)
		}
		if p.Cmp(q) > 0 {
			p, q = q, p
		}
		n := new(big.Int).Mul(p, q)
		if d, found := run.sieveQuick(arith.Uint192Of(n)); !found || d.Big().Cmp(p) != 0 {
			t.Errorf("%v: %v, %v, want %v", n, d.Big(), found, p)
		}
	}
}
