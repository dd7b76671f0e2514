package prime

import (
	"math/big"
	"slices"
	"testing"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/factortest"
	"fairfactor/factor/internal/wire"
)

// TestMinusOneSmall checks, for all odd n to some thousands, the proofs by every
// set of prime factors of n - 1 against division.
func TestMinusOneSmall(t *testing.T) {
	proofs := 0
	for n := uint64(5); n < 6000; n += 2 {
		prime := len(factortest.Slowly(n)) == 1
		primes := slices.Compact(factortest.Slowly(n - 1))
		for set := range 1 << len(primes) {
			c := &MinusOne{n: new(big.Int).SetUint64(n)}
			for i, p := range primes {
				if set>>i&1 == 1 {
					c.Factors = append(c.Factors, minusFactor{p: new(big.Int).SetUint64(p)})
				}
			}
			v := c.Check(true)
			if v == IsPrime != (c.Check(false) == IsPrime) {
				t.Fatalf("%d by %v: what is found does not check", n, c.Factors)
			}
			if v == IsPrime && !prime || v == isComposite && prime {
				t.Fatalf("%d by %v: %d", n, c.Factors, v)
			}
			if prime && set == 1<<len(primes)-1 && v != IsPrime {
				t.Fatalf("%d is not proven by all factors", n)
			}
			if v == IsPrime {
				proofs++
			}
		}
	}
	t.Logf("%d proofs", proofs)
}

// TestLambda checks the bound of theorem 5 near the cube root: for n = (cF+1)(dF+1)
// it must not decide unless L F + 1 up to the smaller one is tried.
func TestLambda(t *testing.T) {
	r := factortest.Seeded(t)
	decided := 0
	for range 20000 {
		F := big.NewInt(2 * (1 + r.Int64N(1<<20)))
		c, d := 1+r.Int64N(600), 1+r.Int64N(1<<uint(1+r.IntN(21)))
		x := new(big.Int).Mul(F, big.NewInt(c))
		y := new(big.Int).Mul(F, big.NewInt(d))
		n := new(big.Int).Mul(x.Add(x, arith.One), y.Add(y, arith.One))
		R := new(big.Int).Sub(n, arith.One)
		R.Quo(R, F)
		if R.Bit(0) == 0 {
			continue
		}
		lambda := lambdaFor(n, F, R)
		if lambda < 0 {
			continue
		}
		if decided++; int64(lambda) < min(c, d) {
			t.Fatalf("(%d F + 1)(%d F + 1), F = %v: passes after %d trials", c, d, F, lambda)
		}
	}
	if decided == 0 {
		t.Error("never decided")
	}
}

// provedMinus returns a random prime of that many bits with a proof by N-1.
func provedMinus(t *testing.T, size int) *MinusOne {
	t.Helper()
	r := factortest.Seeded(t)
	run := newProver()
	for {
		if g, c := run.Prove(factortest.RandomPrime(r, size)); c != nil {
			if g != ProvenMinus {
				t.Fatalf("grade %d with a proof", g)
			}
			return c
		}
	}
}

// readProof returns the proof in data.
func readProof(data []byte, n *big.Int) *MinusOne {
	r := wire.Reader{B: data}
	c := ReadMinusOne(&r, n)
	if c == nil || r.Bad || len(r.B) != 0 {
		return nil
	}
	return c
}

func TestMinusOneTampered(t *testing.T) {
	r := factortest.Seeded(t)
	for range 10 {
		c := provedMinus(t, 85+r.IntN(45))
		data := c.Encode(nil)
		if again := readProof(data, c.n); again == nil || again.Check(false) != IsPrime || !slices.Equal(again.Encode(nil), data) {
			t.Fatalf("%v: its own proof does not check", c.n)
		}
		other := new(big.Int).Add(c.n, arith.Two)
		for !other.ProbablyPrime(0) {
			if again := readProof(data, other); again != nil && again.Check(false) == IsPrime {
				t.Fatalf("%v proves %v", c.n, other)
			}
			other.Add(other, arith.Two)
		}
		for i := range c.Factors {
			few := &MinusOne{n: c.n, Factors: slices.Delete(slices.Clone(c.Factors), i, i+1)}
			if few.Check(false) == IsPrime && i == 0 {
				t.Errorf("%v: proven without the factor 2", c.n)
			}
			twice := &MinusOne{n: c.n, Factors: append(slices.Clone(c.Factors), c.Factors[i])}
			if twice.Check(false) == IsPrime {
				t.Errorf("%v: proven with a factor twice", c.n)
			}
			product := slices.Clone(c.Factors)
			product[i].p = new(big.Int).Mul(product[i].p, big.NewInt(9))
			if (&MinusOne{n: c.n, Factors: product}).Check(false) == IsPrime {
				t.Errorf("%v: proven with a composite factor", c.n)
			}
			base := slices.Clone(c.Factors)
			base[i].Base = 1
			if (&MinusOne{n: c.n, Factors: base}).Check(false) == IsPrime {
				t.Errorf("%v: proven with the base 1", c.n)
			}
		}
		for range 100 {
			bad := slices.Clone(data)
			bad[r.IntN(len(bad))] ^= 1 << r.IntN(8)
			if again := readProof(bad[:r.IntN(len(bad)+1)], c.n); again != nil {
				again.Check(false) // another base may do as well; it must end
			}
		}
	}
}

// TestMinusOneInside proves a prime by one that needs a proof itself.
func TestMinusOneInside(t *testing.T) {
	inner := provedMinus(t, 100)
	n := new(big.Int)
	for k := int64(2); ; k += 2 {
		n.Mul(inner.n, big.NewInt(k)).Add(n, arith.One)
		if n.ProbablyPrime(0) {
			break
		}
	}
	c := &MinusOne{n: n, Factors: []minusFactor{{p: arith.Two}, {p: inner.n, proof: inner}}}
	if v := c.Check(true); v != IsPrime {
		t.Fatalf("%v: %d", n, v)
	}
	if again := readProof(c.Encode(nil), n); again == nil || again.Check(false) != IsPrime {
		t.Fatal("does not check after it was encoded")
	}
	c.Factors[1].proof = nil
	if c.Check(false) == IsPrime {
		t.Error("proven by a prime of 100 bits that is not")
	}
	c.Factors[1].proof = &MinusOne{n: inner.n}
	if c.Check(false) == IsPrime {
		t.Error("proven by an empty proof")
	}
	many := &MinusOne{n: n}
	for i := range maxMinusFactors + 1 {
		many.Factors = append(many.Factors, minusFactor{p: big.NewInt(int64(i + 2)), Base: 2})
	}
	if readProof(many.Encode(nil), n) != nil {
		t.Error("a proof of too many factors")
	}
	deep := []byte{}
	for range 10_000 {
		deep = append(deep, 1, 1, 7, 2, 1)
	}
	if readProof(deep, n) != nil {
		t.Error("a proof of endless depth")
	}
}
