package tune_test

import (
	"errors"
	"math/big"
	"math/rand/v2"
	"testing"

	"fairfactor/factor"
	"fairfactor/factor/internal/factortest"
	"fairfactor/factor/tune"
)

// product returns the product of random primes of these sizes, in decimal digits.
func product(r *rand.Rand, bits ...int) string {
	n := big.NewInt(1)
	for _, b := range bits {
		n.Mul(n, factortest.RandomPrime(r, b))
	}
	return n.String()
}

// TestSplit runs each method alone at the ends of its range, and just beyond.
func TestSplit(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	run := tune.NewRunner()
	for _, c := range []struct {
		by     factor.Methods
		lo, hi int // bits of a prime
	}{{factor.ByHart, 10, 21}, {factor.ByCurves, 15, 50}, {factor.ByRho, 15, 32}, {factor.ByQS, 33, 64}} {
		for bits := c.lo; bits <= c.hi; bits++ {
			n := product(r, bits, bits)
			if found, err := run.Split(n, c.by); err != nil || !found {
				t.Errorf("%v of %s: %v, %v", c.by.Names(), n, found, err)
			}
		}
	}
	for bits := 64; bits <= 100; bits++ {
		for range 4 {
			n := product(r, bits/2, (bits+1)/2)
			if found, err := run.Split(n, factor.ByCurves); err != nil || !found {
				t.Errorf("curves alone, %s of %d bits: %v, %v", n, bits, found, err)
			}
		}
	}
	for _, c := range []struct {
		by   factor.Methods
		bits int
	}{{factor.ByHart, 23}, {factor.ByCurves, 52}, {factor.ByRho, 34}, {factor.ByQS, 28}, {factor.ByQS, 66}, {factor.BySIQS, 40}} {
		if _, err := run.Split(product(r, c.bits, c.bits), c.by); !errors.Is(err, tune.ErrSize) {
			t.Errorf("%v of %d bits: %v", c.by.Names(), 2*c.bits, err)
		}
	}
}

// TestNewSieve factors with parameters that are not those of the table, and
// refuses what can't be sieved.
func TestNewSieve(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 9))
	n := product(r, 60, 61)
	size := tune.SieveSizeFor(121)
	size.Base, size.Large, size.Slack = size.Base*3/2, 20, size.Slack+2
	run := tune.NewRunner()
	m, err := tune.NewSieve(n, size)
	if err != nil {
		t.Fatal(err)
	}
	for !m.Done() {
		res, err := run.Run(m.Next(1)[0], nil)
		if err == nil {
			err = m.Apply(res)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := factor.Verify(n, m.Primes()); err != nil || m.Methods() != factor.BySIQS {
		t.Errorf("%v by %v: %v", m.Primes(), m.Methods().Names(), err)
	}
	wrong := size
	wrong.Base = 10
	for _, c := range []struct {
		n    string
		size tune.SieveSize
	}{{n, wrong}, {product(r, 40, 40), size}, {product(r, 170, 170), size}, {factortest.RandomPrime(r, 120).String(), size}, {product(r, 9, 60, 61), size}} {
		if _, err := tune.NewSieve(c.n, c.size); !errors.Is(err, tune.ErrSize) {
			t.Errorf("%s with %+v: %v", c.n, c.size, err)
		}
	}
}

// TestCurve runs a curve whole, up to the second bound of its level, and refuses others.
func TestCurve(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 9))
	n, _ := new(big.Int).SetString(product(r, 180, 180), 10)
	run := tune.NewRunner()
	if B2, err := run.Curve(n, 50_000, 1); err != nil || B2 < 8_000_000 {
		t.Errorf("B2 = %d, %v", B2, err)
	}
	for _, B1 := range []uint64{0, 12_345} {
		if _, err := run.Curve(n, B1, 1); !errors.Is(err, tune.ErrSize) {
			t.Errorf("B1 = %d: %v", B1, err)
		}
	}
}
