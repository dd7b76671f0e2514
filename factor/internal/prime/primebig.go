package prime

import (
	"math/big"
	"math/bits"

	"fairfactor/factor/internal/arith"
)

// Witness is what the tests met on the way when they showed that n is composite.
type Witness struct {
	// Power is 2^(n-1) modulo n.
	Power *big.Int
	// Factor is a proper factor of n that a power came across: a square root of 1 that is
	// neither 1 nor -1 gives one. Nearly always nil; numbers that were made to look like
	// primes have one.
	Factor *big.Int
}

// moreBases is how many strong tests to other bases follow Baillie-PSW, up to 1024 bits;
// fewer above, where chance alone makes fewer composites pass (Damgard, Landrock and
// Pomerance, Math. Comp. 61 (1993), 177-194).
const moreBases = 4

// smallPrime is the size in bits up to which a test for primality takes some milliseconds,
// so that it is not cut up; one strong test takes 5 ms at 600 digits, 15 s at 10,000.
const smallPrime = 1024

// GradeBig grades odd n > 2^128, never proven: Baillie-PSW, then strong tests to other
// bases. Nothing holds once the prover was stopped.
func (r *Prover) GradeBig(n *big.Int) (Grade, Witness) {
	t := r.strong(n, 2)
	if !t.passes {
		return Composite, Witness{t.power, t.factor}
	}
	seed := n.Bits()[0]
	if n.BitLen() <= smallPrime && !n.ProbablyPrime(0) || n.BitLen() > smallPrime && !r.lucasBig(n) {
		return Composite, Witness{t.power, r.likePrime(n, uint64(seed))}
	}
	for i := range uint64(max(1, min(moreBases, 4096/n.BitLen()))) {
		if u := r.strong(n, baseOf(uint64(seed), i)); !u.passes {
			factor := u.factor
			if factor == nil {
				factor = r.likePrime(n, uint64(seed))
			}
			return Composite, Witness{t.power, factor}
		}
	}
	return Probable, Witness{}
}

// baseOf returns base i of the strong tests of a number with the lowest word seed.
func baseOf(seed, i uint64) uint64 { return 3 + arith.Mix(arith.Seed^seed, i)>>32 }

// likePrimeBases bounds the bases that likePrime tries: for a number that passes to most
// bases without its square root, more than half of them split it.
const likePrimeBases = 64

// likePrime looks for a proper factor of a composite that passes the strong test to base
// 2, nil if the powers of other bases come across none.
func (r *Prover) likePrime(n *big.Int, seed uint64) *big.Int {
	for i := range uint64(likePrimeBases) {
		t := r.strong(n, baseOf(seed, i))
		if t.factor != nil || r.Stopped() {
			return t.factor
		}
		if t.power != nil {
			if d := Proper(t.power.Sub(t.power, arith.One), n); d != nil {
				return d
			}
		}
	}
	return nil
}

// Proper returns the greatest common divisor of v and n > 1 if it is neither 1 nor n,
// else nil.
func Proper(v, n *big.Int) *big.Int {
	d := new(big.Int).GCD(nil, nil, new(big.Int).Abs(v), n)
	if d.Cmp(arith.One) == 0 || d.Cmp(n) == 0 {
		return nil
	}
	return d
}

// strongTest is the outcome of a strong test to a base a.
type strongTest struct {
	passes bool
	power  *big.Int // a^(n-1) modulo n if it does not pass
	factor *big.Int // a proper factor, by a square root of 1
}

// strong is the strong probable prime test to a base; it does not pass, too, if it was
// stopped.
func (r *Prover) strong(n *big.Int, base uint64) (t strongTest) {
	minus := new(big.Int).Sub(n, arith.One)
	s := minus.TrailingZeroBits()
	x := r.raise(base, new(big.Int).Rsh(minus, s), n)
	if x == nil {
		return t
	}
	if x.Cmp(arith.One) == 0 || x.Cmp(minus) == 0 {
		t.passes, t.power = true, big.NewInt(1)
		return t
	}
	last := new(big.Int)
	for range s {
		if r.Poll() {
			return strongTest{}
		}
		last.Set(x)
		switch x.Mul(x, x).Mod(x, n); {
		case x.Cmp(minus) == 0:
			t.passes, t.power = true, big.NewInt(1)
			return t
		case x.Cmp(arith.One) == 0:
			t.power, t.factor = x, Proper(last.Sub(last, arith.One), n)
			return t
		}
	}
	t.power = x
	return t
}

