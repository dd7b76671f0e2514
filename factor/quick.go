package factor

import (
	"math/big"
	"math/bits"

	"fairfactor/factor/internal/cpu"
)

// find64 returns a proper factor of n, an odd composite that is not a power.
func (r *Runner) find64(n uint64) uint64 {
	size := bits.Len64(n)
	if size <= hartBits {
		if d := hart64(n); d != 1 {
			r.by |= ByHart
			return d
		}
	}
	if cpu.IFMA && size >= eightFrom {
		if d := r.ecm.find8(wide{0, n}); d.lo != 1 {
			r.by |= ByCurves
			return d.lo
		}
	}
	twins := microTwins
	if size >= sieveBits {
		twins = microBefore
	}
	if d := ecm64(n, size, twins); d != 1 {
		r.by |= ByCurves
		return d
	}
	if size >= sieveBits {
		if d, found := r.sieveQuick(triple{n}); found {
			return d.lo
		}
	}
	r.by |= ByRho
	return rho64(n)
}

// findWide returns a proper factor of n > 2^64, an odd composite that is not a
// power, unless the quick methods do not find one.
func (r *Runner) findWide(n wide) (wide, bool) {
	if r.shallow {
		return wide{}, false
	}
	if cpu.IFMA && n.len() <= eightBits {
		if d := r.ecm.find8(n); d != (wide{0, 1}) {
			r.by |= ByCurves
			return d, true
		}
		return r.sieveQuick(n.triple())
	}
	d := r.ecm.fewWide(n)
	if r.poller.poll() {
		return wide{}, false
	}
	if d != (wide{0, 1}) {
		r.by |= ByCurves
		return d, true
	}
	return r.sieveQuick(n.triple())
}

// sieveQuick returns a proper factor of n, of up to qsMostBits bits, by the small
// quadratic sieve, the smaller one of two if n is above 2^128. It takes another
// multiplier if the best one gives none, and gives up after maxMultipliers; later
// turns take what it leaves.
func (r *Runner) sieveQuick(n triple) (wide, bool) {
	d, found := r.qs.split(&r.poller, n)
	if found {
		r.by |= ByQS
	}
	return d, found
}

// quickShare is the part of the time of the sieve that quick curves may take above
// 2^128.
const quickShare = 1.0 / 8

// findBig returns a proper factor of n > 2^128, an odd composite that is not a
// power, or nil if the quick methods do not find one.
func (r *Runner) findBig(n *big.Int) *big.Int {
	if r.shallow {
		return nil
	}
	d := r.ecm.quickCurves(n, quickShare*sieveNanos(n.BitLen()))
	if d != nil {
		r.by |= ByCurves
	}
	if d != nil || r.poller.stopped() || n.BitLen() > qsMostBits {
		return d
	}
	if d, found := r.sieveQuick(tripleOf(n)); found {
		return d.big()
	}
	return nil
}

// split64 returns a proper factor of v, an odd composite without small factors.
func (r *Runner) split64(v uint64) uint64 {
	if root, k := power64(v); k > 1 {
		return root
	}
	return r.find64(v)
}
