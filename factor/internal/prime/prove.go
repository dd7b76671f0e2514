package prime

import (
	"math/big"
	"slices"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/ecm"
	"fairfactor/factor/internal/stop"
)

// ProvableBits is the size up to which every prime is proven, 200 digits, and AtOnceBits
// that up to which the proof is one turn, 100 digits. ProvableBits is a multiple of 8.
const (
	AtOnceBits   = 332
	ProvableBits = 664
)

// Divider factors numbers for proofs.
type Divider interface {
	// Trial divides odd v by small primes and returns those that divide it, and what
	// is left.
	Trial(v *big.Int) (primes []*big.Int, rest *big.Int)
	// Factor factors v, of up to wholeBits bits, into primes that are proven and
	// primes that are likely. Both are incomplete if the turn is to stop.
	Factor(v *big.Int) (proven, likely []*big.Int)
}

// Prover tests numbers for primality and proves primes.
type Prover struct {
	*stop.Poller
	Ecm     *ecm.Runner
	Divider Divider
	whole   bool // proofs are for certificates, see Certify
}

// Provable reports whether Prove takes n: every number of up to ProvableBits, and longer
// Mersenne numbers.
func Provable(n *big.Int) bool { return n.BitLen() <= ProvableBits || IsMersenne(n) }

// Prove proves the primality of n, a provable number that passed the tests for
// primality: a Mersenne number by the test of Lucas and Lehmer, others by N-1 if enough
// of n - 1 is factored in a small part of the time that APR-CL takes, else by that. It
// returns the grade, composite if n is, and the proof by N-1 if it is one. Above AtOnceBits
// the grade is Probable if N-1 does not prove it: APR-CL has to go on in pieces, see
// [JacobiPieces]. Nothing holds if r is halted.
func (r *Prover) Prove(n *big.Int) (Grade, *MinusOne) {
	if KnownPrime(n) {
		return Proven, nil
	}
	if IsMersenne(n) && n.BitLen() > 128 {
		switch r.lucasLehmer(n) {
		case IsPrime:
			return ProvenPlus, nil
		case isComposite:
			return Composite, nil
		}
		return Unproven, nil
	}
	c, v := r.proveMinus(n, 0)
	if v == undecided && n.BitLen() <= AtOnceBits && !r.Stopped() {
		c, v = nil, r.proveJacobi(n)
	}
	switch {
	case v == isComposite:
		return Composite, nil
	case v == undecided && n.BitLen() > AtOnceBits:
		return Probable, nil
	case v == undecided:
		return Unproven, nil
	case c != nil:
		return ProvenMinus, c
	}
	return ProvenJacobi, nil
}

// proveMinus looks for a proof of n by N-1. depth is how many proofs it is inside.
func (r *Prover) proveMinus(n *big.Int, depth int) (*MinusOne, verdict) {
	minus := new(big.Int).Sub(n, arith.One)
	twos := minus.TrailingZeroBits()
	a := &minusOneFactors{r: r, n: n, minus: minus, primes: []*big.Int{arith.Two}}
	a.take(minus.Rsh(minus, twos))
	minus.Lsh(minus, twos)
	if r.Stopped() {
		return nil, undecided
	}
	c := &MinusOne{n: n}
	for _, p := range a.primes {
		c.Factors = append(c.Factors, minusFactor{p: p})
	}
	if !a.enough(a.primes) && depth < maxMinusDepth {
		slices.SortFunc(a.likely, func(x, y *big.Int) int { return y.Cmp(x) })
		for _, p := range a.likely {
			if !a.enough(append(slices.Clone(a.primes), p)) {
				continue
			}
			if inner, v := r.proveMinus(p, depth+1); v == IsPrime {
				a.primes = append(a.primes, p)
				c.Factors = append(c.Factors, minusFactor{p: p, proof: inner})
				break
			}
		}
	}
	if !a.enough(a.primes) {
		return nil, undecided
	}
	c.shorten(a)
	return c, c.Check(true)
}

// shorten keeps 2 and the largest factors that are enough.
func (c *MinusOne) shorten(a *minusOneFactors) {
	rest := c.Factors[1:]
	slices.SortFunc(rest, func(x, y minusFactor) int { return y.p.Cmp(x.p) })
	used := []*big.Int{arith.Two}
	for i := range rest {
		if a.enough(used) {
			c.Factors = c.Factors[:i+1]
			return
		}
		used = append(used, rest[i].p)
	}
}

// minusOneFactors are the factors of n - 1, as far as a proof needs them and a small effort finds them.
type minusOneFactors struct {
	r        *Prover
	n, minus *big.Int
	primes   []*big.Int // proven, each once
	likely   []*big.Int // primes that need a proof of their own
	effort   int        // composites that have been taken on
}

// enough reports whether these primes make a proof.
func (a *minusOneFactors) enough(primes []*big.Int) bool {
	rest := new(big.Int).Set(a.minus)
	for _, p := range primes {
		takeOut(rest, p)
	}
	F := new(big.Int).Quo(a.minus, rest)
	lambda := lambdaFor(a.n, F, rest)
	return lambda == 0 || lambda > 0 && !a.r.whole
}

// take factors odd v: trial division, then what is left by other methods.
func (a *minusOneFactors) take(v *big.Int) {
	primes, rest := a.r.Divider.Trial(v)
	a.primes = append(a.primes, primes...)
	a.rest(rest)
}

// add adds the prime factors of a part, each once.
func (a *minusOneFactors) add(proven, likely []*big.Int) {
	for _, v := range proven {
		if !slices.ContainsFunc(a.primes, func(q *big.Int) bool { return q.Cmp(v) == 0 }) {
			a.primes = append(a.primes, v)
		}
	}
	a.likely = append(a.likely, likely...)
}

// wholeBits is the size up to which what is left of n - 1 is factored completely:
// that takes less time than APR-CL.
const wholeBits = 92

// rest factors v, odd and without prime factors below roughTo if it exceeds 64
// bits.
func (a *minusOneFactors) rest(v *big.Int) {
	r := a.r
	if v.Cmp(arith.One) == 0 || r.Poll() || v.BitLen() > 64 && a.enough(a.primes) {
		return
	}
	if v.BitLen() <= wholeBits {
		a.add(r.Divider.Factor(v))
		return
	}
	if v.BitLen() <= 128 && Grade128(arith.Uint128Of(v.Bytes())) == Proven {
		a.primes = append(a.primes, v)
		return
	}
	if v.ProbablyPrime(0) {
		a.likely = append(a.likely, v)
		return
	}
	if a.effort++; a.effort > 4 {
		return
	}
	if d := a.find(v); d != nil {
		a.rest(d)
		a.rest(new(big.Int).Quo(v, d))
	}
}

// find looks for a factor of the composite v for a small part of the time that
// APR-CL takes, if one of usual size would do.
func (a *minusOneFactors) find(v *big.Int) *big.Int {
	r := a.r
	if v.BitLen() > 128 {
		return nil
	}
	d := r.Ecm.Few128(arith.Uint128Of(v.Bytes()))
	if d == (arith.Uint128{Lo: 1}) {
		return nil
	}
	return d.Big()
}
