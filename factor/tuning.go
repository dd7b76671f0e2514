package factor

import (
	"errors"
	"fmt"
	"math/big"

	"fairfactor/factor/internal/arith"
	"fairfactor/factor/internal/cpu"
	"fairfactor/factor/internal/ecm"
	"fairfactor/factor/internal/hart"
	"fairfactor/factor/internal/rho"
	"fairfactor/factor/internal/siqs"
	"fairfactor/factor/internal/wire"
)

// What is here is for programs that measure which method is the fastest for a size
// of number, and with which parameters: the tables in this package are what such a
// program has printed.

// ErrSize says that a method can't do a number, or not with these parameters.
var ErrSize = errors.New("factor: out of the range of the method")

// hartLimit is the size up to which Hart's method is free of overflow, in bits.
const hartLimit = 42

// Split looks for a proper factor of n with one method alone and reports whether it
// has found one: [ByHart] up to 42 bits, which misses a share of them above 36,
// [ByCurves] up to 100, [ByRho] up to 64, [ByQS] from 62 to 128. n must be odd,
// composite, not a power, and free of prime factors below 300. The curves are those
// that [Runner.Run] takes for a number of that size, and after them more until one
// finds a factor, since alone no other method comes after them.
func (r *Runner) Split(n string, by Methods) (found bool, err error) {
	w, ok := arith.ParseUint128(n)
	if !ok || w.Lo&1 == 0 {
		return false, fmt.Errorf("factor: split: %w", ErrSize)
	}
	r.poller.Start(nil)
	bits, d := w.Len(), arith.Uint128{Lo: 1}
	switch {
	case by == ByHart && bits <= hartLimit:
		d.Lo = hart.Factor(w.Lo)
	case by == ByCurves && bits <= ecm.VectorBits:
		d = r.curvesAlone(w)
	case by == ByRho && bits <= 64:
		d.Lo = rho.Factor(w.Lo)
	case by == ByQS && bits >= 62:
		_, found = r.sieveQuick(w.Uint192())
		return found, nil
	default:
		return false, fmt.Errorf("factor: split: %w", ErrSize)
	}
	return d != (arith.Uint128{Lo: 1}) && d != w, nil
}

// aloneCurves bounds the curves that curvesAlone tries. One in ten to thirty of them
// finds a factor of half the size of n, so fewer than one number in a million is
// missed.
const aloneCurves = 600

// curvesAlone returns a proper factor of n, an odd composite of up to VectorBits bits
// that is not a power, or 1 if aloneCurves curves do not find one. It takes the same
// paths through the processor as the ladder of methods does.
func (r *Runner) curvesAlone(n arith.Uint128) arith.Uint128 {
	size := n.Len()
	if cpu.IFMA && size >= ecm.VectorFromBits {
		if d := r.ecm.FindVector(n); d != (arith.Uint128{Lo: 1}) {
			return d
		}
	}
	if size <= 64 {
		return arith.Uint128{Lo: ecm.Find64(n.Lo, size, aloneCurves/2)}
	}
	b1 := uint64(300)
	switch {
	case size > 90:
		b1 = 2000
	case size > 76:
		b1 = 800
	}
	c := ecm.Work{Seed: arith.Seed, First: 1, Count: aloneCurves, B1: b1, Hi: b1 + 1, From: b1 + 1, To: 40 * b1, Step: 210}
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

// SieveSize are the parameters of the self-initialising quadratic sieve for numbers
// of one size.
type SieveSize struct {
	Base   int     // primes in the factor base, 64 to 131,072
	Large  int     // bound of a large prime as a multiple of the largest prime, 1 to 1,024
	Length int     // of the sieve in bytes: up to 32 KiB a multiple of 64, above of 32 KiB
	Skip   int     // primes below it are not sieved with, 3 to 1,024
	Double float64 // bound of two large primes as a power of the bound of one, below 2; 0: one at most
	Slack  int     // bits that the first look at a position gives away, 0 to 64
}

// SieveSizeFor returns the parameters that the engine uses for numbers of that many
// bits.
func SieveSizeFor(bits int) SieveSize {
	z := siqs.ParametersFor(bits)
	return SieveSize{z.Base, z.Large, z.Length, z.Skip, z.Double, z.Slack}
}

// NewSieve returns a machine that begins with the sieve, and with these parameters.
// n must be composite, in canonical decimal digits, 100 to 332 bits long, not a
// power, and free of the primes of the factor base ([ErrSize]).
func NewSieve(n string, size SieveSize) (*Machine, error) {
	m, err := New(n)
	if err != nil {
		return nil, err
	}
	v, _ := parseBig(n)
	bits := v.BitLen()
	z := siqs.ParametersFor(bits)
	z.Base, z.Large, z.Length = size.Base, size.Large, size.Length
	z.Skip, z.Double, z.Slack = size.Skip, size.Double, size.Slack
	check := wire.Reader{B: z.Append(nil)}
	if siqs.ReadParameters(&check); check.Bad || bits < siqs.LeastBits || bits > siqs.MostBits || v.ProbablyPrime(0) {
		return nil, fmt.Errorf("factor: new sieve: %w", ErrSize)
	}
	c := newCofactor(new(big.Int).Set(v), 1, false)
	if c.collection = siqs.NewCollection(c.n, 0, z); c.collection.Base.Divisor != 0 {
		return nil, fmt.Errorf("factor: new sieve: %w", ErrSize)
	}
	m.begun, m.rest = true, []*cofactor{c}
	m.next = 1 // 0 is the first turn's
	return m, nil
}
