package prime

import (
	"math/big"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/ecm"
	"fairfactor/factor/internal/rho"
	"fairfactor/factor/internal/stop"
)

// newProver returns a prover that is never asked to stop.
func newProver() *Prover {
	ecm := &ecm.Runner{Poller: &stop.Poller{}}
	return &Prover{Poller: ecm.Poller, Ecm: ecm, Divider: slowDivider{ecm}}
}

// slowDivider divides by every prime, and factors with rho and curves.
type slowDivider struct{ ecm *ecm.Runner }

func (slowDivider) Trial(v *big.Int) (primes []*big.Int, rest *big.Int) {
	rest = new(big.Int).Set(v)
	for _, p := range arith.SmallPrimes(4096) {
		p := new(big.Int).SetUint64(p)
		if takeOut(rest, p) {
			primes = append(primes, p)
		}
	}
	return primes, rest
}

func (d slowDivider) Factor(v *big.Int) (sure, likely []*big.Int) {
	if v.Cmp(arith.One) == 0 {
		return nil, nil
	}
	if v.ProbablyPrime(0) {
		if KnownPrime(v) {
			return []*big.Int{v}, nil
		}
		return nil, []*big.Int{v}
	}
	f := d.split(v)
	for _, part := range [...]*big.Int{f, new(big.Int).Quo(v, f)} {
		s, l := d.Factor(part)
		sure, likely = append(sure, s...), append(likely, l...)
	}
	return sure, likely
}

// split returns a proper factor of a composite.
func (d slowDivider) split(v *big.Int) *big.Int {
	for _, k := range []int{2, 3, 5, 7} {
		if root := arith.RootBig(v, k); new(big.Int).Exp(root, big.NewInt(int64(k)), nil).Cmp(v) == 0 {
			return root
		}
	}
	if v.BitLen() <= 64 {
		return new(big.Int).SetUint64(rho.Factor(v.Uint64()))
	}
	c := &ecm.Work{Seed: 3, Count: 1000, B1: 2000, Hi: 2001, From: 2001, To: 100_000, Step: 210}
	f, _ := d.ecm.CurvesN(v, c)
	return f
}
