// Package tune takes the methods of factor one by one, for programs that measure
// which is the fastest for a size of number, and with which parameters. The tables
// in factor and in its rooms are what such a program has printed (bench tune).
//
// A service needs nothing from here. Start at [Runner.Split] and [NewSieve].
package tune

import (
	"errors"
	"fmt"
	"math/big"

	"fairfactor/factor"
	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/cpu"
	"fairfactor/factor/internal/ecm"
	"fairfactor/factor/internal/hart"
	"fairfactor/factor/internal/qs"
	"fairfactor/factor/internal/rho"
	"fairfactor/factor/internal/stop"
)

// ErrSize says that a method can't do a number, or not with these parameters.
var ErrSize = errors.New("tune: out of the range of the method")

// Runner runs turns, and single methods besides. It is not safe for concurrent use.
type Runner struct {
	*factor.Runner
	never stop.Poller
	ecm   *ecm.Runner
	qs    qs.Sieve
}

// NewRunner returns a Runner with empty tables.
func NewRunner() *Runner {
	r := &Runner{Runner: factor.NewRunner()}
	r.ecm = &ecm.Runner{Poller: &r.never}
	return r
}

// Split looks for a proper factor of n with one method alone and reports whether it
// has found one: [factor.ByHart] up to 42 bits, which misses a share of them above
// 36, [factor.ByCurves] up to 100, [factor.ByRho] up to 64, [factor.ByQS] from 62 to
// 128. Other sizes and methods are [ErrSize]. n must be odd, composite, not a power,
// and free of prime factors below 300. The curves are those that [factor.Runner.Run]
// takes for a number of that size, and after them more until one finds a factor,
// since no other method comes after them here.
func (r *Runner) Split(n string, by factor.Methods) (found bool, err error) {
	w, ok := arith.ParseUint128(n)
	if !ok || w.Lo&1 == 0 {
		return false, fmt.Errorf("split: %w", ErrSize)
	}
	bits, d := w.Len(), arith.Uint128{Lo: 1}
	switch {
	case by == factor.ByHart && bits <= hart.MostBits:
		d.Lo = hart.Factor(w.Lo)
	case by == factor.ByCurves && bits <= ecm.VectorBits:
		d = r.curves(w)
	case by == factor.ByRho && bits <= 64:
		d.Lo = rho.Factor(w.Lo)
	case by == factor.ByQS && bits >= qs.LeastBits:
		_, found = r.qs.Split(&r.never, w.Uint192())
		return found, nil
	default:
		return false, fmt.Errorf("split: %w", ErrSize)
	}
	return d != (arith.Uint128{Lo: 1}) && d != w, nil
}

// mostCurves bounds the curves of Split. One in ten to thirty of them finds a factor
// of half the size of n, so fewer than one number in a million is missed.
const mostCurves = 600

// curves returns a proper factor of n, an odd composite of up to ecm.VectorBits bits
// that is not a power, or 1 if mostCurves curves do not find one. It takes the same
// paths through the processor as the ladder of methods does.
func (r *Runner) curves(n arith.Uint128) arith.Uint128 {
	size := n.Len()
	if cpu.IFMA && size >= ecm.VectorFromBits {
		if d := r.ecm.FindVector(n); d != (arith.Uint128{Lo: 1}) {
			return d
		}
	}
	if size <= 64 {
		return arith.Uint128{Lo: r.ecm.Find64(n.Lo, size, mostCurves/3)}
	}
	b1 := uint64(300)
	switch {
	case size > 90:
		b1 = 2000
	case size > 76:
		b1 = 800
	}
	c := ecm.Work{Seed: arith.Seed, First: 1, Count: mostCurves, B1: b1, Hi: b1 + 1, From: b1 + 1, To: 40 * b1, Step: 210}
	var d *big.Int
	if cpu.IFMA && c.FitsVector(size) {
		d = r.ecm.CurvesVector(n.Big(), &c)
	} else {
		d = r.ecm.Curves128(n, &c)
	}
	if d == nil {
		return arith.Uint128{Lo: 1}
	}
	return arith.Uint128Of(d.Bytes())
}
