package prime

import (
	"math/big"
	"math/bits"

	"fairfactor/factor/internal/arith"
)

// GradeBig grades n > 2^128, never proven: Baillie-PSW, then strong tests to
// other bases, fewer for large numbers, which need them less. Up to smallPrime
// bits math/big does it in some milliseconds; above, it takes its own steps so
// that it can stop: one strong test takes 5 ms at 600 digits, 15 s at 10,000.
func (r *Prover) GradeBig(n *big.Int) Grade {
	const smallPrime = 1024
	if n.BitLen() > smallPrime {
		if !r.strongBig(n, 2) || !r.lucasBig(n) {
			return Composite
		}
		for i := range uint64(max(1, 4096/n.BitLen())) {
			if !r.strongBig(n, 3+arith.Mix(arith.Seed, i)>>32) {
				return Composite
			}
		}
		return Probable
	}
	if !n.ProbablyPrime(0) {
		return Composite
	}
	for range max(1, 20*512/max(n.BitLen(), 512)) {
		if r.Poll() || !n.ProbablyPrime(1) {
			return Composite
		}
	}
	return Probable
}

// strongBig is the strong probable prime test to a base; false, too, if it was
// stopped. The exponent is used up in pieces of about a millisecond.
func (r *Prover) strongBig(n *big.Int, base uint64) bool {
	minus := new(big.Int).Sub(n, arith.One)
	s := minus.TrailingZeroBits()
	d := new(big.Int).Rsh(minus, s)
	words := len(n.Bits())
	piece := uint(min(max(1<<20/(words*words), 16), 512))
	x := big.NewInt(1)
	b := new(big.Int).SetUint64(base)
	shift := new(big.Int).Lsh(arith.One, piece)
	mask := new(big.Int).Sub(shift, arith.One)
	var part, power big.Int
	for at := (uint(d.BitLen()) + piece - 1) / piece * piece; at > 0; at -= piece {
		if r.Poll() {
			return false
		}
		x.Exp(x, shift, n)
		part.Rsh(d, at-piece).And(&part, mask)
		x.Mul(x, power.Exp(b, &part, n)).Mod(x, n)
	}
	if x.Cmp(arith.One) == 0 || x.Cmp(minus) == 0 {
		return true
	}
	for range s - 1 {
		if r.Poll() {
			return false
		}
		if x.Mul(x, x).Mod(x, n); x.Cmp(minus) == 0 {
			return true
		}
	}
	return false
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
