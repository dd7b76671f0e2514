package factor

import (
	"math/big"
	"slices"
	"testing"
)

// TestMinusOneSmall checks, for all odd n to some thousands, the proofs by every
// set of prime factors of n - 1 against division.
func TestMinusOneSmall(t *testing.T) {
	proofs := 0
	for n := uint64(5); n < 6000; n += 2 {
		prime := len(slowly(n)) == 1
		primes := slices.Compact(slowly(n - 1))
		for set := range 1 << len(primes) {
			c := &minusOne{n: new(big.Int).SetUint64(n)}
			for i, p := range primes {
				if set>>i&1 == 1 {
					c.factors = append(c.factors, minusFactor{p: new(big.Int).SetUint64(p)})
				}
			}
			v := c.check(true)
			if v == isPrime != (c.check(false) == isPrime) {
				t.Fatalf("%d by %v: what is found does not check", n, c.factors)
			}
			if v == isPrime && !prime || v == isComposite && prime {
				t.Fatalf("%d by %v: %d", n, c.factors, v)
			}
			if prime && set == 1<<len(primes)-1 && v != isPrime {
				t.Fatalf("%d is not proven by all factors", n)
			}
			if v == isPrime {
				proofs++
			}
		}
	}
	t.Logf("%d proofs", proofs)
}

// TestLambda checks the bound of theorem 5 near the cube root: for n = (cF+1)(dF+1)
// it must not decide unless L F + 1 up to the smaller one is tried.
func TestLambda(t *testing.T) {
	r := seeded(t)
	decided := 0
	for range 20000 {
		F := big.NewInt(2 * (1 + r.Int64N(1<<20)))
		c, d := 1+r.Int64N(600), 1+r.Int64N(1<<uint(1+r.IntN(21)))
		x := new(big.Int).Mul(F, big.NewInt(c))
		y := new(big.Int).Mul(F, big.NewInt(d))
		n := new(big.Int).Mul(x.Add(x, one), y.Add(y, one))
		R := new(big.Int).Sub(n, one)
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
func provedMinus(t *testing.T, size int) *minusOne {
	t.Helper()
	r := seeded(t)
	run := NewRunner()
	for {
		if g, c := run.prover.prove(randomPrime(r, size)); c != nil {
			if g != provenMinus {
				t.Fatalf("grade %d with a proof", g)
			}
			return c
		}
	}
}

// readProof returns the proof in data.
func readProof(data []byte, n *big.Int) *minusOne {
	r := reader{b: data}
	c := readMinusOne(&r, n)
	if c == nil || r.bad || len(r.b) != 0 {
		return nil
	}
	return c
}

func TestMinusOneTampered(t *testing.T) {
	r := seeded(t)
	for range 10 {
		c := provedMinus(t, 85+r.IntN(45))
		data := c.encode(nil)
		if again := readProof(data, c.n); again == nil || again.check(false) != isPrime || !slices.Equal(again.encode(nil), data) {
			t.Fatalf("%v: its own proof does not check", c.n)
		}
		other := new(big.Int).Add(c.n, two)
		for !other.ProbablyPrime(0) {
			if again := readProof(data, other); again != nil && again.check(false) == isPrime {
				t.Fatalf("%v proves %v", c.n, other)
			}
			other.Add(other, two)
		}
		for i := range c.factors {
			few := &minusOne{n: c.n, factors: slices.Delete(slices.Clone(c.factors), i, i+1)}
			if few.check(false) == isPrime && i == 0 {
				t.Errorf("%v: proven without the factor 2", c.n)
			}
			twice := &minusOne{n: c.n, factors: append(slices.Clone(c.factors), c.factors[i])}
			if twice.check(false) == isPrime {
				t.Errorf("%v: proven with a factor twice", c.n)
			}
			product := slices.Clone(c.factors)
			product[i].p = new(big.Int).Mul(product[i].p, big.NewInt(9))
			if (&minusOne{n: c.n, factors: product}).check(false) == isPrime {
				t.Errorf("%v: proven with a composite factor", c.n)
			}
			base := slices.Clone(c.factors)
			base[i].base = 1
			if (&minusOne{n: c.n, factors: base}).check(false) == isPrime {
				t.Errorf("%v: proven with the base 1", c.n)
			}
		}
		for range 100 {
			bad := slices.Clone(data)
			bad[r.IntN(len(bad))] ^= 1 << r.IntN(8)
			if again := readProof(bad[:r.IntN(len(bad)+1)], c.n); again != nil {
				again.check(false) // another base may do as well; it must end
			}
		}
	}
}

// TestMinusOneInside proves a prime by one that needs a proof itself.
func TestMinusOneInside(t *testing.T) {
	inner := provedMinus(t, 100)
	n := new(big.Int)
	for k := int64(2); ; k += 2 {
		n.Mul(inner.n, big.NewInt(k)).Add(n, one)
		if n.ProbablyPrime(0) {
			break
		}
	}
	c := &minusOne{n: n, factors: []minusFactor{{p: two}, {p: inner.n, proof: inner}}}
	if v := c.check(true); v != isPrime {
		t.Fatalf("%v: %d", n, v)
	}
	if again := readProof(c.encode(nil), n); again == nil || again.check(false) != isPrime {
		t.Fatal("does not check after it was encoded")
	}
	c.factors[1].proof = nil
	if c.check(false) == isPrime {
		t.Error("proven by a prime of 100 bits that is not")
	}
	c.factors[1].proof = &minusOne{n: inner.n}
	if c.check(false) == isPrime {
		t.Error("proven by an empty proof")
	}
	many := &minusOne{n: n}
	for i := range maxMinusFactors + 1 {
		many.factors = append(many.factors, minusFactor{p: big.NewInt(int64(i + 2)), base: 2})
	}
	if readProof(many.encode(nil), n) != nil {
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