// raise returns base^e modulo n, nil if it was stopped. For long numbers the exponent is
// used up in pieces of about a millisecond.
func (r *Prover) raise(base uint64, e, n *big.Int) *big.Int {
	b := new(big.Int).SetUint64(base)
	if n.BitLen() <= smallPrime {
		if r.Poll() {
			return nil
		}
		return b.Exp(b, e, n)
	}
	words := len(n.Bits())
	piece := uint(min(max(1<<20/(words*words), 16), 512))
	x := big.NewInt(1)
	shift := new(big.Int).Lsh(arith.One, piece)
	mask := new(big.Int).Sub(shift, arith.One)
	var part, power big.Int
	for at := (uint(e.BitLen()) + piece - 1) / piece * piece; at > 0; at -= piece {
		if r.Poll() {
			return nil
		}
		x.Exp(x, shift, n)
		part.Rsh(e, at-piece).And(&part, mask)
		x.Mul(x, power.Exp(b, &part, n)).Mod(x, n)
	}
	return x
}

// lucasBig is the extra strong Lucas test, see Mont64.lucas; false, too, if it
// was stopped.
func (r *Prover) lucasBig(n *big.Int) bool {
	p := int64(3)
	for ; ; p++ {
		j := big.Jacobi(big.NewInt(p*p-4), n)
		if j == -1 {
			break
		}
		if j == 0 {
			return false
		}
		if p == 20 {
			if _, square := arith.SquareRootBig(n); square {
				return false
			}
		}
	}
	d := new(big.Int).Add(n, arith.One)
	s := d.TrailingZeroBits()
	d.Rsh(d, s)
	P, two := big.NewInt(p), big.NewInt(2)
	minusTwo := new(big.Int).Sub(n, two)
	v, w := big.NewInt(p), big.NewInt(p*p-2) // V_k, V_{k+1}
	for i := d.BitLen() - 2; i >= 0; i-- {
		if r.Poll() {
			return false
		}
		a, b := v, w // the one that is squared, and the other
		if d.Bit(i) == 1 {
			a, b = w, v
		}
		b.Mul(b, a).Sub(b, P).Mod(b, n)
		a.Mul(a, a).Sub(a, two).Mod(a, n)
	}
	if v.Cmp(two) == 0 || v.Cmp(minusTwo) == 0 {
		w.Lsh(w, 1)
		if w.Sub(w, P.Mul(P, v)).Mod(w, n); w.Sign() == 0 {
			return true
		}
	}
	for range s - 1 {
		if v.Sign() == 0 {
			return true
		}
		v.Mul(v, v).Sub(v, two).Mod(v, n)
	}
	return false
}

// GradeOf returns the grade of a number that passed the tests for primality,
// probable if it needs a proof.
func GradeOf(p *big.Int) Grade {
	switch {
	case p.BitLen() <= 64:
		return Proven
	case p.BitLen() <= 128:
		return Grade128(arith.Uint128Of(p.Bytes()))
	}
	return Probable
}

// PowerResidue reports whether n may be a k-th power for a prime k: for a few
// primes q = 1 modulo k, n must be a k-th power modulo q. One number in k passes
// each.
func PowerResidue(n *big.Int, k uint64) bool {
	var rem, modulus big.Int
	tests := 2 + 8/bits.Len64(k)
	for q := 2*k + 1; tests > 0; q += 2 * k {
		if q < 9 || !IsPrime64(q) {
			continue
		}
		tests--
		m := arith.NewMont64(q)
		v := rem.Rem(n, modulus.SetUint64(q)).Uint64()
		if v != 0 && m.Power(m.To(v), (q-1)/k) != m.One {
			return false
		}
	}
	return true
}
