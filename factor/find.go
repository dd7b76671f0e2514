package factor

import (
	"math/big"
	"math/bits"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/cpu"
	"fairfactor/factor/internal/ecm"
	"fairfactor/factor/internal/hart"
	"fairfactor/factor/internal/prime"
	"fairfactor/factor/internal/rho"
	"fairfactor/factor/internal/siqs"
)

// find64 returns a proper factor of n, an odd composite that is not a power.
func (r *Runner) find64(n uint64) uint64 {
	size := bits.Len64(n)
	row := rungFor(size)
	if row.split == ByHart {
		if d := hart.Factor(n); d != 1 {
			r.by |= ByHart
			return d
		}
	}
	if cpu.IFMA && size >= ecm.VectorFromBits {
		if d := r.ecm.FindVector(arith.Uint128{Lo: n}); d.Lo != 1 {
			r.by |= ByCurves
			return d.Lo
		}
	}
	if d := r.ecm.Find64(n, size, row.trios); d != 1 {
		r.by |= ByCurves
		return d
	}
	r.by |= ByRho
	return rho.Factor(n)
}

// find128 returns a proper factor of n > 2^64, an odd composite that is not a
// power, unless the quick methods do not find one.
func (r *Runner) find128(n arith.Uint128) (arith.Uint128, bool) {
	if r.shallow {
		return arith.Uint128{}, false
	}
	if cpu.IFMA && n.Len() <= ecm.VectorBits {
		if d := r.ecm.FindVector(n); d != (arith.Uint128{Lo: 1}) {
			r.by |= ByCurves
			return d, true
		}
		return r.sieveQuick(n.Uint192())
	}
	d := r.ecm.Quick128(n)
	if r.poller.Poll() {
		return arith.Uint128{}, false
	}
	if d != (arith.Uint128{Lo: 1}) {
		r.by |= ByCurves
		return d, true
	}
	return r.sieveQuick(n.Uint192())
}

// sieveQuick returns a proper factor of n, of up to 141 bits, by the small
// quadratic sieve, the smaller one of two if n is above 2^128. It takes another
// multiplier if the best one gives none, and gives up after maxMultipliers; later
// turns take what it leaves.
func (r *Runner) sieveQuick(n arith.Uint192) (arith.Uint128, bool) {
	d, found := r.qs.Split(&r.poller, n)
	if found {
		r.by |= ByQS
	}
	return d, found
}

// findBig returns a proper factor of n > 2^128, an odd composite that is not a
// power, or nil if the quick methods do not find one. seen is what the test for
// primality met.
func (r *Runner) findBig(n *big.Int, seen prime.Witness) *big.Int {
	if seen.Factor != nil {
		r.by |= BySmooth
		return seen.Factor
	}
	if r.shallow {
		return nil
	}
	if rungFor(n.BitLen()).split == ByQS {
		return r.findMedium(n)
	}
	if d := r.special(n, seen.Power); d != nil || r.poller.Stopped() {
		return d
	}
	if d := r.ecm.QuickN(n, firstTurnShare*siqs.SieveNanos(n.BitLen())); d != nil || r.poller.Stopped() {
		r.by |= ByCurves
		return d
	}
	return r.smooth(n)
}

// findMedium is findBig up to the end of the small sieve.
func (r *Runner) findMedium(n *big.Int) *big.Int {
	d := r.ecm.QuickN(n, firstTurnShare*siqs.SieveNanos(n.BitLen()))
	if d != nil {
		r.by |= ByCurves
	}
	if d != nil || r.poller.Stopped() {
		return d
	}
	if d, found := r.sieveQuick(arith.Uint192Of(n)); found {
		return d.Big()
	}
	return nil
}

// splitDouble returns a proper factor of v, an odd composite without small factors.
func (r *Runner) splitDouble(v uint64) uint64 {
	if root, k := power64(v); k > 1 {
		return root
	}
	return r.find64(v)
}
